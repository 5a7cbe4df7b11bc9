"""Records that the services create and send to the practice directory."""

import time
from typing import Any

from organizations.models import Organization, State, Submission, User
from organizations.services import workers
from organizations.services.actors import person, system
from organizations.services.records import organizations
from tests import factories

FINAL_STATES = {State.ACCEPTED, State.REJECTED, State.UNKNOWN, State.NEEDS_PERSON}


def register(oid: str = factories.BASE, *, user: User, environment: str = "staging", **values: Any) -> Organization:
    """Create a record and send it until Redox accepts it."""
    organization = factories.organization(oid, user=user, environment=environment, **values)
    submission = send(organization, user=user)
    assert submission.state == State.ACCEPTED, submission.state_reason
    return Organization.objects.get(pk=organization.pk)


def send(organization: Organization, *, user: User, **values: Any) -> Submission:
    """Send the saved record, and wait until its submission has a result."""
    submission = factories.submission(organization, user=user, **values)
    ends = time.monotonic() + 30
    while submission.state not in FINAL_STATES:
        assert time.monotonic() < ends, submission.state
        if not workers.run_once(system("Worker of the tests")):
            time.sleep(0.02)  # another worker has it
        submission.refresh_from_db()
    return submission


def edit(organization: Organization, *, user: User, **values: Any) -> Organization:
    """Save other values of the record without sending them."""
    organization = Organization.objects.get(pk=organization.pk)
    values = {"part_of_oid": organization.part_of_oid, "name": organization.name} | values
    record = factories.record(organization.oid, **values)
    return organizations.edit(
        organization.pk, organization.version, record, stands_for=organization.stands_for, actor=person(user)
    )
