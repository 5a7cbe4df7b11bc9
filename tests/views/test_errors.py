"""Pages for what went wrong."""

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from organizations.pages import help as help_page
from tests.views.pages import text_of

pytestmark = pytest.mark.one_database


@pytest.fixture
def broken(client_of, monkeypatch):
    """A client whose next page raises a given fault."""

    def broken_by(fault: Exception) -> Client:
        def raises() -> None:
            raise fault

        monkeypatch.setattr(help_page, "build", raises)
        client = client_of("viewer")
        client.raise_request_exception = False
        return client

    return broken_by


def test_a_fault_of_the_portal_shows_the_number_of_the_request(broken):
    answer = broken(RuntimeError("secret words")).get("/help/")
    said = text_of(answer)
    assert answer.status_code == 500
    assert answer["X-Request-ID"] in said
    assert "secret words" not in said


@pytest.mark.parametrize("fault", [OperationalError("gone"), InterfaceError("closed")])
def test_a_database_that_is_gone_is_said(broken, fault):
    answer = broken(fault).get("/help/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "The portal cannot reach its database." in text_of(answer)


@pytest.mark.parametrize("address", ["/no/such/page/", "/%00"])
def test_an_unknown_address_gets_an_error_page(client, address):
    answer = client.get(address)
    assert answer.status_code == 404
    assert "The portal has no page of this address." in text_of(answer)


def test_a_wrong_method_gets_a_page(client):
    answer = client.post("/help/")
    assert answer.status_code == 405
    assert "GET" in answer["Allow"]
    assert int(answer["Content-Length"]) == len(answer.content)
    assert "This address does not take that." in text_of(answer)


def test_a_request_that_cannot_be_read_gets_a_page_that_names_the_limit(client, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    answer = client.post("/sign-in/", {"a": "1", "b": "2", "c": "3"})
    assert answer.status_code == 400
    assert "At most 2 values" in text_of(answer)
