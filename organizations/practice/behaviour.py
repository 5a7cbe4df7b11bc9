"""How the practice directory behaves now: one word in one small file, so that a page or a person can change it."""

import os
from enum import StrEnum
from pathlib import Path

FILE_NAME = "behaviour"


class Behaviour(StrEnum):
    """What happens to a request. The value is the word in the file, the label is for people."""

    label: str

    def __new__(cls, word: str, label: str = "") -> "Behaviour":
        member = str.__new__(cls, word)
        member._value_ = word
        member.label = label
        return member

    ANSWERS = "answers", "Answers at once"
    SLOW = "slow", "Answers after some seconds"
    SAYS_NO_EXISTS = "says-no-exists", "Says no: the OID already exists"
    SAYS_NO_NOT_VALID = "says-no-not-valid", "Says no: the OID is not valid"
    SAYS_NO_PARSE = "says-no-parse", "Says no: failed to parse the request body"
    SAYS_NO_XML = "says-no-xml", "Says no: parsing XML request error"
    SAYS_NO_DUPLICATE = "says-no-duplicate", "Says no: duplicate business"
    SAYS_NO_SUBSCRIPTIONS = "says-no-subscriptions", "Says no: no subscriptions"
    SAYS_NO_DESTINATIONS = "says-no-destinations", "Says no: more than one destination"
    REFUSES_SIGN_IN = "refuses-sign-in", "Does not accept the sign-in"
    TOO_MANY = "too-many", "Says that there are too many requests, and to wait 10 seconds"
    NEVER_ANSWERS = "never-answers", "Takes the message and never answers"
    APPLIES_THEN_BREAKS = "applies-then-breaks", "Applies the message, then breaks off"
    APPLIES_THEN_504 = "applies-then-504", "Applies the message, then a gateway times out (504)"
    GATEWAY_ERROR = "gateway-error", "A gateway fails before the message arrives (502)"
    STRANGE_YES = "strange-yes", "Applies the message, says yes in other words"
    SHOWS_ACTIVE_ONLY = "shows-active-only", "Shows deactivated records only when asked for them"
    SPELLS_DIFFERENTLY = "spells-differently", "Shows records in another spelling"
    SHOWS_ANOTHER = "shows-another", "Shows another organization instead"
    SHOWS_TWO_OIDS = "shows-two-oids", "Shows records with another OID before their own"
    SHOWS_TWICE = "shows-twice", "Shows records twice"
    SHOWS_NO_NAME = "shows-no-name", "Shows records without their names"
    SHOWS_ANOTHER_SHAPE = "shows-another-shape", "Shows records in an answer of another shape"


BEHAVIOURS: tuple[tuple[str, str], ...] = tuple((behaviour.value, behaviour.label) for behaviour in Behaviour)


def read_behaviour(folder: Path) -> Behaviour:
    """The behaviour asked for now; `answers` without a file, and for a word that is none of ours."""
    try:
        return Behaviour((folder / FILE_NAME).read_text(encoding="utf-8").strip())
    except (FileNotFoundError, ValueError):
        return Behaviour.ANSWERS


def write_behaviour(folder: Path, behaviour: str) -> None:
    """Ask for a behaviour from the next request on. Raises ValueError for a word that is none of ours."""
    new = folder / f"{FILE_NAME}.new"
    new.write_text(Behaviour(behaviour).value, encoding="utf-8")
    os.replace(new, folder / FILE_NAME)  # a request at this moment reads the old word or the new one, never half of it
