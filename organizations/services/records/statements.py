"""Statements of people that an OID was registered outside the portal, which no answer of Redox proves."""

from collections.abc import Callable

from organizations.models import Action, Basis, Organization, Presence, clock
from organizations.services.actors import Actor
from organizations.services.audit import audit
from organizations.services.errors import ActionRefused
from organizations.services.records import directory_state, organizations


def state_registered(organization_id: int, *, reason: str, actor: Actor, oid: str = "") -> Organization:
    """Store a person's statement that the OID was registered outside the portal, without an answer from Redox.

    `oid`: the OID that the page showed; "" if it showed none.

    Raises:
        ActionRefused: there is a `statement_block_reason`, no reason was given, or the record has another OID now.
    """
    with audit.atomic(actor) as history:
        organization = _lock_for_statement(organization_id, statement_block_reason, oid)
        if not reason.strip():
            raise ActionRefused("Say how you know that it is registered.")
        organization.presence, organization.presence_basis = Presence.PRESENT, Basis.STATED
        organization.presence_at, organization.presence_reason = clock.now(), reason
        if not organization.destination_id:
            # It may have one, which an Update with an empty one would remove.
            organization.destination_known = False
        directory_state.update_derived_columns(organization)
        organization.save()
        history.log_record(Action.ORGANIZATION_STATED, organization, reason=reason)
    return organization


def take_back_statement(organization_id: int, *, reason: str, actor: Actor, oid: str = "") -> Organization:
    """Withdraw the statement that the OID was registered outside the portal: the record counts again as not registered.

    What the directory showed since then stays. If it showed the OID, a person decides whose it is.

    Raises:
        ActionRefused: there is a `take_back_block_reason`, no reason was given, or the record has another OID now.
    """
    with audit.atomic(actor) as history:
        organization = _lock_for_statement(organization_id, take_back_block_reason, oid)
        if not reason.strip():
            raise ActionRefused("Say why it is not registered after all.")
        organization.destination_known = True  # a New sends what is saved here
        directory_state.forget_statement(organization)
        history.log_record(Action.ORGANIZATION_UNSTATED, organization, reason=reason)
    return organization


def statement_block_reason(organization: Organization) -> str:
    """Why nobody can state that the OID was registered outside the portal, as a sentence; "" if somebody can."""
    if not organizations.nothing_was_sent(organization):
        return "A message of this record was already made. Its page shows what happened to it."
    if organization.is_foreign:
        return "Somebody decided that this OID belongs to another organization."
    if organization.is_there_unclaimed:
        return "The directory already shows this OID. Compare, and decide whose it is."
    if organization.presence != Presence.NEVER:
        return "The next message of this record is an Update already."
    return ""


def take_back_block_reason(organization: Organization) -> str:
    """Why no statement can be withdrawn, as a sentence; "" if it can."""
    if organization.presence != Presence.PRESENT or not organization.presence_reason:
        return "Nobody stated that this OID was registered outside the portal."
    if not organizations.nothing_was_sent(organization):
        return "A message of this record was made by this statement. It cannot be withdrawn any more."
    if organization.taken:
        return "Values of the directory were saved since then. This statement cannot be withdrawn any more."
    return ""


def _lock_for_statement(organization_id: int, block_reason: Callable[[Organization], str], oid: str) -> Organization:
    organization = organizations.lock_record_for_person(organization_id)
    if oid and organization.oid != oid:
        raise ActionRefused(f"This record has the OID {organization.oid} now.")
    if sentence := block_reason(organization):
        raise ActionRefused(sentence)
    return organization
