"""Settles attempts that a worker left behind: by the stored response or, if there is none, as unknown."""

import logging
from dataclasses import replace

from django.db import InterfaceError, OperationalError

from organizations.models import Action, AuditEntry, Submission, clock
from organizations.services.actors import Actor
from organizations.services.audit import exchanges
from organizations.services.delivery import settle
from organizations.services.errors import OutOfDate

log = logging.getLogger("orgportal.delivery")


def settle_abandoned(environment: str, *, actor: Actor) -> int:
    """Settle submissions whose lease has ended. Returns how many there were. A failure does not delay the others."""
    abandoned = list(Submission.objects.lease_ended(clock.now()).filter(environment=environment))
    for submission in abandoned:
        entry = AuditEntry.objects.attempt_entry(submission.pk, submission.attempt, Action.ATTEMPT_RESPONSE)
        try:
            # A response with another lease token is an earlier one: the message was sent again after it.
            if entry is None or entry.facts["token"] != submission.token:
                settle.settle_lost_attempt(submission, actor=actor)
            else:
                _settle_by_response(submission, entry, actor)
        except OutOfDate:
            pass  # another worker settled it
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # the others, and the Queries after them, must not wait for this one
            log.exception("Submission %s could not be settled", submission.pk)
    return len(abandoned)


def _settle_by_response(submission: Submission, entry: AuditEntry, actor: Actor) -> None:
    exchange = exchanges.stored_exchange(entry)
    outcome = settle.outcome_of(submission, exchange)
    if outcome.renew_token and not exchanges.is_repeat(entry):
        # Only the old token was refused and no new one was tried: the credential may be valid.
        outcome = replace(outcome, stops="")
    settle.settle_attempts([settle.AttemptAnswer(submission, outcome, exchange, entry.at)], actor=actor)
