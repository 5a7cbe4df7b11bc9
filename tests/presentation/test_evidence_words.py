"""Each kind of evidence in words: in the export, in what a review compares with, and on a submission's page."""

import datetime
import re

import pytest
from django.utils.html import strip_tags

from organizations.models import AuditEntry, Event, Evidence, Organization, Presence, State, Submission, User, clock
from organizations.practice import PracticeDirectory
from organizations.presentation import acceptance, evidence, freshness, waiting
from organizations.services import asking
from tests import factories
from tests.factories import acting

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


def fresh(submission: Submission) -> Submission:
    return Submission.objects.select_related("organization").get(pk=submission.pk)


@pytest.mark.parametrize("kind", Evidence)
def test_each_kind_is_named_in_the_export_and_where_a_review_compares(kind: Evidence) -> None:
    submission = Submission(pk=7, decided_by="Ada Approver")
    made = Organization(confirmed_evidence=kind, confirmed_at=MAY_3, confirmed_submission=submission)
    assert evidence.in_export(made) == EXPORTED[kind]
    assert freshness.accepted_by(made) == COMPARED_WITH[kind]


def test_after_a_restore_nothing_is_claimed_of_redoxs_own_answer() -> None:
    proved = Submission(state=State.ACCEPTED, evidence=Evidence.QUERY, evidence_at=MAY_3, attempt=1, http_status=200)
    assert acceptance.basis(proved, []).sentence.endswith("own answer was 200.")
    assert acceptance.basis(proved, []).more != ()
    proved.only_ask = True
    basis = acceptance.basis(proved, [])
    assert basis.sentence.endswith("What Redox answered is not known: the database was put back from a backup.")
    assert basis.more == ()  # nor that nothing was sent a second time


def test_a_decision_against_an_answer_that_did_not_show_it_says_so(practice: PracticeDirectory, editor: User) -> None:
    """Not offered today; an earlier release may have stored it."""
    submission = factories.submission(factories.organization(user=editor), user=editor)
    answer = asking.ask_about(submission, actor=acting(editor))
    decision = {"evidence": Evidence.PERSON, "evidence_at": answer.asked_at, "decided_by": "Approver One"}
    Submission.objects.filter(pk=submission.pk).update(state=State.ACCEPTED, ended_at=clock.now(), **decision)
    [more] = acceptance.basis(fresh(submission), list(AuditEntry.objects.of_submission(submission.pk))).more
    assert re.fullmatch(r"The directory was asked at .+ and did not show it\.", strip_tags(more))


@pytest.mark.django_db
def test_of_a_second_new_that_only_repeats_what_was_accepted_a_query_proves_nothing(editor: User) -> None:
    """Redox called the OID "is not valid": only a Query would show whether it is gone."""
    made = factories.accepted(user=editor)
    Organization.objects.filter(pk=made.pk).update(presence=Presence.ABSENT)
    again = fresh(factories.submission(made, user=editor))
    assert again.event == Event.NEW
    assert waiting.then(again) == waiting.NEW_NOT_VISIBLE
