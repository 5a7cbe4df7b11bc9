"""The first question in the form of a new record: is its OID registered already?"""

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

from organizations.forms.typed import Typed
from organizations.models import Environment
from organizations.pages.addresses import environment_url
from organizations.pages.submission.state import cause_of
from organizations.services import search_text
from organizations.services.connection.lookup import DirectoryAnswer
from organizations.text.markup import plain, written

NO, YES, UNKNOWN = "no", "yes", "unknown"
ENTER_OID = "Enter the OID first. Then the portal can ask the directory about it."
NOT_SAVED = (
    "Not saved: you chose that this OID was registered outside the portal. Take it over, or choose another answer."
)


class OidAnswer(NamedTuple):
    """What the directory answered about the OID of the form. `offers_take_over`: it showed the OID."""

    sentence: str
    offers_take_over: bool = False


class AboutOid(NamedTuple):
    """What a request says about the OID: a note beside it, the person's answer, and the directory's answer."""

    note: str = ""
    chosen: str = ""
    answer: OidAnswer | None = None


NOTHING_ABOUT_OID = AboutOid()


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstQuestion:
    """`chosen` is the answer of the person, "" for none. The portal never chooses one.

    `keeps_typed`: something else was typed, so that the take-over opens in a new tab.
    """

    chosen: str = ""
    take_over_url: str = ""
    keeps_typed: bool = False
    answer: OidAnswer | None = None


def first_question(environment: Environment, typed: Typed, about: AboutOid) -> FirstQuestion:
    oid = search_text.oid_in(typed.fields.get("oid", ""))
    return FirstQuestion(
        chosen=about.chosen if about.chosen in (NO, YES, UNKNOWN) else "",
        take_over_url=take_over_url(environment, oid),
        keeps_typed=has_more_than_the_oid(typed),
        answer=about.answer,
    )


def take_over_url(environment: Environment, oid: str) -> str:
    """The page on which OIDs are taken over, with this one entered."""
    address = environment_url("take-over", environment)
    return f"{address}?{urlencode({'oids': oid})}" if oid else address


def has_more_than_the_oid(typed: Typed) -> bool:
    """Whether a person would lose something if the form were left: another text than the OID and what is chosen."""
    begun = {"oid", "country", "place", "stands_for"}
    texts = (text for name, text in typed.fields.items() if name not in begun)
    return any(map(str.strip, texts)) or bool(typed.contacts or typed.identifiers)


def oid_answer(environment: Environment, answer: DirectoryAnswer) -> OidAnswer:
    """The answer of the directory, for the place beside the field."""
    word, at = environment.label, written(answer.asked_at, "clock")
    if answer.is_unreadable:
        return OidAnswer(f"Asked at {at}: {cause_of(answer.cause)}. Redox would reject a New.")
    if not answer.is_answered:
        return OidAnswer(f"The directory of {word} gave no answer: {cause_of(answer.cause)}.")
    if answer.record is None:
        return OidAnswer(f"Asked at {at}, the directory of {word} does not have this OID. Redox will get a New.")
    active = "active" if answer.record.active else "not active"
    name = plain(answer.record.name)
    sentence = f"Asked at {at}, the directory of {word} has this OID: {name}, {active}. Redox would reject a New."
    return OidAnswer(sentence, offers_take_over=True)
