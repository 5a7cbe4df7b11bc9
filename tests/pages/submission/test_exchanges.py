"""The attempts and Queries of a submission as rows of one table."""

from organizations.models import State, Submission, User
from organizations.pages.submission import acceptance, attempts, proof
from organizations.pages.submission.exchanges import MOST_QUERIES, Exchanges, exchanges
from organizations.practice import PracticeDirectory
from organizations.services.actors import system
from organizations.services.delivery import query
from tests import factories
from tests.factories import BASE, as_actor
from tests.pages.sending import entries_of, fresh, resolve_submission, send_foreign, send_update
from tests.services.sending import deliver


def exchanges_of(submission: Submission) -> Exchanges:
    entries = entries_of(submission)
    return exchanges(submission, entries, acceptance.evidence_entry(submission, entries))


def row_texts(submission: Submission) -> list[tuple[str, str, str, bool]]:
    """Each row: "Query" or the number of the attempt, the result, its details, whether it is the evidence."""
    return [
        ("Query", row.query.word.word, row.query.text, row.query.is_evidence)
        if row.query
        else (str(row.attempt.number) if row.attempt else "", "", "", False)
        for row in exchanges_of(submission).rows
    ]


def test_the_query_that_proved_it_is_after_its_attempt(practice: PracticeDirectory, editor: User) -> None:
    submission = resolve_submission(send_update(practice, editor, "applies-then-504"))
    assert row_texts(submission) == [("1", "", "", False), ("Query", "Showed what was sent", "", True)]
    times = [row.started for row in exchanges_of(submission).rows]
    assert times == sorted(times)


def test_the_row_of_a_query_says_what_the_directory_showed(
    practice: PracticeDirectory, editor: User, approver: User
) -> None:
    submission = send_update(practice, editor, "applies-then-504")
    directory_record = practice.organizations("staging")[BASE]
    practice.register("staging", directory_record | {"Address": directory_record["Address"] | {"Country": "US"}})
    query.query_for_submission(submission, actor=as_actor(approver))
    practice.register("staging", directory_record | {"Name": "Theirs"})
    query.query_for_submission(submission, actor=as_actor(approver))
    practice.behaviour = "gateway-error"
    query.query_for_submission(submission, actor=as_actor(approver))
    assert [row[1:3] for row in row_texts(submission)[1:]] == [
        ("Showed values that mean the same", ""),
        ("Showed other values", "1 field differs"),
        ("No usable answer", ""),
    ]


def test_the_reason_for_sending_again_is_in_the_row_of_the_query(practice: PracticeDirectory, editor: User) -> None:
    submission = resolve_submission(send_update(practice, editor, "gateway-error"))
    assert submission.state == State.QUEUED
    assert deliver()
    assert row_texts(submission)[1:] == [
        (
            "Query",
            "Showed other values",
            "1 field differs. Nothing proves whether the last attempt took effect. It was queued again.",
            False,
        ),
        ("2", "", "", False),
    ]
    texts = [step.text for step in proof.proof_steps(fresh(submission), entries_of(submission))]
    assert "Nothing proves whether the last attempt took effect." in texts
    assert texts[-1].startswith("Redox answered 200")


def test_a_missing_oid_takes_three_queries(practice: PracticeDirectory, editor: User, approver: User) -> None:
    submission = send_foreign(practice, editor)
    practice.forget("staging", BASE)
    query.query_for_submission(submission, actor=as_actor(approver))
    assert [row[1:3] for row in row_texts(submission)[1:]] == [
        ("Did not show the OID", "asked without Active"),
        ("Did not show the OID", "asked for active ones"),
        ("Did not show the OID", ""),
    ]


def test_only_the_newest_queries_are_rows(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "applies-then-504")
    for _ in range(MOST_QUERIES + 2):
        query.query_for_submission(submission, actor=system("Worker test"))
    exchanges = exchanges_of(submission)
    assert (len(exchanges.rows), exchanges.earlier) == (1 + MOST_QUERIES, 2)


def test_a_query_before_the_last_attempt_says_nothing_about_it(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "gateway-error")
    query.query_for_submission(submission, actor=system("Worker test"))
    last_query = attempts.last_query(entries_of(submission))
    assert last_query is not None
    assert not attempts.was_sent_after(last_query, entries_of(submission))
    factories.change_submission(submission, state=State.QUEUED, not_before=None)
    assert deliver()
    assert attempts.was_sent_after(last_query, entries_of(submission))
