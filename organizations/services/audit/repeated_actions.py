"""Logs actions that somebody can repeat any number of times, at most one entry a minute: the history is never deleted.

The first action is logged at once. Those of the next minute are counted in a row of the database. The next action after
the minute, or the worker, logs their number in one entry.
"""

import datetime
import json
from typing import Any

from organizations.models import Action, Repetition, User, clock
from organizations.services import throttle
from organizations.services.actors import Actor, system
from organizations.services.audit import audit
from organizations.services.throttle import Limit, TooManyTries

WITHIN = datetime.timedelta(minutes=1)
MOST_ANONYMOUS = 100
"""Entries about people who are not signed in, in 15 minutes. Further ones are counted together."""
MOST_WRITTEN = 100
"""How many rows `write_ended_counts` handles in one call."""


def log_action(actor: Actor, action: Action, *key: str, together: dict[str, Any] | None = None, **body: Any) -> None:
    """Log an action. Actions with the same actor, address and `key` are the same one.

    If people who are not signed in do this too often, one entry counts the actions of all. `together` is its body.
    """
    row_key = throttle.hashed_key("repetition", action, str(actor.id), throttle.visitor_network(actor.address), *key)
    if together is not None and actor.person is None and _are_too_many(row_key, action):
        row_key, body = throttle.hashed_key("repetition", action, "strangers", *key[:1]), together
        actor = Actor(name=actor.name)
    with audit.atomic(actor) as history:
        now = clock.now()
        row, is_new = Repetition.objects.select_for_update().get_or_create(
            pk=row_key, defaults={"since": now, "until": now + WITHIN, "entry": _entry(actor, action, body)}
        )
        if not is_new and now < row.until:
            _count(row, now)
            return
        history.log(action, **(_with_times(body, row.count + 1, row.since) if row.count else body))
        row.count, row.since, row.until, row.entry = 0, now, now + WITHIN, _entry(actor, action, body)
        row.save()


def write_ended_counts() -> int:
    """Log the counts of minutes that have ended, for a bounded number of rows. Returns how many."""
    ended = Repetition.objects.filter(until__lte=clock.now())
    keys = list(ended.order_by("until").values_list("pk", flat=True)[:MOST_WRITTEN])
    for key in keys:
        with audit.atomic(system("")) as history:
            row = ended.select_for_update(skip_locked=True).filter(pk=key).first()
            if row is None:
                continue
            if row.count:
                entry = json.loads(row.entry)
                history.actor = _actor(entry["actor"])
                history.log(Action(entry["action"]), **_with_times(entry["body"], row.count, row.since))
            row.delete()
    return len(keys)


def _are_too_many(key: str, action: Action) -> bool:
    """Whether people who are not signed in made so many entries lately that one more is only counted."""
    if Repetition.objects.filter(pk=key).exists():
        return False
    try:
        throttle.reserve_try(Limit(throttle.hashed_key("strangers", action), MOST_ANONYMOUS))
    except TooManyTries:
        return True
    return False


def _count(row: Repetition, now: datetime.datetime) -> None:
    row.since = row.since if row.count else now
    row.count += 1
    row.save(update_fields=["count", "since"])


def _with_times(body: dict[str, Any], times: int, since: datetime.datetime) -> dict[str, Any]:
    return body | {"details": {**body.get("details", {}), "times": times, "since": since.isoformat()}}


def _entry(actor: Actor, action: Action, body: dict[str, Any]) -> str:
    who = {"name": actor.name, "id": actor.id, "signed_in_by": actor.signed_in_by, "address": actor.address}
    return json.dumps({"actor": who, "action": action.value, "body": body})


def _actor(stored: dict[str, Any]) -> Actor:
    person = User.objects.filter(pk=stored["id"]).first()
    return Actor(name=stored["name"], person=person, signed_in_by=stored["signed_in_by"], address=stored["address"])
