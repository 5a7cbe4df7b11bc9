"""The first message to a record that was registered outside the portal is sent alone.

Redox does not document whether it accepts an Update of a record that another program registered. So until Redox has
accepted one in this environment, all other messages of that kind wait for the first.
"""

from typing import NamedTuple

from organizations.models import Basis, Event, Organization, Presence, State, Submission


class FirstMessage(NamedTuple):
    """`is_unproved`: this is such an Update, and Redox has not accepted one yet. `waits_for`: the open one, if any."""

    is_unproved: bool = False
    waits_for: Submission | None = None


ORDINARY_MESSAGE = FirstMessage()


def was_registered_outside(organization: Organization) -> bool:
    """Whether a Query or a person's statement says that the OID is registered, and Redox accepted no message."""
    is_present = organization.presence == Presence.PRESENT and not organization.confirmed
    return is_present and organization.presence_basis in (Basis.SEEN, Basis.STATED)


def first_message_of(organization: Organization) -> FirstMessage:
    """Whether the next message of this record is sent alone, or waits for one that is open."""
    if not was_registered_outside(organization) or _is_proved(organization.environment):
        return ORDINARY_MESSAGE
    return FirstMessage(True, first_open(organization.environment))


def first_open(environment: str) -> Submission | None:
    """The open message that the others of its kind wait for, or None.

    It is the oldest: each later one waits for it, or is cancelled together with it.
    """
    rows = Submission.objects.open().filter(environment=environment, event=Event.UPDATE)
    kind = rows.filter(organization__confirmed="", organization__presence_basis__in=(Basis.SEEN, Basis.STATED))
    return kind.select_related("organization").order_by("pk").first()


def is_proof(submission: Submission, organization: Organization) -> bool:
    """Whether its acceptance would prove that Redox accepts Updates of records registered outside the portal.

    It proves that if no message to the OID was accepted before. Must be called before the acceptance is stored.
    """
    if submission.event != Event.UPDATE or organization.confirmed:
        return False
    return not organization.submissions.filter(oid=submission.oid, state=State.ACCEPTED).exists()


def _is_proved(environment: str) -> bool:
    """Whether Redox ever accepted an Update of a record that the portal had not registered itself."""
    return Submission.objects.filter(environment=environment, is_proof=True).exists()
