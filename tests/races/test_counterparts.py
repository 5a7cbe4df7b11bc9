"""Two people act on the two records of one organization at once: never two counterparts, never a deadlock."""

from functools import partial

import pytest

from organizations.models import Organization, User
from organizations.services.errors import ActionRefused, CounterpartExists, RecordWithdrawn, SourceChanged
from organizations.services.records import counterparts, organizations, prepare
from tests import factories
from tests.factories import as_actor
from tests.races.racing import Act, Rounds, refusals
from tests.races.world import check, fresh, oid, registered

pytestmark = pytest.mark.django_db(transaction=True)


def preparing_as(staging: Organization, number: int, user: User) -> Act:
    """Saving a form that was filled from a record, with another OID."""
    filled = prepare.source_of(fresh(staging)).record
    basis = prepare.FormBasis(filled, filled)
    record = factories.record(oid(number))
    return partial(prepare.prepare, record, staging.pk, basis=basis, stands_for="", actor=as_actor(user))


def in_production(number: int, user: User) -> Organization:
    return factories.organization(oid(number), user=user, environment="production")


def withdrawing(organization: Organization, user: User) -> Act:
    return partial(organizations.withdraw, organization.pk, organization.version, actor=as_actor(user))


def test_the_second_of_two_who_prepare_one_record_is_refused(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        staging = registered(1, user)
        results = rounds.race(preparing_as(staging, 8, user), preparing_as(staging, 9, user))
        check()
        (refusal,) = [each.refusal for each in results if each.refusal]
        assert isinstance(refusal, CounterpartExists)
        assert Organization.objects.in_environment("production").get() == fresh(staging).counterpart


def test_preparing_and_linking_give_one_counterpart(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        staging, other = registered(1, user), in_production(9, user)
        link = partial(counterparts.link, staging, other, actor=as_actor(user))
        results = rounds.race(preparing_as(staging, 8, user), link)
        (refusal,) = [each.refusal for each in results if each.refusal]
        assert isinstance(refusal, CounterpartExists) == results[0].is_refused
        assert fresh(staging).counterpart is not None


def test_two_links_give_a_record_one_counterpart(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        one, other, production = registered(1, user), registered(2, user), in_production(9, user)
        results = rounds.race(
            *(partial(counterparts.link, each, production, actor=as_actor(user)) for each in (one, other))
        )
        (sentence,) = refusals(results)
        assert "Lakeside 9 in PRODUCTION already has a counterpart" in sentence


def test_a_record_is_withdrawn_while_it_is_prepared(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        staging = factories.organization(oid(1), user=user)
        results = rounds.race(preparing_as(staging, 8, user), withdrawing(staging, user))
        if results[0].refusal:
            assert isinstance(results[0].refusal, RecordWithdrawn)
        links = Organization.objects.in_environment("production").values_list("staging_record", flat=True)
        assert list(links) == ([] if results[0].is_refused else [None])


def test_both_counterparts_are_withdrawn(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        staging, production = factories.organization(oid(1), user=user), in_production(9, user)
        counterparts.link(staging, production, actor=as_actor(user))
        results = rounds.race(withdrawing(staging, user), withdrawing(production, user))
        assert refusals(results) == []
        assert not Organization.objects.exists()


def test_a_record_is_accepted_while_it_is_prepared(rounds: Rounds, user: User) -> None:
    for _ in rounds:
        staging = registered(1, user)
        accept = partial(factories.accept, staging, name="Accepted meanwhile")
        results = rounds.race(preparing_as(staging, 8, user), accept)
        refusal: ActionRefused | None = results[0].refusal
        assert refusal is None or isinstance(refusal, SourceChanged)
        assert (fresh(staging).counterpart is None) == results[0].is_refused
