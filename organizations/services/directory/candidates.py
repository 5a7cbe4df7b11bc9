"""Puts what the directory showed into a candidate of a take-over."""

from organizations.models import Candidate, CandidateState
from organizations.models.organization import NAME_LENGTH, OID_LENGTH
from organizations.records import OrganizationRecord, canonical
from organizations.services.records import row_limits


def show(candidate: Candidate, record: OrganizationRecord) -> None:
    """Put what the directory showed into the candidate, without saving: found, or refused if no row can hold it."""
    candidate.sentence = row_limits.storage_block_reason(record)
    candidate.state = CandidateState.REFUSED if candidate.sentence else CandidateState.FOUND
    candidate.seen = canonical(record)
    candidate.name, candidate.active = record.name[:NAME_LENGTH], record.active
    # A longer PartOf is not an OID.
    candidate.part_of_oid = record.part_of_oid if len(record.part_of_oid) <= OID_LENGTH else ""
