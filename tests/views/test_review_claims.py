"""What a review may claim: nothing of a record of which too little is known, and nothing that was only read."""

from dataclasses import replace

import pytest

from organizations.models import Organization, State, Submission
from organizations.redox.environment import GATEWAY_OID
from organizations.services import asking, deciding, delivery, organizations
from organizations.services.deciding import Verdict
from tests import factories
from tests.factories import BASE
from tests.views.pages import text_of
from tests.views.typing import edit_url

PATH = "review"


@pytest.fixture
def made(editor):
    return factories.organization(user=editor)


@pytest.fixture
def accepted(practice, made, editor, worker):
    """A record that Redox accepted."""
    factories.submission(made, user=editor)
    assert delivery.deliver_next("staging", actor=worker)
    return Organization.objects.get(pk=made.pk)


def test_while_nobody_knows_whether_it_is_new_the_review_claims_nothing(client, accepted, editor, worker, practice):
    practice.behaviour = "applies-then-504"
    below = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    submission = factories.submission(below, user=editor)
    for _ in ("queued", "unknown"):
        page = client.get(edit_url(below, PATH))
        main = text_of(page).split("not to be sent now", 1)[1]
        assert "STAGING, North Region: not to be sent now" in text_of(page)
        assert f"Submission {submission.pk} must end first; until then nobody knows whether this" in main
        for claim in (
            "Registers",
            "registered outside",
            "Update,",
            "nothing to compare",
            "The exact message",
            "curl -X",
        ):
            assert claim not in main, claim
        assert "<table" not in page.content.decode()
        delivery.deliver_next("staging", actor=worker)
    below.refresh_from_db()
    assert below.presence == "unknown"


def test_a_record_whose_presence_is_unknown_has_one_obstacle(client, made):
    Organization.objects.update(presence="unknown")
    page = client.get(edit_url(made, PATH))
    assert [each.step for each in page.context["page"].obstacles] == ["Open the record"]
    assert "STAGING, Lakeside 1: not to be sent now" in text_of(page)
    answer = client.post(edit_url(made, PATH), {"sha256": page.context["made"].sha256, "seen": "0", "version": "1"})
    assert answer.status_code == 409


def test_parents_are_told_by_name_and_oid(client, accepted, editor, worker):
    below = factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="North Region")
    factories.submission(below, user=editor)
    delivery.deliver_next("staging", actor=worker)
    moved = replace(below.record(), part_of_oid=GATEWAY_OID)
    organizations.edit(below.pk, below.version, moved, stands_for="", actor=factories.acting(editor))
    gateway, parent = f"the Redox gateway ({GATEWAY_OID})", f"Lakeside 1 ({BASE})"
    assert f"PartOf {parent} {gateway}" in text_of(client.get(edit_url(below, PATH)))
    assert f"PartOf {parent} {gateway}" in text_of(client.get(edit_url(below, "discard")))
    record = text_of(client.get(edit_url(below, "record")))
    assert "The Redox gateway" in record
    assert "not sent Lakeside 1" in record
    sent = factories.submission(below, user=editor)
    assert f"PartOf {parent} {gateway}" in text_of(client.get(f"/staging/submissions/{sent.pk}/"))


def test_what_is_ours_with_other_values_is_compared_with_what_the_directory_showed(client, accepted, editor, practice):
    actor = factories.acting(editor)
    organizations.edit(accepted.pk, 1, factories.record(name="Lakeside North"), stands_for="", actor=actor)
    first = factories.submission(accepted, user=editor)
    Submission.objects.filter(pk=first.pk).update(state=State.NEEDS_PERSON, attempt=1)
    practice.register("staging", practice.organizations("staging")[BASE] | {"Name": "Lakeside Nor"})
    asking.ask_about(first, actor=actor)
    answer = deciding.last_answer(first)
    assert answer is not None
    deciding.decide(first.pk, Verdict.OURS, sequence=answer.entry.sequence, reason="In part", actor=actor)

    second = factories.submission(accepted, user=editor)
    assert "Field Known before Sent" in text_of(client.get(f"/staging/submissions/{second.pk}/"))
    assert "Field Accepted before Sent" in text_of(client.get(f"/staging/submissions/{first.pk}/"))


def test_of_a_stated_record_all_fields_are_folded_and_none_is_said_to_change(client, made, editor):
    organizations.state_registered(made.pk, reason="Registered with curl.", actor=factories.acting(editor))
    page = client.get(edit_url(made, PATH))
    said = text_of(page)
    assert "First message for a record that was registered outside the portal. Redox replaces the whole record." in said
    assert "Changes " not in said
    assert f"{len(page.context['page'].rows)} fields, nothing to compare with" in said
    assert page.context["page"].changed_lines == []
    assert page.content.decode().index("<details") < page.content.decode().index("cards diff")
