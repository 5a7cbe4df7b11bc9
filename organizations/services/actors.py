"""Who acts: a person who signed in, or a part of the portal."""

from dataclasses import dataclass

from organizations.models import User

LONGEST_NAME = 150  # the length of the columns that store who did something


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The actor of an audit entry. `person` is None if the portal itself acts."""

    name: str
    person: User | None = None
    signed_in_by: str = ""
    address: str = ""
    request_id: str = ""

    @property
    def username(self) -> str:
        """The user name, which distinguishes people with the same name; "" if the portal itself acts."""
        return self.person.get_username() if self.person else ""

    @property
    def id(self) -> int | None:
        return self.person.pk if self.person else None


def person(user: User, *, signed_in_by: str = "password", address: str = "", request_id: str = "") -> Actor:
    """The actor for a person who signed in."""
    return Actor(
        name=user.display_name[:LONGEST_NAME],
        person=user,
        signed_in_by=signed_in_by,
        address=address,
        request_id=request_id,
    )


def name_with_username(name: str, username: str) -> str:
    """The name with the user name in brackets, unless both are the same."""
    return name if username in ("", name) else f"{name} ({username})"


def system(name: str) -> Actor:
    """The actor for a part of the portal, such as a worker or a command."""
    return Actor(name=name)
