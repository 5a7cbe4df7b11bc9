import hashlib
import json
import re
import unicodedata
from typing import Any

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import AbstractUser, Group
from django.db import models
from django.utils.crypto import salted_hmac

from organizations.folding import fold

_LOOK_ALIKE = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}
"""Alphabets with letters that look alike."""

_SYSTEM_NAMES = {"redox", "carequality", "directory", "practicedirectory", "portal", "orgportal", "demonstration"}
_NAMES_WITHOUT_ACCOUNT = {"somebody", "somebodynotsignedin", "nobody", "you"}
"""Words that pages and the history use in place of a name; folded, without blanks and "the"."""
_PROGRAM_NAMES = re.compile(r"(worker|command)(?![^\W\d_])")
"""The beginning of names of the portal's own programs, such as "Worker host-1" and "Command restore"."""


class User(AbstractUser):
    """A person with an account. Deactivated when they leave, never deleted: the history names them."""

    must_change_password = models.BooleanField(
        default=False, db_default=False, help_text="Somebody else set the password and therefore knows it."
    )
    disclosed_passwords = models.JSONField(
        default=list,
        blank=True,
        db_default=models.Value([], models.JSONField()),
        help_text="Hashes of earlier passwords that somebody else set and therefore knows. None is accepted again.",
    )
    session_stamp = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Part of each session: raising it ends all sessions of this account."
    )

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"

    @property
    def display_name(self) -> str:
        """The name on pages: the full name, or the user name if there is none."""
        return self.get_full_name() or self.get_username()

    def roles_given(self) -> "list[tuple[str, RoleGrant | None]]":
        """The roles by name, each with who gave it; None for roles given before grants were stored."""
        grants = {grant.group_id: grant for grant in self.role_grants.all()}
        return sorted(((group.name, grants.get(group.pk)) for group in self.groups.all()), key=lambda each: each[0])

    def fingerprint(self) -> str:
        """A hash of the account when a page was opened. If it differs later, somebody changed the account.

        A new password changes it too, so that a second click cannot set another password.
        """
        groups = sorted(self.groups.values_list("pk", flat=True))
        values = [self.username, self.first_name, self.last_name, self.email, self.is_active, groups]
        values.append(self.get_session_auth_hash())
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()

    def stale_error(self, opened_with: str) -> str | None:
        """A sentence if the account changed since a page was opened with this fingerprint; else None."""
        if opened_with == self.fingerprint():
            return None
        return (
            "This account was changed after you opened the page, by somebody else or by your own first press. "
            "Nothing was saved. Open it again and check."
        )

    def is_disclosed_password(self, password: str) -> bool:
        """Whether somebody else once set this password for the account, and therefore knows it."""
        return any(check_password(password, encoded) for encoded in self.disclosed_passwords)

    def name_error(self) -> tuple[str, str] | None:
        """The field and a sentence if the name cannot be used; else None.

        Names that differ only in case, accents, blanks or punctuation count as the same. Names of closed accounts can
        be used again, but not their user names: the history names people by them.
        """
        is_new = self.pk is None
        if is_new and re.fullmatch(r"[\w.@+-]+", self.get_username(), re.ASCII) is None:
            return "username", "A user name can only have the letters A to Z, digits and @ . + - _."
        field = "username" if is_new and not self.get_full_name() else "last_name"
        for name in (self.display_name, self.get_username()):
            if len(_alphabets(name) & _LOOK_ALIKE) > 1:
                return field, f"'{name}' mixes letters of two alphabets. Write it in one."
        for name, its_field in ((self.display_name, field), (self.get_username() if is_new else "", "username")):
            if _is_system_name(name):
                return its_field, f"The portal itself uses the name '{name}'. Choose another one."
        for other in User.objects.exclude(pk=self.pk).order_by("pk"):
            if is_new and self.get_username().casefold() == other.get_username().casefold():
                return "username", f"The user name '{other.get_username()}' already exists. Choose another one."
            if not other.is_active:
                continue
            if _is_alike(self.display_name, other.display_name) or _is_alike(self.display_name, other.get_username()):
                return field, (
                    f"'{other.display_name}' ({other.get_username()}) already has this name. Add something that tells "
                    "the two people apart, for example a department."
                )
        return None

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """A hash that a new password or a higher stamp changes. Sessions with another hash have ended."""
        password: str = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        value = f"{password}:{self.session_stamp}"
        return salted_hmac("organizations.models.User", value, secret=secret, algorithm="sha256").hexdigest()


class RoleGrant(models.Model):
    """Who gave a person a role, and when. Roles given by earlier releases have no grant."""

    user = models.ForeignKey(User, models.CASCADE, related_name="role_grants")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    given_by = models.CharField(max_length=310, help_text="Name and user name at that time.")
    given_by_id = models.BigIntegerField(null=True, blank=True)
    given_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "group"], name="role_given_once")]

    def __str__(self) -> str:
        return f"{self.group} by {self.given_by}"


def _is_alike(one: str, other: str) -> bool:
    return fold(one).replace(" ", "") == fold(other).replace(" ", "")


def _is_system_name(name: str) -> bool:
    """Whether the history could confuse this person with Redox, the directory or the portal."""
    folded = fold(name.replace(".", " "))
    reserved = _SYSTEM_NAMES | _NAMES_WITHOUT_ACCOUNT
    return folded.replace(" ", "").removeprefix("the") in reserved or _PROGRAM_NAMES.match(folded) is not None


def _alphabets(name: str) -> set[str]:
    return {unicodedata.name(character, "").split(" ")[0] for character in name if character.isalpha()}
