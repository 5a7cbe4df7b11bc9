"""Addresses whose pattern is resolved once."""

from django.urls import reverse

from organizations.text.links import numbered_url


def test_an_address_with_a_number_is_that_of_its_pattern():
    for environment, number in (("staging", 7), ("production", 1234567890123)):
        assert numbered_url("submission", environment, number) == reverse("submission", args=[environment, number])
    assert numbered_url("audit-entry", 41) == reverse("audit-entry", args=[41])
