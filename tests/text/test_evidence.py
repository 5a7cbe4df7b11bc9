"""Each kind of evidence has its own words wherever a page names it."""

import datetime
import re

import pytest
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from organizations.models import AuditEntry, Event, Evidence, Organization, Presence, State, Submission, clock
from organizations.pages import queue_reasons
from organizations.pages.submission import acceptance
from organizations.pages.submission.state import submission_rows
from organizations.queries.record_entries import is_active_taken
from organizations.services.delivery import query
from organizations.services.directory import differences
from organizations.services.records import statements
from organizations.text import evidence, freshness, queue_reason
from tests import factories
from tests.factories import as_actor
from tests.services.sending import accepted_with_difference, reload, store_reading

pytestmark = pytest.mark.django_db

MAY_3 = datetime.datetime(2001, 5, 3, 19, 3, tzinfo=datetime.UTC)
EXPORTED = {
    Evidence.ANSWER: "Redox's answer",
    Evidence.QUERY: "A Query",
    Evidence.BOTH: "Redox's answer and a Query",
    Evidence.PERSON: "A person's decision",
    Evidence.EQUIVALENT: "A Query, equivalent values",
    Evidence.NONE: "",
}
COMPARED_WITH = {
    Evidence.ANSWER: "what Redox accepted on May 3, 2001 (submission 7)",
    Evidence.QUERY: "what submission 7 sent and a Query showed on May 3, 2001",
    Evidence.BOTH: "what submission 7 sent; Redox's answer and a Query showed on May 3, 2001 that it arrived",
    Evidence.PERSON: "what submission 7 sent; Ada Approver decided on May 3, 2001 that it arrived",
    Evidence.EQUIVALENT: "what submission 7 sent; a Query showed something equivalent on May 3, 2001",
    Evidence.NONE: "what was accepted on May 3, 2001 (submission 7)",
}
AGAIN = {
    Evidence.ANSWER: "as Redox last accepted it.",
    Evidence.QUERY: "as it was last accepted, shown by a Query.",
    Evidence.BOTH: "as it was last accepted, by Redox's answer and a Query.",
    Evidence.PERSON: "as it was last accepted, by decision of Approver One.",
    Evidence.EQUIVALENT: "as it was last accepted; a Query showed something equivalent.",
    Evidence.NONE: "as it was last accepted.",
}


def active_again(organization: Organization) -> str:
    return evidence.active_again(organization, is_taken=is_active_taken(organization))


def submission_of(submission: Submission) -> Submission:
    return Submission.objects.select_related("organization").get(pk=submission.pk)


@pytest.mark.parametrize("kind", Evidence)
@pytest.mark.parametrize("active", [True, False])
def test_active_after_a_cancelled_change_names_its_evidence(kind, active):
    submission = Submission(decided_by="Approver One")
    organization = Organization(
        active=active, confirmed_active=active, confirmed_evidence=kind, confirmed_submission=submission
    )
    text = active_again(organization)
    assert text == f"Saved here again: Active = {str(active).lower()}, {AGAIN[kind]}"
    submission.decided_by = ""
    assert ("Somebody" in active_again(organization)) is (kind == Evidence.PERSON)
    organization.confirmed_active = not active
    assert active_again(organization) == f"Saved here again: Active = {str(active).lower()}."


def test_active_after_a_cancelled_change_may_be_taken_from_the_directory(editor):
    organization = accepted_with_difference(editor, active=False)
    organization = differences.take_directory_values(
        organization.pk, organization.version, reason="Closed", actor=as_actor(editor)
    )
    text = active_again(reload(organization))
    assert text == "Saved here again: Active = false, as it was taken from the directory."


def test_active_of_a_claimed_record_after_a_cancelled_change_is_as_the_directory_showed_it(editor):
    organization = factories.organization(user=editor)
    store_reading(organization, organization.record())
    differences.decide_ours(organization.pk, reason="Ours", actor=as_actor(editor))
    text = active_again(reload(organization))
    assert text == "Saved here again: Active = true, as the directory showed it."


