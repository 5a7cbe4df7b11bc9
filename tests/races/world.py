"""Records, actions, and the checks after each race."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from organizations.models import Intent, Organization, Presence, State, Submission, User
from organizations.models.submission import open_deactivation
from organizations.redox.outcome import Kind
from organizations.services.records import organizations
from organizations.services.review import check_records, reviews
from tests import factories
from tests.factories import BASE, as_actor
from tests.services.sending import settle_sending

OPEN_OR_CONFIRMED = (Presence.PRESENT, Presence.UNKNOWN)


def oid(number: int) -> str:
    return f"{BASE}.{number}"


def registered(number: int, user: User, *, below: Organization | None = None) -> Organization:
    """A record that Redox accepted."""
    parent = {"part_of_oid": below.oid} if below else {}
    return factories.accept(factories.organization(oid(number), user=user, **parent))


def fresh(organization: Organization) -> Organization:
    return Organization.objects.select_related("last_submission").get(pk=organization.pk)


def move(organization: Organization, below: str, user: User) -> Organization:
    now = fresh(organization)
    record = replace(now.record(), part_of_oid=below)
    return organizations.edit(now.pk, now.version, record, stands_for="", actor=as_actor(user))


def reviewed(
    organization: Organization, user: User, intent: Intent | None = None, **values: object
) -> Callable[[], Submission]:
    """An action that presses the button of this review."""
    review = reviews.review(fresh(organization), actor=as_actor(user), intent=intent)
    assert not review.blockers
    return partial(factories.press, review, user=user, **values)


def reject(submission: Submission) -> None:
    """Settle the sending submission as rejected by Redox."""
    settle_sending(submission, Kind.REJECTED)


def state_of(submission: Submission) -> str:
    return Submission.objects.values_list("state", flat=True).get(pk=submission.pk)


def check() -> None:
    """Check that there is no circle, no orphan, and no submission that waits forever."""
    rows = list(Organization.objects.select_related("last_submission"))
    _no_circle({row.oid: {row.part_of_oid} for row in rows})
    on_its_way = {row.pk: row.last_submission for row in rows if row.last_submission and row.last_submission.is_open}
    sent = {row.oid: {row.confirmed_part_of_oid or row.part_of_oid} for row in rows}
    for row in rows:
        if row.pk in on_its_way:
            sent[row.oid].add(on_its_way[row.pk].part_of_oid)
    _no_circle(sent)
    _no_orphan(rows)
    waits = Submission.objects.filter(state=State.QUEUED, waits_for__state__in=(State.REJECTED, State.CANCELLED))
    assert not waits.exists(), "waits for what will never be accepted"
    assert not check_records.ids_with_stale_status([row.pk for row in rows]), "its status is not that of its submission"


def _no_circle(above: dict[str, set[str]]) -> None:
    for start, parents in above.items():
        seen: set[str] = set()
        level = parents
        while level:
            assert start not in level, f"{start} is part of itself"
            seen |= level
            level = set().union(*(above.get(each, set()) for each in level)) - seen


def _no_orphan(rows: list[Organization]) -> None:
    by_oid = {row.oid: row for row in rows}
    for row in rows:
        last = row.last_submission
        is_open = last is not None and last.is_open
        places = {row.confirmed_part_of_oid} if row.presence in OPEN_OR_CONFIRMED and row.confirmed_active else set()
        if last is not None and is_open and last.intent != Intent.DEACTIVATE:
            places.add(last.part_of_oid)
        if is_open and last is not None and last.intent == Intent.DEACTIVATE:
            continue  # its parent's deactivation may wait for it
        for parent in (by_oid[place] for place in places if place in by_oid):
            assert parent.confirmed_active is not False, f"{row.oid} is below a deactivated record"
            assert open_deactivation(parent) is None, f"{row.oid} is below a record that is being deactivated"
