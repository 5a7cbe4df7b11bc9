"""Submissions that were really sent, and their addresses."""

from django.urls import reverse

from organizations.models import Submission, User
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor
from organizations.services.delivery import courier
from tests import factories
from tests.factories import BASE


def page_of(submission: Submission, name: str = "submission") -> str:
    return reverse(name, args=[submission.environment, submission.pk])


def sent(practice: PracticeDirectory, user: User, worker: Actor, behaviour: str, oid: str = BASE) -> Submission:
    """A submission that was sent while the directory behaved so."""
    submission = factories.submission(factories.organization(oid, user=user), user=user)
    practice.behaviour = behaviour
    courier.deliver_next("staging", actor=worker)
    submission.refresh_from_db()
    return submission
