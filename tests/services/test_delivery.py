"""From the outbox to the end of a submission, against the practice directory."""

import pytest

from organizations.models import Action, AuditEntry, Organization, Presence, State, Submission, User
from organizations.practice import PracticeDirectory
from organizations.services import delivery
from organizations.services.actors import Actor
from tests import factories


def test_a_new_is_sent_once_as_reviewed_and_accepted(practice: PracticeDirectory, editor: User, worker: Actor) -> None:
    made = factories.organization(user=editor)
    submission = factories.submission(made, user=editor)

    assert delivery.deliver_next("staging", actor=worker)

    submission.refresh_from_db()
    organization = Organization.objects.with_words().get(pk=made.pk)
    assert submission.state == State.ACCEPTED
    assert submission.detail == "New organization was added successfully."
    assert (organization.standing, organization.open_work, organization.changes) == ("active", "", 0)
    assert organization.presence == Presence.PRESENT
    sent = [request.body for request in practice.requests if request.path == "/endpoint"]
    assert sent == [bytes(submission.message)]
    assert not delivery.deliver_next("staging", actor=worker)
