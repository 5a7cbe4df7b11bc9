"""Each place that shows the result of a decision names the decision."""

from django.utils.html import strip_tags

from organizations.models import AuditEntry, Organization, State, Submission, User, Verdict
from organizations.pages.home import overview
from organizations.pages.record import to_do
from organizations.pages.submission import rejection
from organizations.services.delivery import decide
from organizations.text import sentences
from tests import factories
from tests.pages.sending import entries_of, send_foreign, send_update, take_decision


def box_of(submission: Submission) -> str:
    organization = Organization.objects.select_related("last_submission").get(pk=submission.organization_id)
    [box] = [box for box in to_do.to_do_boxes(organization, can_discard=False) if box.key == "rejected"]
    return strip_tags(box.sentence)


def line_of(submission: Submission, editor: User) -> str:
    [line] = [line for line in overview.build(editor).for_you if line.kind == "rejected"]
    return line.places[0].text


def test_the_decision_is_named_on_submission_record_home_and_in_the_history(practice, editor, approver):
    submission = take_decision(send_foreign(practice, editor), Verdict.OURS, approver)
    decision = "that the OID is ours, with other values"
    heading = rejection.rejection(submission, entries_of(submission), None).heading
    assert heading == f"Approver One decided {decision}"
    box = box_of(submission)
    assert box.startswith(f"Submission {submission.pk} is rejected: Approver One decided on ")
    assert box.endswith(f" {decision}. Reason: “Compared, ticket 12”.")
    assert line_of(submission, editor) == f"Approver One decided {decision}: Compared, ticket 12."
    sentence = sentences.sentence_of(entries_of(submission)[-1]).text
    assert sentence.startswith(
        f"Approver One ({approver.username}) decided that the OID of Lakeside 1 is ours, with other values; "
    )


def test_a_decision_of_an_earlier_release_is_not_guessed(practice, editor, approver):
    submission = send_update(practice, editor, "gateway-error")
    factories.change_submission(submission, state=State.NEEDS_PERSON)
    submission = take_decision(submission, Verdict.GIVE_UP, approver)
    entry = entries_of(submission)[-1]
    body = bytes(entry.body).replace(b',"verdict":"give_up"', b"")
    AuditEntry.objects.filter(pk=entry.pk).update(body=body)
    assert decide.last_verdicts([submission]) == {}
    heading = rejection.rejection(submission, entries_of(submission), None).heading
    assert heading == "Rejected by decision of Approver One"
    assert f"Submission {submission.pk} was rejected by decision of Approver One, " in box_of(submission)
    assert line_of(submission, editor) == "Approver One decided: Compared, ticket 12."