def test_active_of_a_stated_record_after_a_cancelled_change_has_no_evidence(editor):
    organization = factories.organization(user=editor)
    statements.state_registered(organization.pk, reason="By curl", actor=as_actor(editor))
    assert active_again(reload(organization)) == "Saved here again: Active = true."


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"state": State.ACCEPTED, "evidence": Evidence.ANSWER}, "Accepted by Redox"),
        ({"state": State.ACCEPTED, "evidence": Evidence.QUERY}, "Accepted, shown by a Query"),
        ({"state": State.ACCEPTED, "evidence": Evidence.BOTH}, "Accepted by Redox and a Query"),
        ({"state": State.ACCEPTED, "evidence": Evidence.PERSON}, "Accepted by decision"),
        ({"state": State.ACCEPTED, "evidence": Evidence.EQUIVALENT}, "Accepted, a Query showed an equivalent"),
        ({"state": State.REJECTED}, "Rejected by Redox"),
        ({"state": State.REJECTED, "decided_by": "Approver One"}, "Rejected by decision"),
        ({"state": State.QUEUED}, "Queued"),
    ],
)
def test_a_list_names_the_evidence_of_each_outcome(values, word):
    submission = Submission(pk=7, **values)
    assert evidence.state_word(submission).word == word
    assert evidence.state_word(submission).key == values["state"]


@pytest.mark.parametrize("kind", [each for each in Evidence if each != Evidence.NONE])
def test_an_acceptance_that_a_query_proved_has_the_time_of_the_query(kind):
    submission = Submission(evidence=kind, evidence_at=MAY_3, ended_at=MAY_3 + datetime.timedelta(days=1))
    is_by_query = kind not in (Evidence.ANSWER, Evidence.PERSON)
    shown = "May 3, 2001" if is_by_query else "May 4, 2001"
    assert shown in evidence.plan_row_sentence(submission)
    assert shown in evidence.submission_line(submission, SafeString("submission 7"))


def test_the_rows_of_a_list_have_the_word_of_the_evidence():
    accepted = Submission(pk=7, state=State.ACCEPTED, evidence=Evidence.QUERY)
    assert [row.word.word for row in submission_rows([accepted])] == ["Accepted, shown by a Query"]


@pytest.mark.parametrize("kind", Evidence)
def test_each_kind_is_named_in_the_export_and_where_a_review_compares(kind):
    submission = Submission(pk=7, decided_by="Ada Approver")
    organization = Organization(confirmed_evidence=kind, confirmed_at=MAY_3, confirmed_submission=submission)
    assert evidence.export_value(organization) == EXPORTED[kind]
    assert freshness.accepted_with_evidence(organization) == COMPARED_WITH[kind]


def test_after_a_restore_nothing_is_claimed_about_the_answer_of_redox():
    proved = Submission(state=State.ACCEPTED, evidence=Evidence.QUERY, evidence_at=MAY_3, attempt=1, http_status=200)
    assert acceptance.acceptance_basis(proved, []).sentence.endswith("The answer to the message itself was HTTP 200.")
    assert acceptance.acceptance_basis(proved, []).more != ()
    proved.is_restored = True
    basis = acceptance.acceptance_basis(proved, [])
    assert basis.sentence.endswith("What Redox answered is not known: the database was restored from a backup.")
    assert basis.more == ()  # nor that nothing was sent a second time


def test_a_decision_about_an_oid_that_was_not_shown_says_so(practice, editor):
    """Not offered today; an earlier release may have stored it."""
    submission = factories.submission(factories.organization(user=editor), user=editor)
    answer = query.query_for_submission(submission, actor=as_actor(editor))
    decision = {"evidence": Evidence.PERSON, "evidence_at": answer.asked_at, "decided_by": "Approver One"}
    factories.change_submission(submission, state=State.ACCEPTED, ended_at=clock.now(), **decision)
    [more] = acceptance.acceptance_basis(
        submission_of(submission), list(AuditEntry.objects.of_submission(submission.pk))
    ).more
    assert re.fullmatch(r"The directory was asked at .+ and did not show it\.", strip_tags(more))


def test_a_query_does_not_prove_a_second_new_that_repeats_accepted_values(editor):
    """Redox answered that the OID "is not valid". Only a Query would show whether it was removed."""
    organization = factories.accepted_organization(user=editor)
    Organization.objects.filter(pk=organization.pk).update(presence=Presence.ABSENT)
    again = submission_of(factories.submission(organization, user=editor))
    assert again.event == Event.NEW
    assert queue_reasons.after_next_query(again) == queue_reason.AFTER_NEW_NOT_VISIBLE
