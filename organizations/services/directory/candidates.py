"""Sets what the directory shows about a candidate of a take-over."""

from organizations.models import Candidate, CandidateState
from organizations.models.organization import NAME_LENGTH, OID_LENGTH
from organizations.records import OrganizationRecord, canonical
from organizations.services.records import row_limits


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
