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
    made = factories.organization(oid, user=user, environment=environment, **values)
    submission = sent(made, user=user)
    assert submission.state == State.ACCEPTED, submission.state_reason
    return Organization.objects.get(pk=made.pk)


def sent(made: Organization, *, user: User, **values: Any) -> Submission:
    """A submission of what is saved that had its answer, whatever it was."""
    submission = factories.submission(made, user=user, **values)
    ends = time.monotonic() + 30
    while submission.state not in END:
        assert time.monotonic() < ends, submission.state
        if not workers.run_once(system("Worker of the tests")):
            time.sleep(0.02)  # another worker has it
        submission.refresh_from_db()
    return submission


def edited(made: Organization, *, user: User, **values: Any) -> Organization:
    """The record with other values saved, not sent."""
    made = Organization.objects.get(pk=made.pk)
    values = {"part_of_oid": made.part_of_oid, "name": made.name} | values
    record = factories.record(made.oid, **values)
    return organizations.edit(made.pk, made.version, record, stands_for=made.stands_for, actor=person(user))
