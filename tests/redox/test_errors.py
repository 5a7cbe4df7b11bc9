"""The explanation of each outcome, with the step that corrects the record."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.records import AddressRecord, ContactRecord, OrganizationRecord
from organizations.redox import auth, errors, outcome
from organizations.redox.client import Fault
from organizations.redox.environment import (
    ORGANIZATION_ROUTING,
    PRODUCTION,
    STAGING,
    ApiKeyCredential,
    OAuthCredential,
    RedoxEnvironment,
    TokenCredential,
)
from organizations.redox.errors import Explanation, ExplanationContext, SuspectCharacter, explain, suspect_characters
from organizations.redox.outcome import Kind, Outcome

OAUTH = OAuthCredential(client_id="client-1", key_id="key-1", private_key="")
HERE = RedoxEnvironment(name=STAGING, routing_id=ORGANIZATION_ROUTING[STAGING], credential=OAUTH)
RECORD = OrganizationRecord(
    oid="2.16.840.1.113883.3.6147.458.99999.1.1.1.1",
    name="Lakeside Clinics",
    contacts=(ContactRecord(name="Editor One", email_addresses=("desk@lakeside.example",)),),
)
SUPPORT = ("Copy for Redox support", "copy_for_support")
CONNECTION = ("Open Connection", "open_connection")
NO_STEP, NEXT = ("", ""), "Next attempt 14:08."
REDIRECT = "The portal does not follow a redirect, here to elsewhere.example. Check the proxy and the address setting."


def words(explanation: Outcome, **context: object) -> Explanation:
    return explain(explanation, ExplanationContext(**{"environment": HERE, "record": RECORD, **context}))  # type: ignore[arg-type]


def rejected(known: str = "", status: int = 403, detail: str = "As it came.", presence: str = "") -> Outcome:
    return Outcome(kind=Kind.REJECTED, known=known, status=status, detail=detail, presence=presence)


def not_executed(status: int, known: str = "", detail: str = "", hold_seconds: float | None = None) -> Outcome:
    return Outcome(kind=Kind.NOT_EXECUTED, status=status, known=known, detail=detail, hold_seconds=hold_seconds)


def not_sent(fault: Fault | None, detail: str = "") -> Outcome:
    return Outcome(kind=Kind.NOT_SENT, fault=fault, detail=detail)


def unknown(status: int | None = None, fault: Fault | None = None, known: str = "") -> Outcome:
    return Outcome(kind=Kind.UNKNOWN, status=status, fault=fault, known=known)


def test_an_oid_that_exists_is_compared() -> None:
    explanation = words(Outcome(kind=Kind.NEEDS_PERSON, known="already_exists", status=403))
    assert explanation[:4] == (
        "Redox says that this OID is already in the directory of STAGING.",
        "It was registered before, by us or by somebody else. Deactivated records count as well.",
        "Compare with the directory",
        "compare",
    )
    explanation = words(unknown(403, known="already_exists"), at="14:03")
    assert explanation[:4] == (
        "The OID is in the directory now; probably our message of 14:03 arrived.",
        "An answer was lost.",
        "The portal compares automatically",
        "",
    )


def test_an_unknown_oid_offers_a_new_or_needs_no_deactivation() -> None:
    absent = rejected("is_not_valid", presence=outcome.ABSENT)
    cause = (
        "An Update needs a registered record. It may be registered only in PRODUCTION, or it was removed from STAGING."
    )
    lacking = "Redox says that this OID is not in the directory of STAGING."
    assert words(absent)[:4] == (
        "Redox says that this OID is not in the directory of STAGING.",
        cause,
        "Review as New",
        "review_as_new",
    )
    assert words(absent, deactivates=True)[:4] == (
        "There is nothing to deactivate.",
        lacking,
        "Mark as not registered",
        "mark_not_registered",
    )


def test_a_record_without_a_contact_offers_to_add_one() -> None:
    causes = "no identifier, no valid type, no contact, or an endpoint without a name"
    cause = f"Redox names these causes: {causes}. The OID was sent."
    explanation = words(rejected("parse_failed"))
    assert explanation[:4] == ("Redox could not pass the record on.", cause, *SUPPORT)
    explanation = words(rejected("parse_failed"), record=OrganizationRecord(name="Lakeside Clinics"))
    assert explanation.cause == f"{cause} This record has no contact."
    assert explanation[2:] == ("Edit contacts", "edit", "contacts", "")
    assert words(rejected("parse_failed"), record=None).cause == cause


def test_a_suspicious_character_is_named_with_its_field() -> None:
    explanation = words(rejected("xml_error", 500))
    headline = "The directory could not read the message."
    assert explanation[:4] == (headline, "Redox gives no reason.", *SUPPORT)
    assert words(rejected("xml_error", 500), record=RECORD).cause == "Redox gives no reason."
    record = OrganizationRecord(name="Lakeside & Sons", address=AddressRecord(street="1 <Shore> Rd"))
    explanation = words(rejected("xml_error", 500), record=record)
    assert explanation.cause == (
        "Redox gives no reason. Special characters are suspected: '&' in Name, '<' in Street, '>' in Street."
    )
    assert explanation[2:] == ("Edit Name", "edit", "identity", "name")
    assert words(rejected("repository_required"), record=record, duplicates=("Lakeside North",))[2:4] == SUPPORT


def test_each_field_with_an_xml_character_is_suspicious() -> None:
    assert suspect_characters(RECORD) == ()
    assert suspect_characters(OrganizationRecord(name="A & B & C", aliases=("<x",))) == (
        SuspectCharacter("Name", "&", "identity", "name"),
        SuspectCharacter("Aliases", "<", "identity", "aliases"),
    )


def test_a_possible_duplicate_is_named() -> None:
    explanation = words(rejected("duplicate_business", 500))
    assert explanation[:4] == ("Redox found a duplicate.", "Redox does not name the other record.", *SUPPORT)
    explanation = words(rejected("duplicate_business", 500), duplicates=("Lakeside North", "Lakeside East"))
    assert explanation[:4] == (
        "Redox found a duplicate.",
        (
            "Redox does not name the other record. "
            "These records have the same name or address: Lakeside North, Lakeside East."
        ),
        "Compare with Lakeside North",
        "compare_record",
    )


def test_for_a_missing_subscription_the_text_says_whether_the_routing_id_is_right() -> None:
    explanation = words(rejected("no_subscriptions"))
    cause = (
        "The routing ID sent was a07afe3b-d247-4415-827f-6837707e1b8b, the one for STAGING organizations in Redox's "
        "table. So the subscription is missing or the credential belongs to another Redox environment."
    )
    assert explanation[:4] == ("Redox does not let this credential write to this directory.", cause, *CONNECTION)
    elsewhere = RedoxEnvironment(name=STAGING, routing_id="11111111-2222-4333-8444-555555555555")
    explanation = words(rejected("no_subscriptions"), environment=elsewhere)
    assert explanation.cause == (
        "The routing ID sent was 11111111-2222-4333-8444-555555555555, NOT in Redox's table. So the setting is wrong."
    )


def test_the_routing_id_is_that_of_the_message_not_the_one_set_now() -> None:
    elsewhere = RedoxEnvironment(name=STAGING, routing_id="11111111-2222-4333-8444-555555555555")
    explanation = words(rejected("no_subscriptions"), environment=elsewhere, routing_id=ORGANIZATION_ROUTING[STAGING])
    assert explanation.cause.startswith(
        "The routing ID sent was a07afe3b-d247-4415-827f-6837707e1b8b, the one for STAGING "
    )


AS_IT_WROTE = "Redox wrote: 'It's {odd}.'."
HEAD = (
    "This is about the connection, not about this record: Meta is the same in every message. "
    "The credential was changed or removed, or the source ID is missing."
)
ROWS = [
    (
        rejected("several_destinations", 400),
        "The message named more than one destination.",
        "The portal always sends one. This is an error in the portal or in a system between it and Redox.",
        SUPPORT,
    ),
    (
        rejected("repository_required"),
        "Redox documents this answer for patient searches.",
        "The organization asked for is deactivated or does not answer requests.",
        SUPPORT,
    ),
    (not_executed(401), "Redox did not accept the sign-in or the message's Meta.", HEAD, CONNECTION),
    (
        rejected(status=404),
        "Redox found nothing at this address.",
        "Redox documents it for patients and documents only. Probably the address is wrong.",
        CONNECTION,
    ),
    *[
        (rejected(status=status, detail="It's {odd}."), "Redox says the message is wrong.", AS_IT_WROTE, SUPPORT)
        for status in (400, 405, 415, 422)
    ],
    (rejected(status=403, detail=""), "Redox says the message is wrong.", "Redox gives no reason.", SUPPORT),
    (
        rejected(status=413),
        "Redox says the message is too large.",
        "It has 2,048 bytes.",
        ("Edit the record", "edit_record"),
    ),
    (
        not_executed(429, hold_seconds=300),
        "Too many requests from our address.",
        "This one was not processed. Nothing is sent to STAGING until 14:08.",
        ("Sending resumes automatically", ""),
    ),
    (
        rejected(status=403, detail="We do not like {it}."),
        "Redox rejected this with words that the portal does not know.",
        "'We do not like {it}.'",
        SUPPORT,
    ),
    (
        rejected("already_exists", detail="1.2 already exists."),
        "Redox rejected this Update with its answer to a New.",
        (
            "“Already exists” is documented for a New whose OID is in the directory; this was an Update. So the OID is "
            "in the directory of STAGING, and this Update did not take effect."
        ),
        SUPPORT,
    ),
    (
        rejected("is_not_valid", detail="id: 1.2 is not valid."),
        "Redox does not accept this OID in STAGING.",
        (
            "“Is not valid” is documented for an Update of an OID that is not in the directory. This was a New. "
            "The OID may have an error, or Redox may have issued it for PRODUCTION."
        ),
        ("Edit OID", "edit"),
    ),
    *(
        (
            not_sent(fault),
            "Redox could not be reached. Nothing was sent.",
            f"api.redoxengine.com {how}. {NEXT}",
            NO_STEP,
        )
        for fault, how in (
            (Fault.NAME, "was not found"),
            (Fault.REFUSED, "refused the connection"),
            (Fault.CONNECT_TIME, "did not answer"),
        )
    ),
    *(
        (
            not_sent(fault, text),
            "The worker was delayed or stopped. Nothing was sent.",
            f"Cause: {text}. {NEXT}",
            NO_STEP,
        )
        for fault, text in ((Fault.HELD_UP, "too little time was left"), (Fault.STOPPED, "the worker was stopped"))
    ),
    *(
        (
            not_executed(status, detail="elsewhere.example"),
            "Redox's address answered with a redirect.",
            REDIRECT,
            CONNECTION,
        )
        for status in (300, 302, 399)
    ),
    (
        not_sent(Fault.BLOCKED, "STAGING was stopped or paused before the message was sent."),
        "Sending was blocked before this message left. Nothing was sent.",
        "STAGING was stopped or paused before the message was sent. Next attempt 14:08.",
        NO_STEP,
    ),
    *(
        (not_sent(fault, text), f"{headline} Nothing was sent.", f"{text}; api.redoxengine.com.", CONNECTION)
        for fault, text, headline in (
            (Fault.CERTIFICATE, "self-signed certificate", "The other side could not prove that it is Redox."),
            (Fault.ADDRESS, "the address must be https://host", "The address of Redox cannot be used."),
        )
    ),
    (
        not_sent(None, "No key"),
        "Redox gave no access token. Nothing was sent.",
        "No key. Next attempt 14:08.",
        NO_STEP,
    ),
    (
        Outcome(kind=Kind.NEEDS_PERSON, fault=Fault.SETTINGS, detail="another source ID"),
        "The message was made for other settings. Nothing was sent.",
        "Cause: another source ID.",
        CONNECTION,
    ),
    (Outcome(kind=Kind.ACCEPTED, detail="Yes."), "Redox accepted the message.", "Yes.", NO_STEP),
    (
        not_executed(400, auth.KEY_UNKNOWN),
        "Redox does not know our key.",
        "Client client-1, key key-1. The public key is not in the dashboard, or in another Redox environment.",
        ("Show public key", "show_public_key"),
    ),
    (not_executed(400, auth.KEY_ID_MISSING), "The key has no name.", "KEY_ID is empty.", CONNECTION),
    (
        not_executed(400, auth.ASSERTION_REFUSED),
        "Redox did not accept our assertion.",
        "Redox gives no reason; check address, algorithm, clock.",
        CONNECTION,
    ),
]


@pytest.mark.parametrize(("found", "headline", "cause", "step"), ROWS)
def test_each_outcome_has_its_explanation(found: Outcome, headline: str, cause: str, step: tuple[str, str]) -> None:
    assert words(found, message_bytes=2048, at="14:08")[:4] == (headline, cause, *step)


def test_a_clock_that_differs_is_named_only_when_it_differs_too_much() -> None:
    refused = not_executed(400, auth.ASSERTION_REFUSED, "Unexpected iat claim value")
    far = "This machine's clock differs from Redox's by 42 seconds; up to 10 are allowed."
    assert words(refused, clock_difference=-42.3).cause == far
    assert "'Unexpected iat claim value'" in words(refused, clock_difference=3.0).cause


def test_a_refused_api_key_and_a_fixed_token_have_their_own_texts() -> None:
    api_key = RedoxEnvironment(name=STAGING, routing_id="", credential=ApiKeyCredential(api_key="a", api_secret="b"))
    explanation = words(not_executed(401, auth.API_KEY_REFUSED), environment=api_key)
    assert explanation.headline == "Redox did not accept the sign-in or the message's Meta."
    fixed = RedoxEnvironment(name=STAGING, routing_id="", credential=TokenCredential(access_token="t"))
    assert words(not_executed(401), environment=fixed)[:4] == (
        "The fixed access token has expired.",
        "Redox's tokens last minutes or hours. Fixed tokens are for trials.",
        *CONNECTION,
    )


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        (unknown(fault=Fault.DEADLINE), "The answer did not come in time."),
        (unknown(fault=Fault.STOPPED), "The worker that sent it was stopped before an answer came."),
        (unknown(fault=Fault.BROKEN), "The connection broke before an answer."),
        (unknown(200, Fault.PROTOCOL), "The connection broke before an answer."),
        (unknown(504), "The answer, HTTP 504, neither accepts nor rejects it."),
        (unknown(200, Fault.SIZE), "The answer, HTTP 200, neither accepts nor rejects it."),
        (unknown(), "The worker that sent it ended before an answer was stored."),
    ],
)
def test_the_text_of_unknown_says_how_the_answer_was_lost(found: Outcome, cause: str) -> None:
    assert words(found)[:4] == ("We do not know whether this arrived.", cause, "", "")


def test_an_acceptance_that_names_another_oid_says_so() -> None:
    accepted = Outcome(kind=Kind.ACCEPTED, warning=outcome.OTHER_OID, answered_oid="1.2.3", detail="Yes.")
    assert words(accepted).cause == (
        "Redox's answer names the OID 1.2.3, not the one sent. Redox's own example does that too. "
        "Ask the directory if in doubt."
    )
    assert words(Outcome(kind=Kind.ACCEPTED, detail="Yes.")).cause == "Yes."


def test_the_other_environment_is_named_in_capitals() -> None:
    there = RedoxEnvironment(name=PRODUCTION, routing_id="")
    explanation = words(rejected("is_not_valid", presence=outcome.ABSENT), environment=there)
    assert "PRODUCTION" in explanation.headline
    assert "STAGING" in explanation.cause


@pytest.mark.parametrize("known", [row.key for row in outcome.DOCUMENTED])
def test_each_documented_text_has_an_explanation(known: str) -> None:
    assert words(rejected(known)).headline != words(rejected()).headline


OUTCOMES = st.builds(
    Outcome,
    kind=st.sampled_from(Kind),
    known=st.sampled_from(["", *(row.key for row in outcome.DOCUMENTED)]),
    detail=st.text(st.sampled_from(string.printable), max_size=20),
    status=st.none() | st.integers(100, 599),
    fault=st.none() | st.sampled_from(Fault),
    presence=st.sampled_from(["", outcome.ABSENT]),
    hold_seconds=st.none() | st.just(1.0),
).filter(lambda found: found.kind is not Kind.NEEDS_PERSON or found.known in {"", "already_exists"})
CONTEXTS = st.builds(
    ExplanationContext,
    environment=st.just(HERE),
    record=st.sampled_from([None, RECORD, OrganizationRecord(name="{braces} & more")]),
    deactivates=st.booleans(),
    duplicates=st.sampled_from([(), ("Lakeside {North}",)]),
)


@given(OUTCOMES, CONTEXTS)
def test_every_outcome_has_an_explanation_without_open_placeholders(
    found: Outcome, context: ExplanationContext
) -> None:
    said = explain(found, context)
    assert said.headline
    assert bool(said.step_key) <= bool(said.step)
    for row in errors.EXPLANATIONS.values():
        for part in string.Formatter().parse(row.cause):
            assert part[1] is None or "{" + part[1] + "}" not in said.cause.replace(found.detail, "")
