"""Each kind of evidence in words: in the export, in what a review compares with, and on a submission's page."""

import re

import pytest
from django.utils.html import strip_tags

from organizations.models import Event, Evidence, Organization, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.presentation import acceptance, evidence, freshness, waiting
from organizations.services import asking
from organizations.services.actors import Actor
from tests import factories
from tests.factories import BASE
from tests.services.sending import deliver

from .sending import entries_of, fresh, resolved, updated

EXPORTED = {
    Evidence.ANSWER: "Redox's answer",
    Evidence.QUERY: "A Query",
    Evidence.BOTH: "Redox's answer and a Query",
    Evidence.PERSON: "A person's decision",
    Evidence.EQUIVALENT: "A Query, equivalent values",
    Evidence.NONE: "",
}
COMPARED_WITH = {
    Evidence.ANSWER: "what Redox accepted on {day} (submission {number})",
    Evidence.QUERY: "what submission {number} sent and a Query showed on {day}",
    Evidence.BOTH: "what submission {number} sent; Redox's answer and a Query showed on {day} that it arrived",
    Evidence.PERSON: "what submission {number} sent; Ada Approver decided on {day} that it arrived",
    Evidence.EQUIVALENT: "what submission {number} sent; a Query showed something equivalent on {day}",
    Evidence.NONE: "what was accepted on {day} (submission {number})",
}


def accepted_by(user: User, kind: Evidence) -> Organization:
    """A record of which a submission was accepted by this kind of evidence."""
    made = factories.organization(user=user)
    submission = factories.submission(made, user=user)
    Submission.objects.filter(pk=submission.pk).update(decided_by="Ada Approver" if kind == Evidence.PERSON else "")
    factories.confirmed(made, submission=fresh(submission), evidence=kind or Evidence.ANSWER)
    Organization.objects.filter(pk=made.pk).update(confirmed_evidence=kind)
    return Organization.objects.select_related("confirmed_submission").get(pk=made.pk)


@pytest.mark.usefixtures("unreachable_redox")
@pytest.mark.parametrize("kind", Evidence)
def test_each_kind_is_named_in_the_export_and_where_a_review_compares(editor: User, kind: Evidence) -> None:
    made = accepted_by(editor, kind)
    assert evidence.in_export(made) == EXPORTED[kind]
    said = COMPARED_WITH[kind].format(number=made.confirmed_submission_id, day="DAY")
    pattern = re.escape(said).replace("DAY", r"[A-Z][a-z]{2} \d{1,2}")
    assert re.fullmatch(pattern, freshness.accepted_by(made))


def test_after_a_restore_nothing_is_claimed_of_redoxs_own_answer(practice: PracticeDirectory, editor: User) -> None:
    submission = updated(practice, editor, "applies-then-504")
    Submission.objects.filter(pk=submission.pk).update(only_ask=True)
    submission = resolved(submission)
    assert (submission.state, submission.evidence) == (State.ACCEPTED, Evidence.QUERY)
    basis = acceptance.basis(submission, entries_of(submission))
    sentence = strip_tags(basis.sentence)
    assert sentence.endswith("What Redox answered is not known: the database was put back from a backup.")
    assert basis.more == ()  # nor that nothing was sent a second time


def test_a_decision_against_an_answer_that_did_not_show_it_says_so(
    practice: PracticeDirectory, editor: User, approver: Actor
) -> None:
    """Not offered today; an earlier release may have stored it."""
    submission = updated(practice, editor, "gateway-error")
    practice.forget("staging", BASE)
    answer = asking.ask_about(submission, actor=approver)
    decision = {"evidence": Evidence.PERSON, "evidence_at": answer.asked_at, "decided_by": approver.name}
    Submission.objects.filter(pk=submission.pk).update(state=State.ACCEPTED, ended_at=clock.now(), **decision)
    [more] = acceptance.basis(fresh(submission), entries_of(submission)).more
    assert re.fullmatch(r"The directory was asked at .+ and did not show it\.", strip_tags(more))


def test_of_a_second_new_that_only_repeats_what_was_accepted_a_query_proves_nothing(
    practice: PracticeDirectory, editor: User
) -> None:
    """Redox called the OID "is not valid": only a Query would show whether it is gone."""
    first = updated(practice, editor, "says-no-not-valid", destination_id="fcda220c-f449-534e-9ae4-3fd21f7b0fed")
    again = factories.submission(first.organization, user=editor)
    practice.behaviour = "gateway-error"
    assert deliver()
    again = fresh(again)
    assert (again.event, again.state) == (Event.NEW, State.UNKNOWN)
    assert waiting.then(again) == waiting.NEW_NOT_VISIBLE
