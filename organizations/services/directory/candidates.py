"""The values of a candidate of a take-over: what the directory shows, and what people entered or pasted."""

from organizations.models import Candidate, CandidateState, DestinationSource
from organizations.models.organization import NAME_LENGTH, OID_LENGTH
from organizations.records import ENDPOINTS, ENDPOINTS_LEFT_OUT, OrganizationRecord, canonical
from organizations.services.records import row_limits
from organizations.services.records.organizations import KnownDestination


def set_seen(candidate: Candidate, record: OrganizationRecord) -> None:
    """Set the candidate's fields from the directory's record. The caller saves it.

    The candidate is found, or refused if the columns of a record cannot store these values.
    """
    candidate.sentence = row_limits.storage_block_reason(record)
    candidate.state = CandidateState.REFUSED if candidate.sentence else CandidateState.FOUND
    candidate.seen = canonical(record)
    candidate.name, candidate.active = record.name[:NAME_LENGTH], record.active
    # A longer PartOf is not an OID.
    candidate.part_of_oid = record.part_of_oid if len(record.part_of_oid) <= OID_LENGTH else ""


def known_destination(candidate: Candidate) -> KnownDestination | None:
    """The destination ID that somebody entered, and how they know it; None if nobody did."""
    if candidate.destination_source not in DestinationSource.values:
        return None
    return KnownDestination(candidate.destination_id, candidate.destination_source)


def message_endpoints(candidate: Candidate) -> dict[str, str]:
    """The endpoints in the old message, and what was left out of them, by carried key. A Query never shows them."""
    message = candidate.message_record()
    carried = message.carried if message else ()
    return {key: text for key, text in carried if key in (ENDPOINTS, ENDPOINTS_LEFT_OUT)}
