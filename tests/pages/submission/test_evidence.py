"""The claims on the page of a submission and their evidence, built without a client."""

import json
from dataclasses import replace
from html import unescape

import pytest
from django.utils.html import strip_tags

from organizations.models import Evidence, Intent, Organization, State, Submission, User, Verdict, clock
from organizations.pages.record import to_do
from organizations.pages.submission import acceptance, proof, rejection
from organizations.pages.submission.state import accepted_warnings, name_in_message, submitted_changes
from organizations.practice import PracticeDirectory
from organizations.services.actors import system
from organizations.services.delivery import query
from organizations.services.directory import differences
from organizations.services.outbox import answers
from tests import factories
from tests.factories import BASE, as_actor
from tests.pages.sending import (
    NORTH,
    block,
    entries_of,
    fresh,
    resolve_submission,
    send_foreign,
    send_update,
    take_decision,
)
from tests.services.sending import create_and_send, deliver, edit


def basis(submission: Submission) -> tuple[str, list[str], bool]:
    evidence = acceptance.acceptance_basis(submission, entries_of(submission))
    return unescape(strip_tags(evidence.sentence)), [strip_tags(line) for line in evidence.more], evidence.quotes_redox


def rejection_of(submission: Submission) -> rejection.Rejection:
    return rejection.rejection(submission, entries_of(submission), block(submission).explanation)


# Accepted ---------------------------------------------------------------------------------------------------


def test_an_answer_of_redox_is_the_evidence_and_is_quoted(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "answers")
    sentence, more, quotes = basis(submission)
    assert sentence.startswith("Redox accepted this on ")
    assert (more, quotes) == ([], True)
    assert acceptance.evidence_entry(submission, entries_of(submission)) is None
    assert acceptance.proof_table(submission, submitted_changes(submission), None) is None
    assert proof.proof_steps(submission, entries_of(submission)) == []


@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [
        ("applies-then-504", "The answer to the message itself was HTTP 504."),
        ("applies-then-breaks", "No answer came from Redox."),
    ],
)
def test_an_acceptance_by_query_never_quotes_an_unclear_answer(
    practice: PracticeDirectory, editor: User, behaviour: str, answer: str
) -> None:
    submission = resolve_submission(send_update(practice, editor, behaviour))
    assert (submission.state, submission.evidence) == (State.ACCEPTED, Evidence.QUERY)
    sentence, more, quotes = basis(submission)
    assert sentence.startswith("The directory shows what was sent (asked ")
    assert sentence.endswith(f"). {answer}")
    assert (more, quotes) == (["Nothing was sent a second time."], False)
    assert block(submission).explanation is None


def test_the_table_shows_the_query_that_proved_it(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "applies-then-504", name="Lakeside North", address=NORTH)
    directory_record = practice.organizations("staging")[BASE]
    practice.register("staging", directory_record | {"Address": directory_record["Address"] | {"Country": "US"}})
    submission = resolve_submission(submission)
    entry = acceptance.evidence_entry(submission, entries_of(submission))
    query.query_for_submission(submission, actor=as_actor(editor))  # a later answer is not the evidence
    assert acceptance.evidence_entry(submission, entries_of(submission)) == entry
    table = acceptance.proof_table(submission, submitted_changes(submission), entry)
    assert table is not None
    assert [(row.change.label, row.change.before, row.change.after, row.seen, row.compared) for row in table.rows] == [
        ("Name", "Lakeside 1", "Lakeside North", "Lakeside North", "equal"),
        ("City", "Madison", "Monona", "Monona", "equal"),
    ]
    assert (
        table.proof == "proved: the directory shows a change of this message, and no field that a Query shows differs"
    )
    assert table.others == "12 other fields: 11 the same, 1 spelled differently"
    assert [(row.label, row.sent, row.seen) for row in table.spelled] == [("Country", "USA", "US")]


def test_another_spelling_in_the_directory_is_equal_and_shown(practice: PracticeDirectory, editor: User) -> None:
    address = replace(NORTH, city="Madison", zip_code="54501-1234")
    submission = send_update(practice, editor, "applies-then-504", address=address)
    directory_record = practice.organizations("staging")[BASE]
    practice.register("staging", directory_record | {"Address": directory_record["Address"] | {"ZIP": "54501"}})
    submission = resolve_submission(submission)
    entry = acceptance.evidence_entry(submission, entries_of(submission))
    table = acceptance.proof_table(submission, submitted_changes(submission), entry)
    assert table is not None
    [row] = table.rows
    assert (row.change.label, row.change.after, row.seen, row.compared) == (
        "ZIP",
        "54501-1234",
        "54501",
        "means the same",
    )


