"""Submissions that were sent to the practice directory, and their URLs."""

from django.urls import reverse

from organizations.models import Submission, User
from organizations.practice import PracticeDirectory
from organizations.services.actors import Actor
from organizations.services.delivery import courier
from tests import factories
from tests.factories import BASE


def submission_url(submission: Submission, name: str = "submission") -> str:
    return reverse(name, args=[submission.environment, submission.pk])


def send_submission(
    practice: PracticeDirectory, user: User, worker: Actor, behaviour: str, oid: str = BASE
) -> Submission:
    """Create a submission and send it while the directory has this behaviour."""
    submission = factories.submission(factories.organization(oid, user=user), user=user)
    practice.behaviour = behaviour
    courier.deliver_due("staging", most=1, actor=worker)
    submission.refresh_from_db()
    return submission
