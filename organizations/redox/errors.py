"""Explains an outcome in plain words: headline, cause and the one next step.

The words follow from the outcome. They never decide a submission's state.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from organizations.characters import XML_SPECIAL
from organizations.records import OrganizationRecord, difference
from organizations.redox.environment import (
    ENVIRONMENTS,
    ORGANIZATION_ROUTING,
    OAuthCredential,
    RedoxEnvironment,
    TokenCredential,
)

from .auth import ASSERTION_REFUSED, KEY_ID_MISSING, KEY_UNKNOWN
from .client import Fault
from .outcome import ABSENT, OTHER_OID, Kind, Outcome

ALLOWED_CLOCK_DIFFERENCE = 10.0
"""Seconds by which Redox allows the clock of the assertion's sender to differ."""


class Explanation(NamedTuple):
    """`step` is the label of the button and `step_key` what it does. A step without a key is a sentence, not a button.

    `anchor` is the section of the record's form that the step leads to; `field` is the field in it, or "".
    """

    headline: str
    cause: str
    step: str = ""
    step_key: str = ""
    anchor: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationContext:
    """The facts for an explanation besides the outcome.

    `record` was sent, to the routing ID `routing_id` ("": the environment's). `duplicates` are the names of our records
    with the same name or address. `at` is a time as text: of our earlier message, of the end of a wait, or of the next
    attempt. `clock_difference` is as in `TokenAnswer`.
    """

    environment: RedoxEnvironment
    record: OrganizationRecord | None = None
    routing_id: str = ""
    deactivates: bool = False
    duplicates: tuple[str, ...] = ()
    message_bytes: int = 0
    at: str = ""
    clock_difference: float | None = None


class SuspectCharacter(NamedTuple):
    """A character that may break the XML, and the field that holds it."""

    label: str
    character: str
    anchor: str
    field: str


def suspect_characters(record: OrganizationRecord) -> tuple[SuspectCharacter, ...]:
    """Each field with a suspected character, in the order of the form, each character once."""
    return tuple(
        SuspectCharacter(each.label, character, each.anchor, each.field)
        for each in difference(None, record)
        for character in XML_SPECIAL
        if character in each.after
    )


_CONNECTION = ("Open Connection", "open_connection")
_SUPPORT = ("Copy for Redox support", "copy_for_support")

