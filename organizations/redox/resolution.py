"""What the directory's answer says about a message of unknown fate. Pure: two records in, one word out."""

from enum import StrEnum

from organizations.records import OrganizationRecord, readable_fingerprint


class Finding(StrEnum):
    """LANDED: the directory has what was sent. OTHER: it has the OID with other values. ABSENT: it has no such OID.

    UNPROVED: an answer cannot prove it, because a Query does not show all that was sent, or shows the old values.
    """

    LANDED = "landed"
    OTHER = "other"
    ABSENT = "absent"
    UNPROVED = "unproved"


def find(
    event: str, sent: OrganizationRecord, before: OrganizationRecord | None, seen: OrganizationRecord | None
) -> Finding:
    """What one answer means for a New or an Update.

    A New that is found with what was sent has landed. An Update has landed when all of it is found and it changed
    nothing that a Query cannot show: otherwise the old record would look the same. `before` is what Redox had accepted
    when the message was reviewed.
    """
    shows_it = seen is not None and readable_fingerprint(seen) == readable_fingerprint(sent)
    if event == "New":
        if seen is None:
            return Finding.ABSENT
        return Finding.LANDED if shows_it else Finding.OTHER
    return Finding.LANDED if shows_it and not _changes_unreadable(sent, before) else Finding.UNPROVED


def _changes_unreadable(sent: OrganizationRecord, before: OrganizationRecord | None) -> bool:
    """Whether the message changes what no Query shows: the destination ID, endpoints and other carried keys."""
    if before is None or not before.destination_known:
        return True
    return (sent.destination_id, sent.carried) != (before.destination_id, _sent_back(before))


def _sent_back(record: OrganizationRecord) -> tuple[tuple[str, str], ...]:
    return tuple(item for item in record.carried if item[0] in ("Type", "Endpoints"))
