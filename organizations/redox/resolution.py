"""What the directory's answer proves about an unknown message. Pure: it compares records and returns a `Proof`."""

from enum import Enum, auto

from organizations.records import OrganizationRecord, readable_fingerprint, sent_back


class Proof(Enum):
    """What one understood answer of the directory proves.

    SHOWN: the message took effect. CONFIRMED: it took effect, by this answer together with Redox's own. OTHER: the OID
    of a New is registered with other values. ABSENT: the OID of a New is not registered. UNPROVED: the answer proves
    nothing. An answer without the OID of an Update proves nothing either.
    """

    SHOWN = auto()
    CONFIRMED = auto()
    OTHER = auto()
    ABSENT = auto()
    UNPROVED = auto()


def judge_directory_answer(
    event: str,
    sent: OrganizationRecord,
    before: OrganizationRecord | None,
    seen: OrganizationRecord | None,
    *,
    has_undocumented_success: bool = False,
) -> Proof:
    """What the answer `seen` proves about a New or an Update. `seen` is None if the directory does not know the OID.

    A record that means the same as `sent` proves a New, unless the record `before` meant the same (None: there was
    none). It proves an Update only if the message changes a field that a Query shows and none that a Query cannot show:
    otherwise the old record would look the same. `before` is the newest knowledge of each field at the review.
    `has_undocumented_success`: Redox answered 2xx without errors, in words that it does not document. Then a record
    that means the same is enough.
    """
    if seen is None:
        return Proof.ABSENT if event == "New" else Proof.UNPROVED
    if readable_fingerprint(seen) != readable_fingerprint(sent):
        return Proof.OTHER if event == "New" else Proof.UNPROVED
    if has_undocumented_success:
        return Proof.CONFIRMED
    return Proof.SHOWN if can_be_proved(event, sent, before) else Proof.UNPROVED


def can_be_proved(event: str, sent: OrganizationRecord, before: OrganizationRecord | None) -> bool:
    """Whether a Query alone can prove this message: it shows a change, and all changes can be shown."""
    if before is None:
        return event == "New"
    return changes_readable(sent, before) and (event == "New" or not _changes_unreadable(sent, before))


def changes_readable(sent: OrganizationRecord, before: OrganizationRecord) -> bool:
    """Whether a Query shows a difference between the record after the message and the one before."""
    return readable_fingerprint(before) != readable_fingerprint(sent)


def _changes_unreadable(sent: OrganizationRecord, before: OrganizationRecord) -> bool:
    """Whether the message changes something that no Query shows: the destination ID, endpoints, other carried keys."""
    if not before.destination_known:
        return True
    return (sent.destination_id, sent.carried) != (before.destination_id, sent_back(before))