EXPLANATIONS: dict[str, Explanation] = {
    "accepted": Explanation("Redox accepted the message.", "{text}"),
    "other_oid": Explanation(
        "Redox accepted the message.",
        "Redox's answer names the OID {answered}, not the one sent. Redox's own example does that too. "
        "Ask the directory if in doubt.",
    ),
    "already_exists": Explanation(
        "Redox says that this OID is already in the directory of {environment}.",
        "It was registered before, by us or by somebody else. Deactivated records count as well.",
        "Compare with the directory",
        "compare",
    ),
    "already_exists_after_unknown": Explanation(
        "The OID is in the directory now; probably our message{of_time} arrived.",
        "An answer was lost.",
        "The portal compares automatically",
    ),
    "already_exists_to_update": Explanation(
        "Redox rejected this Update with its answer to a New.",
        "“Already exists” is documented for a New whose OID is in the directory; this was an Update. So the OID is "
        "in the directory of {environment}, and this Update did not take effect.",
        *_SUPPORT,
    ),
    "is_not_valid_to_new": Explanation(
        "Redox does not accept this OID in {environment}.",
        "“Is not valid” is documented for an Update of an OID that is not in the directory. This was a New. "
        "The OID may have an error, or Redox may have issued it for {other}.",
        "Edit OID",
        "edit",
        "identity",
        "oid",
    ),
    "is_not_valid": Explanation(
        "Redox says that this OID is not in the directory of {environment}.",
        "An Update needs a registered record. It may be registered only in {other}, or it was removed from "
        "{environment}.",
        "Review as New",
        "review_as_new",
    ),
    "nothing_to_deactivate": Explanation(
        "There is nothing to deactivate.",
        "Redox says that this OID is not in the directory of {environment}.",
        "Mark as not registered",  # no page offers this: the portal has done it already
        "mark_not_registered",
    ),
    "parse_failed": Explanation(
        "Redox could not pass the record on.",
        "Redox names these causes: no identifier, no valid type, no contact, or an endpoint without a name. "
        "The OID was sent.{contact}",
        *_SUPPORT,
    ),
    "xml_error": Explanation(
        "The directory could not read the message.",
        "Redox gives no reason.{special}",
        *_SUPPORT,
    ),
    "duplicate_business": Explanation(
        "Redox found a duplicate.", "Redox does not name the other record.{duplicates}", *_SUPPORT
    ),
    "no_subscriptions": Explanation(
        "Redox does not let this credential write to this directory.",
        "The routing ID sent was {routing}.",
        *_CONNECTION,
    ),
    "several_destinations": Explanation(
        "The message named more than one destination.",
        "The portal always sends one. This is an error in the portal or in a system between it and Redox.",
        *_SUPPORT,
    ),
    "repository_required": Explanation(
        "Redox documents this answer for patient searches.",
        "The organization asked for is deactivated or does not answer requests.",
        *_SUPPORT,
    ),
    "unauthorized": Explanation(
        "Redox did not accept the sign-in or the message's Meta.",
        "This is about the connection, not about this record: Meta is the same in every message. "
        "The credential was changed or removed, or the source ID is missing.",
        *_CONNECTION,
    ),
    "not_found": Explanation(
        "Redox found nothing at this address.",
        "Redox documents it for patients and documents only. Probably the address is wrong.",
        *_CONNECTION,
    ),
    "wrong": Explanation("Redox says the message is wrong.", "{as_it_wrote}", *_SUPPORT),
    "too_large": Explanation(
        "Redox says the message is too large.", "It has {bytes} bytes.", "Edit the record", "edit_record"
    ),
    "too_many": Explanation(
        "Too many requests from our address.",
        "This one was not processed. Nothing is sent to {environment}{until_time}.",
        "Sending resumes automatically",
    ),
    "redirected": Explanation(
        "Redox's address answered with a redirect.",
        "The portal does not follow a redirect, here to {text}. Check the proxy and the address setting.",
        *_CONNECTION,
    ),
    "unknown": Explanation("We do not know whether this arrived.", "{how_lost}"),
    "other_text": Explanation("Redox rejected this with words that the portal does not know.", "'{text}'", *_SUPPORT),
    "unreachable": Explanation(
        "Redox could not be reached. Nothing was sent.", "{host} {did_not_answer}.{next_attempt}"
    ),
    "worker": Explanation("The worker was delayed or stopped. Nothing was sent.", "Cause: {text}.{next_attempt}"),
    "closed": Explanation("Sending was blocked before this message left. Nothing was sent.", "{text}{next_attempt}"),
    "no_token": Explanation("Redox gave no access token. Nothing was sent.", "{text}.{next_attempt}"),
    "certificate": Explanation(
        "The other side could not prove that it is Redox. Nothing was sent.", "{text}; {host}.", *_CONNECTION
    ),
    "address": Explanation("The address of Redox cannot be used. Nothing was sent.", "{text}; {host}.", *_CONNECTION),
    "settings": Explanation(
        "The message was made for other settings. Nothing was sent.", "Cause: {text}.", *_CONNECTION
    ),
    KEY_UNKNOWN: Explanation(
        "Redox does not know our key.",
        "Client {client}, key {key}. The public key is not in the dashboard, or in another Redox environment.",
        "Show public key",
        "show_public_key",
    ),
    KEY_ID_MISSING: Explanation("The key has no name.", "KEY_ID is empty.", *_CONNECTION),
    ASSERTION_REFUSED: Explanation("Redox did not accept our assertion.", "{assertion}", *_CONNECTION),
    "token_fixed": Explanation(
        "The fixed access token has expired.",
        "Redox's tokens last minutes or hours. Fixed tokens are for trials.",
        *_CONNECTION,
    ),
}
"""The explanations by key. `_facts` gives the values in braces."""

_BY_STATUS = {400: "wrong", 404: "not_found", 405: "wrong", 413: "too_large", 415: "wrong", 422: "wrong"}
_NOT_SENT = {
    Fault.CERTIFICATE: "certificate",
    Fault.ADDRESS: "address",
    Fault.HELD_UP: "worker",
    Fault.STOPPED: "worker",
    Fault.BLOCKED: "closed",
}
_DID_NOT_ANSWER = {Fault.NAME: "was not found", Fault.REFUSED: "refused the connection"}


def explain(outcome: Outcome, context: ExplanationContext) -> Explanation:
    """Headline, cause and next step for one outcome."""
    explanation = _with_step(EXPLANATIONS[_explanation_key(outcome, context)], outcome, context)
    facts = _facts(outcome, context)
    headline, cause = explanation.headline.format_map(facts), explanation.cause.format_map(facts).strip()
    return explanation._replace(headline=headline, cause=cause)


def _explanation_key(outcome: Outcome, context: ExplanationContext) -> str:
    match outcome.kind:
        case Kind.ACCEPTED:
            return "other_oid" if outcome.warning == OTHER_OID else "accepted"
        case Kind.UNKNOWN:
            return "already_exists_after_unknown" if outcome.known else "unknown"
        case Kind.NEEDS_PERSON:
            return outcome.known or "settings"
        case Kind.NOT_SENT:
            return _NOT_SENT.get(outcome.fault, "unreachable") if outcome.fault else "no_token"
        case Kind.NOT_EXECUTED:
            return _not_executed_key(outcome, context)
        case Kind.REJECTED:
            return _rejected_key(outcome, context)


def _not_executed_key(outcome: Outcome, context: ExplanationContext) -> str:
    if outcome.hold_seconds is not None:
        return "too_many"
    if outcome.status is not None and 300 <= outcome.status <= 399:
        return "redirected"
    if isinstance(context.environment.credential, TokenCredential):
        return "token_fixed"
    return outcome.known if outcome.known in EXPLANATIONS else "unauthorized"