def test_the_steps_show_the_evidence(practice: PracticeDirectory, editor: User) -> None:
    submission = resolve_submission(send_update(practice, editor, "applies-then-504"))
    steps = proof.proof_steps(submission, entries_of(submission))
    assert [(step.text, step.word.word if step.word else "", step.until) for step in steps] == [
        ("The portal began to send the message, attempt 1.", "", False),
        (
            "The answer, HTTP 504, a web page, neither accepts nor rejects the message.",
            "No clear answer",
            False,
        ),
        ("The portal waited, because the message might still take effect.", "", True),
        ("The portal asked the directory. It showed this OID.", "", False),
        ("The directory shows what was sent.", "Accepted", False),
    ]
    assert [step.time for step in steps] == sorted(step.time for step in steps)


def test_queries_without_an_answer_are_one_step(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "applies-then-504")
    practice.behaviour = "gateway-error"
    for _ in range(3):
        query.query_for_submission(submission, actor=system("Worker test"))
    practice.behaviour = "answers"
    submission = resolve_submission(submission)
    texts = [step.text for step in proof.proof_steps(submission, entries_of(submission))]
    assert sum("without a usable answer" in text for text in texts) == 1
    assert any(text.startswith("The portal tried 3 times, the last at ") for text in texts)


def test_an_undocumented_success_and_a_query_count_together(practice: PracticeDirectory, editor: User) -> None:
    submission = resolve_submission(send_update(practice, editor, "strange-yes"))
    assert (submission.state, submission.evidence) == (State.ACCEPTED, Evidence.BOTH)
    sentence, _, quotes = basis(submission)
    assert sentence.startswith(
        "Redox answered with a success in words that it does not document, and the directory shows what was sent (asked"
    )
    assert not quotes
    assert block(submission).explanation is None  # the portal now knows that it arrived


def test_a_decision_that_it_arrived_names_the_person_and_the_directory_record(
    practice: PracticeDirectory, editor: User, approver: User
) -> None:
    submission = send_update(practice, editor, "gateway-error", name="Lakeside North", address=NORTH)
    factories.change_submission(submission, state=State.NEEDS_PERSON)
    submission = take_decision(submission, Verdict.ARRIVED, approver)
    sentence, [more], quotes = basis(submission)
    assert sentence.startswith("Approver One ")
    assert sentence.endswith(" that it arrived: “Compared, ticket 12”")
    assert more.startswith("The directory was asked at ")
    assert more.endswith(" and showed 2 other values.")
    assert not quotes
    entry = acceptance.evidence_entry(submission, entries_of(submission))
    assert acceptance.proof_table(submission, submitted_changes(submission), entry) is None


def test_an_acceptance_of_an_earlier_release_claims_only_equivalence(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "answers")
    moment = clock.now()
    values = {"evidence": Evidence.EQUIVALENT, "evidence_at": moment, "http_status": 504, "read_back_at": moment}
    factories.change_submission(submission, **values)
    sentence, more, quotes = basis(fresh(submission))
    assert sentence.startswith("The directory showed something equivalent (asked ")
    assert more == ["This evidence would not be enough today, so the portal reads the record once more."]
    assert not quotes


def test_a_submission_has_the_name_in_its_message(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "answers", name="Lakeside North")
    assert name_in_message(submission) == "Lakeside North"
    edit(submission.organization, editor, name="Lakeside Shore")
    assert name_in_message(fresh(submission)) == "Lakeside North (now Lakeside Shore)"


# Next steps


def steps_of(submission: Submission) -> list[str]:
    return [step.label for step in acceptance.next_steps(fresh(submission))]


