"""What the directory's answer proves about a message of unknown fate. Pure: records in, one word out."""

from enum import StrEnum

from organizations.records import OrganizationRecord, readable_fingerprint


class Proof(StrEnum):
    """What one understood answer means.

    SHOWN: it proves that the message took effect. CONFIRMED: it does so together with Redox's own answer. OTHER: the
    OID of a New is there with other values. ABSENT: it is not there. UNPROVED: the answer cannot tell.
    """

    SHOWN = "shown"
    CONFIRMED = "confirmed"
    OTHER = "other"
    ABSENT = "absent"
    UNPROVED = "unproved"


def judge_directory_answer(
    event: str,
    sent: OrganizationRecord,
    before: OrganizationRecord | None,
    seen: OrganizationRecord | None,
    *,
    was_told_success: bool = False,
) -> Proof:
    """What one answer proves for a New or an Update.

    A New is proved by a record that means the same, unless what was there `before` (None: nothing) meant the same too.
    An Update is proved by it only if the message changes nothing that a Query cannot show and at least one field
    visibly: otherwise the old record would look the same. `before` is the newest knowledge of each field at the review.
    `was_told_success`: Redox answered 2xx without errors in words that it does not document; then a record that means
    the same is enough.
    """
    if seen is None:
        return Proof.ABSENT if event == "New" else Proof.UNPROVED
    if readable_fingerprint(seen) != readable_fingerprint(sent):
        return Proof.OTHER if event == "New" else Proof.UNPROVED
    if was_told_success:
        return Proof.CONFIRMED
    return Proof.SHOWN if can_be_proved(event, sent, before) else Proof.UNPROVED


def can_be_proved(event: str, sent: OrganizationRecord, before: OrganizationRecord | None) -> bool:
    """Whether a Query alone can prove this message: it shows the change, and nothing changes that it does not show."""
    if before is None:
        return event == "New"
    return changes_readable(sent, before) and (event == "New" or not _changes_unreadable(sent, before))


def changes_readable(sent: OrganizationRecord, before: OrganizationRecord) -> bool:
    """Whether a Query shows the record before and after in ways that do not mean the same."""
    return readable_fingerprint(before) != readable_fingerprint(sent)


def _changes_unreadable(sent: OrganizationRecord, before: OrganizationRecord) -> bool:
    """Whether the message changes what no Query shows: the destination ID, endpoints and other carried keys."""
    if not before.destination_known:
        return True
    return (sent.destination_id, sent.carried) != (before.destination_id, _sent_back(before))


def _sent_back(record: OrganizationRecord) -> tuple[tuple[str, str], ...]:
    return tuple(item for item in record.carried if item[0] in ("Type", "Endpoints"))
