"""How the practice directory behaves: one word in a small file, so that a page or a person can change it."""

import os
from enum import StrEnum
from pathlib import Path

FILE_NAME = "behaviour"


class Behaviour(StrEnum):
    """What happens to a request. The value is the word in the file; the label is for people."""

    label: str

    def __new__(cls, word: str, label: str = "") -> "Behaviour":
        member = str.__new__(cls, word)
        member._value_ = word
        member.label = label
        return member

    ANSWERS = "answers", "Answers at once"
    SLOW = "slow", "Answers after some seconds"
    SAYS_NO_EXISTS = "says-no-exists", "Rejects: the OID already exists"
    SAYS_NO_NOT_VALID = "says-no-not-valid", "Rejects: the OID is not valid"
    SAYS_NO_PARSE = "says-no-parse", "Rejects: failed to parse the request body"
    SAYS_NO_XML = "says-no-xml", "Rejects: parsing XML request error"
    SAYS_NO_DUPLICATE = "says-no-duplicate", "Rejects: duplicate business"
    SAYS_NO_SUBSCRIPTIONS = "says-no-subscriptions", "Rejects: no subscriptions"
    SAYS_NO_DESTINATIONS = "says-no-destinations", "Rejects: more than one destination"
    REFUSES_SIGN_IN = "refuses-sign-in", "Does not accept the sign-in"
    TOO_MANY = "too-many", "Answers that there are too many requests, and to wait 10 seconds"
    NEVER_ANSWERS = "never-answers", "Takes the message and never answers"
    APPLIES_THEN_BREAKS = "applies-then-breaks", "Applies the message, then ends the connection"
    APPLIES_THEN_504 = "applies-then-504", "Applies the message, then a gateway times out (504)"
    GATEWAY_ERROR = "gateway-error", "A gateway fails before the message arrives (502)"
    STRANGE_YES = "strange-yes", "Applies the message, accepts it in undocumented words"
    SHOWS_ACTIVE_ONLY = "shows-active-only", "Shows deactivated records only when asked for them"
    SPELLS_DIFFERENTLY = "spells-differently", "Shows records in another spelling"
    SHOWS_ANOTHER = "shows-another", "Shows another organization instead"
    SHOWS_TWO_OIDS = "shows-two-oids", "Shows records with another OID before their own"
    SHOWS_TWICE = "shows-twice", "Shows records twice"
    SHOWS_NO_NAME = "shows-no-name", "Shows records without their names"
    SHOWS_ANOTHER_SHAPE = "shows-another-shape", "Shows records in an answer of another shape"
    SHOWS_STALE = "shows-stale", "Shows records as they were before their last change"
    SHOWS_LATE = "shows-late", "Shows a change only after some seconds"
    SHOWS_HALF = "shows-half", "Shows half of an answer, then ends the connection"
    SHOWS_FIRST_PAGE = "shows-first-page", "Shows the first page of a list, then ends the connection"
    SHOWS_LAST_AGAIN = "shows-last-again", "Shows pages that begin with the last record of the page before"
    SHOWS_GAPS = "shows-gaps", "Shows pages that leave out one record after the page before"
    SHOWS_TOTAL = "shows-total", "Shows pages that count all records, not only those on the page"
    SHOWS_LARGE = "shows-large", "Shows pages of 1.5 MiB"


BEHAVIOURS: tuple[tuple[str, str], ...] = tuple((behaviour.value, behaviour.label) for behaviour in Behaviour)


def read_behaviour(folder: Path) -> Behaviour:
    """The behaviour in the file; `answers` if there is no file or an unknown word."""
    try:
        return Behaviour((folder / FILE_NAME).read_text(encoding="utf-8").strip())
    except (FileNotFoundError, ValueError):
        return Behaviour.ANSWERS


def write_behaviour(folder: Path, behaviour: str) -> None:
    """Set the behaviour from the next request on. Raises ValueError for an unknown word."""
    new = folder / f"{FILE_NAME}.new"
    new.write_text(Behaviour(behaviour).value, encoding="utf-8")
    os.replace(new, folder / FILE_NAME)  # so that a concurrent request reads the old word or the new one, never a part