def test_a_registration_leads_to_the_next_record(practice: PracticeDirectory, editor: User) -> None:
    organization = create_and_send(editor, name="Lakeside North")
    submission = Submission.objects.get(organization=organization)
    below, another, back, repeat = acceptance.next_steps(fresh(submission))
    new = "/staging/organizations/new/"
    assert below == ("Add a record below", f"{new}?below={BASE}", True)
    assert another == ("Add another like this", f"{new}?like={BASE}", True)
    assert back == ("Back to Lakeside North", f"/staging/organizations/{BASE}/", False)
    assert repeat == ("Repeat in PRODUCTION", f"/production/organizations/new/?from={BASE}", True)
    Organization.objects.filter(pk=organization.pk).update(confirmed_active=False)
    assert steps_of(submission) == ["Back to Lakeside North", "Add another like this", "Repeat in PRODUCTION"]


def test_an_update_leads_back_to_its_record(practice: PracticeDirectory, editor: User) -> None:
    assert steps_of(send_update(practice, editor, "answers")) == ["Back to Lakeside North", "Repeat in PRODUCTION"]


def test_a_deactivation_leads_to_the_parent_and_a_reactivation_to_the_record(
    practice: PracticeDirectory, editor: User
) -> None:
    create_and_send(editor, name="Lakeside Clinics")
    child = create_and_send(editor, f"{BASE}.1", name="Lakeside North", part_of_oid=BASE)
    closed = factories.submission(child, user=editor, intent=Intent.DEACTIVATE)
    assert deliver()
    assert steps_of(closed) == ["Back to Lakeside Clinics", "Back to Lakeside North"]
    reactivation = factories.submission(child, user=editor, intent=Intent.REACTIVATE)
    assert deliver()
    assert steps_of(reactivation) == ["Back to Lakeside North", "Repeat in PRODUCTION"]


def test_an_accepted_warning_does_not_ask_for_a_tick() -> None:
    sentence = "This message also sends 1 change made by others: ZIP (Editor Two, May 3)."
    submission = Submission(warnings=[{"key": "others", "value": "ZIP", "text": f"{sentence} Tick to send it now."}])
    assert accepted_warnings(submission) == [sentence]


# Rejected ---------------------------------------------------------------------------------------------------


def test_a_suspected_character_is_marked_and_links_to_its_field(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "says-no-xml", name="Lakeside & North")
    rejection_shown = rejection_of(submission)
    assert rejection_shown.heading == "Rejected by Redox"
    assert rejection_shown.step == ("Edit Name", f"/staging/organizations/{BASE}/edit/#id_name", True)
    assert rejection_shown.suspects == {"Name": "“&” may be the cause"}


def test_without_a_specific_step_the_record_is_edited(practice: PracticeDirectory, editor: User) -> None:
    rejection_shown = rejection_of(send_update(practice, editor, "says-no-destinations"))
    assert rejection_shown.step is not None
    assert rejection_shown.step[:2] == ("Edit Lakeside North", f"/staging/organizations/{BASE}/edit/")


@pytest.mark.parametrize(
    ("behaviour", "step"),
    [
        ("says-no-xml", "Edit Name"),
        ("says-no-parse", "Edit Lakeside & North"),
        ("says-no-duplicate", "Compare with lakeside & north"),
        ("says-no-not-valid", "Review as New"),
        ("says-no-subscriptions", "Open Connection"),
    ],
)
def test_the_record_offers_the_same_step_as_its_rejected_submission(
    practice: PracticeDirectory, editor: User, behaviour: str, step: str
) -> None:
    factories.organization(f"{BASE}.9", user=editor, name="lakeside & north")
    submission = send_update(practice, editor, behaviour, name="Lakeside & North")
    organization = Organization.objects.select_related("last_submission").get(pk=submission.organization_id)
    [box] = to_do.to_do_boxes(organization, can_discard=False)
    assert box.word.word == "Rejected by Redox"
    [primary] = [(act.label, act.url, act.edits) for act in box.acts if act.is_primary]
    assert primary[0] == step
    assert primary == rejection_of(submission).step


def test_after_a_later_submission_only_the_link_back_remains(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "says-no-xml", name="Lakeside & North")
    factories.submission(edit(submission.organization, editor, name="Lakeside North"), user=editor)
    assert rejection_of(fresh(submission)).step is None


