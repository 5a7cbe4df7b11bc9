"""Records that stand in the directory, made by the services and sent for real."""

import time
from typing import Any

from organizations.models import Organization, State, Submission, User
from organizations.services.actors import person, system
from organizations.services.delivery import workers
from organizations.services.records import organizations
from tests import factories

END = {State.ACCEPTED, State.REJECTED, State.UNKNOWN, State.NEEDS_PERSON}


def registered(oid: str = factories.BASE, *, user: User, environment: str = "staging", **values: Any) -> Organization:
    """A record that Redox accepted."""
    organization = factories.organization(oid, user=user, environment=environment, **values)
    submission = sent(organization, user=user)
    assert submission.state == State.ACCEPTED, submission.state_reason
    return Organization.objects.get(pk=organization.pk)


def sent(organization: Organization, *, user: User, **values: Any) -> Submission:
    """A submission of what is saved that had its answer, whatever it was."""
    submission = factories.submission(organization, user=user, **values)
    ends = time.monotonic() + 30
    while submission.state not in END:
        assert time.monotonic() < ends, submission.state
        if not workers.run_once(system("Worker of the tests")):
            time.sleep(0.02)  # another worker has it
        submission.refresh_from_db()
    return submission


def edited(organization: Organization, *, user: User, **values: Any) -> Organization:
    """The record with other values saved, not sent."""
    organization = Organization.objects.get(pk=organization.pk)
    values = {"part_of_oid": organization.part_of_oid, "name": organization.name} | values
    record = factories.record(organization.oid, **values)
    return organizations.edit(
        organization.pk, organization.version, record, stands_for=organization.stands_for, actor=person(user)
    )
