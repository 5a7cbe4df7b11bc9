"""Functions of the demonstration: the behaviour of the practice directory, and people who sign in with a button."""

from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef

from organizations.models import Environment, Organization, RecordKind, User
from organizations.permissions import ROLES

# The word in the practice directory's file, and the label for people.
BEHAVIOURS: tuple[tuple[str, str], ...] = (
    ("answers", "Answers at once"),
    ("slow", "Answers after some seconds"),
    ("says-no-exists", "Rejects: the OID already exists"),
    ("says-no-not-valid", "Rejects: the OID is not valid"),
    ("says-no-parse", "Rejects: failed to parse the request body"),
    ("says-no-xml", "Rejects: parsing XML request error"),
    ("says-no-duplicate", "Rejects: duplicate business"),
    ("says-no-subscriptions", "Rejects: no subscriptions"),
    ("says-no-destinations", "Rejects: more than one destination"),
    ("refuses-sign-in", "Does not accept the sign-in"),
    ("too-many", "Answers that there are too many requests, and to wait 10 seconds"),
    ("never-answers", "Takes the message and never answers"),
    ("applies-then-breaks", "Applies the message, then ends the connection"),
    ("applies-then-504", "Applies the message, then a gateway times out (504)"),
    ("gateway-error", "A gateway fails before the message arrives (502)"),
    ("strange-yes", "Applies the message, accepts it in undocumented words"),
    ("shows-active-only", "Shows deactivated records only when asked for them"),
    ("spells-differently", "Shows records in another spelling"),
    ("shows-another", "Shows another organization instead"),
    ("shows-two-oids", "Shows records with another OID before their own"),
    ("shows-twice", "Shows records twice"),
    ("shows-no-name", "Shows records without their names"),
    ("shows-another-shape", "Shows records in an answer of another shape"),
    ("shows-stale", "Shows records as they were before their last change"),
    ("shows-late", "Shows a change only after some seconds"),
    ("shows-half", "Shows half of an answer, then ends the connection"),
    ("shows-first-page", "Shows the first page of a list, then ends the connection"),
    ("shows-last-again", "Shows pages that begin with the last record of the page before"),
    ("shows-gaps", "Shows pages that leave out one record after the page before"),
    ("shows-total", "Shows pages that count all records, not only those on the page"),
    ("shows-large", "Shows pages of 1.5 MiB"),
)


def behaviour() -> str:
    """How the practice directory behaves now."""
    try:
        word = Path(settings.DEMO_BEHAVIOUR_FILE).read_text().strip()
    except OSError:
        return BEHAVIOURS[0][0]
    return word if word in dict(BEHAVIOURS) else BEHAVIOURS[0][0]


def set_behaviour(word: str) -> str:
    """Set how the practice directory behaves from its next request on. Returns the label for people.

    Raises:
        PermissionDenied: this is not a demonstration.
        ValueError: there is no such behaviour.
    """
    if not settings.DEMO:
        raise PermissionDenied("This is not a demonstration.")
    label = dict(BEHAVIOURS).get(word)
    if label is None:
        raise ValueError("There is no such behaviour.")  # without the word: a visitor sent it, and this is logged
    Path(settings.DEMO_BEHAVIOUR_FILE).write_text(word)
    return label


def person_with_role(role: str) -> User | None:
    """The demonstration's person for a role; None if this is not a demonstration."""
    if not settings.DEMO or role not in ROLES:
        return None
    return User.objects.filter(username=role, is_active=True).first()


def location_to_deactivate() -> Organization | None:
    """A location for the tour: active, without an open submission or saved changes, and without children."""
    children = Organization.objects.filter(environment=Environment.STAGING, part_of_oid=OuterRef("oid"))
    locations = Organization.objects.in_environment(Environment.STAGING).filter(stands_for=RecordKind.LOCATION)
    words = {"standing": "active", "open_work": ""}
    return locations.filter(~Exists(children), **words).order_by("oid_key").first()