def _rejected_key(outcome: Outcome, context: ExplanationContext) -> str:
    if outcome.presence == ABSENT:
        return "nothing_to_deactivate" if context.deactivates else "is_not_valid"
    if outcome.known in {"already_exists", "is_not_valid"}:
        # If the event were the documented one, `classify` would have set another kind or a presence.
        return "already_exists_to_update" if outcome.known == "already_exists" else "is_not_valid_to_new"
    by_status = _BY_STATUS.get(outcome.status or 0, "other_text" if outcome.detail else "wrong")
    return outcome.known or by_status


def _with_step(row: Explanation, outcome: Outcome, context: ExplanationContext) -> Explanation:
    """The explanation with the step that corrects this record, if there is one."""
    record = context.record
    if outcome.known == "parse_failed" and record and not record.contacts:
        return row._replace(step="Edit contacts", step_key="edit", anchor="contacts")
    if outcome.known == "xml_error" and record and (suspects := suspect_characters(record)):
        first = suspects[0]
        return row._replace(step=f"Edit {first.label}", step_key="edit", anchor=first.anchor, field=first.field)
    if outcome.known == "duplicate_business" and context.duplicates:
        return row._replace(step=f"Compare with {context.duplicates[0]}", step_key="compare_record")
    return row


def _facts(outcome: Outcome, context: ExplanationContext) -> dict[str, str]:
    environment, at = context.environment, context.at
    credential = environment.credential
    oauth = credential if isinstance(credential, OAuthCredential) else None
    return {
        "environment": environment.name.upper(),
        "other": next(name for name in ENVIRONMENTS if name != environment.name).upper(),
        "text": outcome.detail,
        "answered": outcome.answered_oid,
        "host": urlsplit(environment.base_url).hostname or environment.base_url,
        "did_not_answer": _DID_NOT_ANSWER.get(outcome.fault, "did not answer") if outcome.fault else "",
        "of_time": f" of {at}" if at else "",
        "until_time": f" until {at}" if at else "",
        "next_attempt": f" Next attempt {at}." if at else "",
        "bytes": f"{context.message_bytes:,}",
        "client": oauth.client_id if oauth else "",
        "key": oauth.key_id if oauth else "",
        **{name: words(outcome, context) for name, words in _CLAUSES.items()},
    }


def _contact(outcome: Outcome, context: ExplanationContext) -> str:
    return " This record has no contact." if context.record and not context.record.contacts else ""


def _special(outcome: Outcome, context: ExplanationContext) -> str:
    suspects = suspect_characters(context.record) if context.record else ()
    places = ", ".join(f"'{one.character}' in {one.label}" for one in suspects)
    return f" Special characters are suspected: {places}." if places else ""


def _duplicates(outcome: Outcome, context: ExplanationContext) -> str:
    if not context.duplicates:
        return ""
    return f" These records have the same name or address: {', '.join(context.duplicates)}."


def _routing(outcome: Outcome, context: ExplanationContext) -> str:
    name = context.environment.name
    routing_id = context.routing_id or context.environment.routing_id
    if routing_id == ORGANIZATION_ROUTING[name]:
        description = f"the one for {name.upper()} organizations in Redox's table"
        conclusion = "the subscription is missing or the credential belongs to another Redox environment"
    else:
        description, conclusion = "NOT in Redox's table", "the setting is wrong"
    return f"{routing_id}, {description}. So {conclusion}"


def _as_it_wrote(outcome: Outcome, context: ExplanationContext) -> str:
    return f"Redox wrote: '{outcome.detail}'." if outcome.detail else "Redox gives no reason."


def _how_lost(outcome: Outcome, context: ExplanationContext) -> str:
    if outcome.fault is Fault.DEADLINE:
        return "The answer did not come in time."
    if outcome.fault is Fault.STOPPED:
        return "The worker that sent it was stopped before an answer came."
    if outcome.fault in {None, Fault.SIZE} and outcome.status is not None:
        # It may come from a gateway between the portal and Redox.
        return f"The answer, HTTP {outcome.status}, neither accepts nor rejects it."
    if outcome.fault is None:
        return "The worker that sent it ended before an answer was stored."
    return "The connection broke before an answer."


def _assertion(outcome: Outcome, context: ExplanationContext) -> str:
    seconds = abs(context.clock_difference or 0.0)
    if seconds > ALLOWED_CLOCK_DIFFERENCE:
        return f"This machine's clock differs from Redox's by {seconds:.0f} seconds; up to 10 are allowed."
    if outcome.detail:
        return _as_it_wrote(outcome, context)
    return "Redox gives no reason; check address, algorithm, clock."


_CLAUSES: dict[str, Callable[[Outcome, ExplanationContext], str]] = {
    "contact": _contact,
    "special": _special,
    "duplicates": _duplicates,
    "routing": _routing,
    "as_it_wrote": _as_it_wrote,
    "how_lost": _how_lost,
    "assertion": _assertion,
}