def test_other_records_with_the_same_answer_are_named(
    practice: PracticeDirectory, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = factories.organization(f"{BASE}.9", user=editor, name="Ripon & Berlin")
    double = factories.submission(other, user=editor)
    practice.behaviour = "says-no-xml"
    assert deliver()
    practice.behaviour = "answers"
    submission = send_update(practice, editor, "says-no-xml", name="Lakeside & North")
    [found] = rejection_of(submission).same_answers
    assert (found.number, found.name, found.is_counterpart) == (double.pk, "Ripon & Berlin", False)
    with monkeypatch.context() as patched:
        patched.setattr(answers, "NEWEST_REJECTED", 1)  # the newest submission belongs to the record itself
        assert rejection_of(submission).same_answers == ()
    assert rejection_of(send_again(practice, editor, submission)).same_answers == ()


def send_again(practice: PracticeDirectory, editor: User, submission: Submission) -> Submission:
    again = factories.submission(edit(submission.organization, editor, name="Lakeside South"), user=editor)
    practice.behaviour = "says-no-destinations"
    assert deliver()
    return fresh(again)


@pytest.mark.parametrize(
    ("verdict", "heading", "step"),
    [
        (
            Verdict.FOREIGN,
            "Approver One decided that the OID belongs to another organization",
            ("Give Lakeside 1 another OID", f"/staging/organizations/{BASE}/edit/#identity", True),
        ),
        (
            Verdict.OURS,
            "Approver One decided that the OID is ours, with other values",
            ("Review and send", f"/staging/organizations/{BASE}/review/", True),
        ),
    ],
)
def test_a_decision_is_named_and_leads_to_its_next_step(
    practice: PracticeDirectory,
    editor: User,
    approver: User,
    verdict: Verdict,
    heading: str,
    step: tuple[str, str, bool],
) -> None:
    rejection_shown = rejection_of(take_decision(send_foreign(practice, editor), verdict, approver))
    assert (rejection_shown.heading, rejection_shown.step, rejection_shown.explanation) == (heading, step, None)
    assert strip_tags(rejection_shown.sentence).endswith(": “Compared, ticket 12”")


def test_our_record_with_other_values_is_compared_with_the_directory_until_they_are_taken(
    practice: PracticeDirectory, editor: User, approver: User
) -> None:
    submission = send_foreign(practice, editor)
    by_hand = json.loads(bytes(submission.message))["Organizations"][0] | {"Name": "By hand"}
    practice.register("staging", by_hand)
    submission = take_decision(submission, Verdict.OURS, approver)
    assert rejection_of(submission).step == (
        "Compare with the directory",
        f"/staging/organizations/{BASE}/differences/",
        False,
    )
    organization = submission.organization
    differences.take_directory_values(organization.pk, organization.version, reason="Theirs", actor=as_actor(editor))
    assert rejection_of(fresh(submission)).step == ("Review and send", f"/staging/organizations/{BASE}/review/", True)


def test_after_a_not_valid_answer_the_directory_can_be_asked_and_a_person_decides(
    practice: PracticeDirectory, editor: User
) -> None:
    submission = send_update(practice, editor, "says-no-not-valid")
    assert rejection_of(submission).offers_query
    practice.behaviour = "answers"
    query.query_record(submission.organization, actor=as_actor(editor))  # the practice directory has it
    shown = rejection_of(fresh(submission))
    assert shown.step == ("Compare and decide", f"/staging/organizations/{BASE}/differences/", False)


def test_another_rejection_offers_no_query(practice: PracticeDirectory, editor: User) -> None:
    assert not rejection_of(send_update(practice, editor, "says-no-xml")).offers_query


def test_a_later_submission_ends_the_offer_of_a_query(practice: PracticeDirectory, editor: User) -> None:
    submission = send_update(practice, editor, "says-no-not-valid")
    factories.submission(edit(submission.organization, editor, name="Lakeside Pier"), user=editor)
    assert not rejection_of(fresh(submission)).offers_query


def test_a_submission_that_was_given_up_names_the_person(
    practice: PracticeDirectory, editor: User, approver: User
) -> None:
    submission = send_update(practice, editor, "gateway-error")
    factories.change_submission(submission, state=State.NEEDS_PERSON)
    submission = take_decision(submission, Verdict.GIVE_UP, approver)
    rejection_shown = rejection_of(submission)
    assert rejection_shown.heading == "Approver One decided that it did not arrive, and that it is not sent again"
    assert rejection_shown.step is not None
    assert rejection_shown.step.label == "Review and send"
    assert proof.proof_steps(submission, entries_of(submission))[-1].text == (
        "Approver One decided that it did not arrive, and that it is not sent again: “Compared, ticket 12”"
    )
