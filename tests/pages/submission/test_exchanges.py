"""The attempts and Queries of a submission as rows of one table."""

from organizations.models import State, Submission, User
from organizations.pages.submission import acceptance, attempts, proof
from organizations.pages.submission.exchanges import MOST_QUERIES, Exchanges, exchanges
from organizations.practice import PracticeDirectory
from organizations.services.actors import system
from organizations.services.delivery import query
from tests.factories import BASE, acting
from tests.pages.sending import entries_of, foreign, fresh, resolved, updated
from tests.services.sending import deliver


def shown(submission: Submission) -> Exchanges:
    entries = entries_of(submission)
    return exchanges(submission, entries, acceptance.evidence_entry(submission, entries))


def told(submission: Submission) -> list[tuple[str, str, str, bool]]:
    """Each row: "Query" or the number of the attempt, what came, more of it, whether the end rests on it."""
    return [
        ("Query", row.query.word.word, row.query.text, row.query.is_evidence)
        if row.query
        else (str(row.attempt.number) if row.attempt else "", "", "", False)
        for row in shown(submission).rows
    ]


def test_the_query_that_proved_it_stands_after_its_attempt(practice: PracticeDirectory, editor: User) -> None:
    submission = resolved(updated(practice, editor, "applies-then-504"))
    assert told(submission) == [("1", "", "", False), ("Query", "Showed what was sent", "", True)]
    times = [row.started for row in shown(submission).rows]
    assert times == sorted(times)


def test_a_query_says_what_it_showed(practice: PracticeDirectory, editor: User, approver: User) -> None:
    submission = updated(practice, editor, "applies-then-504")
    stored = practice.organizations("staging")[BASE]
    practice.register("staging", stored | {"Address": stored["Address"] | {"Country": "US"}})
    query.query_for_submission(submission, actor=acting(approver))
    practice.register("staging", stored | {"Name": "Theirs"})
    query.query_for_submission(submission, actor=acting(approver))
    practice.behaviour = "gateway-error"
    query.query_for_submission(submission, actor=acting(approver))
    assert [row[1:3] for row in told(submission)[1:]] == [
        ("Showed values that mean the same", ""),
        ("Showed other values", "1 field differs"),
        ("No answer that counts", ""),
    ]


def test_why_it_was_sent_again_stands_with_the_query_before(practice: PracticeDirectory, editor: User) -> None:
    submission = resolved(updated(practice, editor, "gateway-error"))
    assert submission.state == State.QUEUED
    assert deliver()
    assert told(submission)[1:] == [
        (
            "Query",
            "Showed other values",
            "1 field differs. What became of the last attempt could not be proved. It was queued again.",
            False,
        ),
        ("2", "", "", False),
    ]
    texts = [step.text for step in proof.proof_steps(fresh(submission), entries_of(submission))]
    assert "What became of the last attempt could not be proved." in texts
    assert texts[-1].startswith("Redox answered 200")


def test_an_oid_that_is_not_shown_takes_three_queries(
    practice: PracticeDirectory, editor: User, approver: User
) -> None:
    submission = foreign(practice, editor)
    practice.forget("staging", BASE)
    query.query_for_submission(submission, actor=acting(approver))
    assert [row[1:3] for row in told(submission)[1:]] == [
        ("Did not show the OID", "asked without Active"),
        ("Did not show the OID", "asked for active ones"),
        ("Did not show the OID", ""),
    ]


def test_only_the_newest_queries_are_rows(practice: PracticeDirectory, editor: User) -> None:
    submission = updated(practice, editor, "applies-then-504")
    for _ in range(MOST_QUERIES + 2):
        query.query_for_submission(submission, actor=system("Worker test"))
    found = shown(submission)
    assert (len(found.rows), found.earlier) == (1 + MOST_QUERIES, 2)


def test_a_query_from_before_the_last_attempt_says_nothing_of_it(practice: PracticeDirectory, editor: User) -> None:
    submission = updated(practice, editor, "gateway-error")
    query.query_for_submission(submission, actor=system("Worker test"))
    asked = attempts.last_query(entries_of(submission))
    assert asked is not None
    assert not attempts.was_sent_after(asked, entries_of(submission))
    Submission.objects.filter(pk=submission.pk).update(state=State.QUEUED, not_before=None)
    assert deliver()
    assert attempts.was_sent_after(asked, entries_of(submission))
