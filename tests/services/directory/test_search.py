"""The search of the directory: its Query, results beside our records, broken-off searches, and what is stored."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import override_settings

from organizations.models import Action, AuditEntry, EnvironmentGate, Organization, User
from organizations.practice import PracticeDirectory
from organizations.practice.behaviour import Behaviour
from organizations.redox.directory_query import SearchFilters
from organizations.redox.environment import GATEWAY_OID
from organizations.redox.paging import End, Position
from organizations.services.directory import differences, search
from organizations.services.directory.ownership import Ownership
from organizations.services.directory.search import Compared, Completeness, Hit, SearchPage, search_directory
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.redox import servers
from tests.services.directory.scanning import LATE
from tests.services.fake_redox import TOO_MANY_REQUESTS, FakeRedox
from tests.services.sending import WORKER, claim, edit, reload, show_in_directory, store_reading

pytestmark = pytest.mark.one_database

LAKESIDE = SearchFilters(name="Lakeside")
OTHER = "2.16.840.1.113883.3.6147.458.88888.1.1.1.1"


def listed(oid: str, name: str = "Lakeside", part_of: str = GATEWAY_OID, **values: Any) -> dict[str, Any]:
    """An organization of the directory."""
    return {
        "Name": name,
        "Active": True,
        "Identifiers": [{"ID": oid, "IDType": "OID"}],
        "PartOf": {"Identifier": {"Value": part_of}},
        **values,
    }


def answer(*organizations: Any, **values: Any) -> servers.Behaviour:
    """An answer with these organizations."""
    meta = {"DataModel": "Organization", "EventType": "QueryResponse"}
    return servers.answer(200, {"Meta": meta, "Organizations": list(organizations)} | values)


def found(page: SearchPage) -> dict[str, Hit]:
    return {hit.record.oid: hit for hit in page.hits}


def searched() -> list[dict[str, Any]]:
    """The facts of each search in the history, oldest first."""
    entries = AuditEntry.objects.filter(action=Action.DIRECTORY_SEARCHED).order_by("sequence")
    assert {entry.raw for entry in entries} <= {None}
    return [entry.facts for entry in entries]


def run(filters: SearchFilters = LAKESIDE, **values: Any) -> SearchPage:
    return search_directory("staging", filters, actor=WORKER, **values)


def test_a_search_shows_what_the_directory_shows(practice: PracticeDirectory, editor: User) -> None:
    practice.register("staging", listed(OTHER, "Lakeside Dental"))
    practice.register("staging", listed(f"{OTHER}.2", "Boston General"))
    practice.register("production", listed(f"{OTHER}.3", "Lakeside of PRODUCTION"))

    page = search_directory("staging", LAKESIDE, actor=as_actor(editor))

    assert [hit.record.name for hit in page.hits] == ["Lakeside Dental"]
    assert (page.completeness, page.end, page.can_continue) == (Completeness.WHOLE, End.SHORT_PAGE, False)
    assert (page.cause, page.unreadable, page.doubled) == ("", (), 0)
    assert 0 < page.seconds < 60


def test_the_history_says_who_searched_for_what_and_how_many_results_came(
    practice: PracticeDirectory, editor: User
) -> None:
    practice.register("staging", listed(OTHER, "Lakeside Dental"))
    filters = SearchFilters(name="Lakeside", active=True)

    page = search_directory("staging", filters, actor=as_actor(editor))

    entry = AuditEntry.objects.get(action=Action.DIRECTORY_SEARCHED)
    assert (entry.actor_id, entry.environment, entry.http_status, entry.raw) == (editor.pk, "staging", 200, None)
    details = entry.facts["details"]
    assert entry.facts["object"] == {"type": "environment", "id": "staging", "name": "STAGING"}
    assert details["filters"] == {"name": "Lakeside", "active": True}
    assert (details["duration_ms"], details["total"]) == (round(page.seconds * 1000), page.total)
    assert details["asked_at"] == page.asked_at.isoformat()
    counts = ("received", "ours_not_here", "in_portal", "not_ours", "unreadable", "doubled", "queries", "index")
    assert [details[name] for name in counts] == [1, 0, 0, 1, 0, 0, 1, 0]
    assert (details["answered"], details["whole"], details["end"]) == (True, True, "short_page")
    assert b"Dental" not in bytes(entry.body)
    assert b"Dental" not in entry.search_text.encode()


def test_nothing_about_other_organizations_is_stored(practice: PracticeDirectory, editor: User) -> None:
    draft = factories.organization(user=editor)
    practice.register("staging", listed(BASE, "Changed there"))
    practice.register("staging", listed(OTHER, "Changed there too"))
    before = Organization.objects.values().get()

    run(SearchFilters(name="Changed"))

    assert Organization.objects.values().get() == before
    assert reload(draft).seen_at is None
    assert not [entry for entry in AuditEntry.objects.all() if b"Changed there" in entry.body or entry.raw]


def test_no_result_differs_from_no_answer(practice: PracticeDirectory) -> None:
    nothing = run(SearchFilters(name="Nobody"))
    assert (nothing.completeness, nothing.can_continue, nothing.position.received) == (Completeness.NOTHING, False, 0)

    practice.behaviour = "gateway-error"
    no_answer = run(SearchFilters(name="Nobody"))
    assert (no_answer.completeness, no_answer.can_continue) == (Completeness.NO_ANSWER, True)
    assert "Bad Gateway" in no_answer.cause
    assert no_answer.position == Position()

    facts = searched()
    assert [each["details"]["answered"] for each in facts] == [True, False]
    assert [each["details"]["filters"] for each in facts] == [{"name": "Nobody"}] * 2
    assert (facts[1]["details"]["received"], facts[1]["details"]["doubled"], no_answer.doubled) == (0, 0, 0)
    assert facts[1]["detail"] == no_answer.cause


def test_an_empty_answer_with_a_total_above_zero_is_not_no_result(redox_server: FakeRedox) -> None:
    redox_server.queries = [answer(Paging={"Count": 5, "Index": 0})]
    page = run()
    assert (page.completeness, page.end, page.total) == (Completeness.PARTIAL, End.EMPTY_PAGE, 5)


def test_a_continued_search_leaves_out_what_was_shown(practice: PracticeDirectory) -> None:
    for number in range(103):
        practice.register("staging", listed(f"{OTHER}.{number + 1}", f"Lakeside {number}"))

    first = run()
    assert (len(first.hits), first.completeness, first.can_continue) == (100, Completeness.PARTIAL, True)
    known = {hit.listed_oid for hit in first.hits}
    practice.register("staging", listed(OTHER, "Lakeside new, before all others"))
    second = run(position=first.position, known_oids=known)

    assert [hit.record.name for hit in second.hits] == ["Lakeside 100", "Lakeside 101", "Lakeside 102"]
    assert (second.completeness, second.doubled, second.position.received) == (Completeness.WHOLE, 1, 104)
    assert [each["details"]["index"] for each in searched()] == [0, 100]


def test_a_search_that_breaks_off_keeps_its_position(practice: PracticeDirectory) -> None:
    for number in range(101):
        practice.register("staging", listed(f"{OTHER}.{number + 1}", f"Lakeside {number}"))
    first = run()

    practice.behaviour = "gateway-error"
    broken_off = run(position=first.position)
    assert (broken_off.completeness, broken_off.can_continue) == (Completeness.PARTIAL, True)
    assert (broken_off.position, broken_off.hits) == (first.position, ())

    practice.behaviour = "answers"
    assert [hit.record.name for hit in run(position=broken_off.position).hits] == ["Lakeside 100"]


def whole_search() -> list[SearchPage]:
    """The pages of a search until it ends or breaks off."""
    pages = [run()]
    while pages[-1].can_continue and not pages[-1].cause:
        known = {hit.listed_oid for page in pages for hit in page.hits}
        pages.append(run(position=pages[-1].position, known_oids=known))
    return pages


@pytest.mark.parametrize(
    ("behaviour", "doubled", "limit"),
    [("answers", 0, 100), ("shows-last-again", 2, 100), ("shows-total", 0, 100), ("shows-large", 0, 50)],
)
def test_a_search_shows_each_organization_once_even_if_pages_overlap(
    practice: PracticeDirectory, behaviour: str, doubled: int, limit: int
) -> None:
    oids = [f"{OTHER}.{number + 1}" for number in range(230)]
    for oid in oids:
        practice.register("staging", listed(oid))
    practice.behaviour = behaviour

    pages = whole_search()

    assert [hit.record.oid for page in pages for hit in page.hits] == oids
    assert (sum(page.doubled for page in pages), pages[-1].position.limit) == (doubled, limit)
    assert pages[-1].completeness == Completeness.WHOLE


def test_the_total_of_a_directory_that_counts_all_results_is_kept(practice: PracticeDirectory) -> None:
    for number in range(130):
        practice.register("staging", listed(f"{OTHER}.{number + 1}"))
    practice.behaviour = "shows-total"
    assert [page.total for page in whole_search()] == [130, 130]
    assert [(each["details"]["received"], each["details"]["total"]) for each in searched()] == [(100, 130), (30, 130)]


def test_every_filter_narrows_the_search(practice: PracticeDirectory) -> None:
    """The practice directory itself is tested in `tests/practice/`."""
    near = {"ZIP": "53704", "State": "WI"}
    practice.register("staging", listed(OTHER, "Lakeside near", Address=near))
    practice.register("staging", listed(f"{OTHER}.2", "Lakeside far", Address={"ZIP": "10001", "State": "NY"}))
    practice.register("staging", listed(f"{OTHER}.3", "Lakeside closed", Address=near, Active=False))
    for filters, names in (
        (SearchFilters(zip_code="53711", radius="10", active=False), ["Lakeside closed"]),
        (SearchFilters(oid=f"{OTHER}.2"), ["Lakeside far"]),
        (SearchFilters(name="Lakeside", changed_since="2100-01-01T00:00:00Z"), []),
        (SearchFilters(name="lakeside", changed_since="2020-01-01T00:00:00Z", state="NY"), ["Lakeside far"]),
    ):
        assert [hit.record.name for hit in run(filters).hits] == names, filters


def actives(practice: PracticeDirectory) -> list[bool | None]:
    """The filter Active of each Query."""
    return [json.loads(each.body).get("Active") for each in practice.requests if b'"Query"' in each.body]


@pytest.mark.parametrize(("is_active", "asked"), [(True, [None]), (False, [None, True, False])])
def test_a_search_by_oid_alone_finds_what_a_query_without_active_leaves_out(
    practice: PracticeDirectory, is_active: bool, asked: list[bool | None]
) -> None:
    practice.register("staging", listed(OTHER, Active=is_active))
    practice.behaviour = Behaviour.SHOWS_ACTIVE_ONLY
    page = run(SearchFilters(oid=OTHER))
    assert ([hit.record.active for hit in page.hits], page.completeness) == ([is_active], Completeness.WHOLE)
    assert actives(practice) == asked
    assert searched()[-1]["details"]["queries"] == len(asked)


def test_a_search_by_oid_shows_nothing_only_after_three_empty_answers(practice: PracticeDirectory) -> None:
    page = run(SearchFilters(oid=OTHER))
    assert (page.completeness, actives(practice)) == (Completeness.NOTHING, [None, True, False])
    run(SearchFilters(oid=OTHER, name="Lakeside"))
    run(SearchFilters(oid=OTHER, active=True))
    assert actives(practice)[3:] == [None, True]


def test_a_search_by_oid_without_a_usable_answer_is_not_repeated(redox_server: FakeRedox) -> None:
    redox_server.queries = [servers.answer(504, b"Gateway Time-out"), answer()]
    assert run(SearchFilters(oid=OTHER)).completeness == Completeness.NO_ANSWER


def test_after_an_answer_that_is_too_large_the_query_asks_for_fewer(practice: PracticeDirectory) -> None:
    for number in range(60):
        practice.register("staging", listed(f"{OTHER}.{number + 1}", "Lakeside " + "x" * 30_000))

    page = run()

    assert (len(page.hits), page.position.limit, page.completeness) == (25, 25, Completeness.PARTIAL)
    (facts,) = searched()
    assert (facts["details"]["queries"], facts["details"]["limit"], facts["http_status"]) == (3, 25, 200)


def test_one_organization_that_is_too_large_ends_the_search(practice: PracticeDirectory) -> None:
    practice.register("staging", listed(OTHER, "Lakeside " + "x" * 1_100_000))
    page = run()
    assert (page.completeness, page.can_continue) == (Completeness.NO_ANSWER, False)
    assert page.cause == "One organization alone has more than 1 MiB."
    assert searched()[0]["details"]["queries"] == 7


def test_a_repeated_page_ends_the_search(redox_server: FakeRedox) -> None:
    redox_server.queries = [answer(*(listed(f"{OTHER}.{number + 1}") for number in range(100)))]
    first = run()
    second = run(position=first.position, known_oids={hit.listed_oid for hit in first.hits})
    assert (second.end, second.completeness, second.can_continue) == (End.REPEATED_PAGE, Completeness.PARTIAL, False)
    assert (second.hits, second.doubled) == ((), 100)


def test_an_organization_that_cannot_be_read_is_named_and_not_stored(redox_server: FakeRedox) -> None:
    redox_server.queries = [answer(listed(OTHER), listed(f"{OTHER}.2", ""), None)]
    page = run()
    assert list(found(page)) == [OTHER]
    assert [each.oid for each in page.unreadable] == [f"{OTHER}.2", ""]
    assert searched()[0]["details"]["unreadable"] == 2


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (servers.answer(504, b"Gateway Time-out"), "Gateway Time-out"),
        (servers.answer(403, b""), "HTTP 403"),
        (servers.answer(200, {"Meta": {"Errors": [{"Text": "No such data model."}]}}), "No such data model."),
        (
            answer(listed(OTHER), Meta={"DataModel": "Organization", "EventType": "New"}),
            "The directory's answer was not understood: it is not an Organization.QueryResponse.",
        ),
        (servers.answer(200, b"<html>"), "The directory's answer was not understood: not a JSON text"),
        (servers.close_after_reading, "Server disconnected"),
    ],
    ids=["gateway", "refused", "errors", "another event", "HTML", "broken off"],
)
def test_a_reply_that_is_not_a_page_counts_as_no_answer(
    redox_server: FakeRedox, reply: servers.Behaviour, cause: str
) -> None:
    redox_server.queries = [reply]
    page = run()
    assert page.is_answered is (not cause.startswith(("Gateway", "Server")))
    assert (page.completeness, page.hits) == (Completeness.NO_ANSWER, ())
    assert page.cause.startswith(cause)
    assert searched()[0]["detail"] == page.cause


def test_a_search_that_was_not_answered_has_not_ended(redox_server: FakeRedox) -> None:
    redox_server.queries = [servers.answer(504, b"Gateway Time-out")]
    page = run(position=Position(limit=1))
    assert (page.end, page.can_continue) == (None, True)


def test_an_organization_that_an_answer_repeats_is_shown_once_and_counted(redox_server: FakeRedox) -> None:
    redox_server.queries = [answer(listed(OTHER), listed(OTHER), listed(f"{OTHER}.2"))]
    page = run()
    assert (list(found(page)), page.doubled) == ([OTHER, f"{OTHER}.2"], 1)


def test_without_a_token_there_is_no_answer(redox_server: FakeRedox) -> None:
    redox_server.tokens = [servers.answer(401, b"Invalid request")]
    page = run()
    assert page.completeness == Completeness.NO_ANSWER
    assert page.cause == "There is no access token: Redox gives no reason."
    assert redox_server.arrived == ["token"]


def test_a_refused_token_is_renewed_once(redox_server: FakeRedox) -> None:
    redox_server.queries = [servers.answer(401, b""), answer(listed(OTHER))]
    assert list(found(run())) == [OTHER]
    assert searched()[0]["details"]["queries"] == 2


def test_nothing_is_asked_while_redox_asks_to_wait(redox_server: FakeRedox) -> None:
    redox_server.queries = [TOO_MANY_REQUESTS]
    page = run()
    assert page.cause.startswith("Too many requests. Redox asked the portal to wait until ")
    assert EnvironmentGate.objects.get(pk="staging").hold_asked_until is not None
    redox_server.arrived.clear()

    again = run()
    assert redox_server.arrived == []
    assert (page.is_answered, again.is_answered) == (True, False)
    assert again.cause.startswith("Redox asked the portal to wait. Nothing is sent to STAGING until ")
    assert [each.get("http_status") for each in searched()] == [429, None]


# Which results are records here, and which are ours -----------------------------------------------------------


def test_each_hit_is_a_record_here_or_ours_or_neither(with_base: PracticeDirectory, editor: User) -> None:
    here = factories.organization(f"{BASE}.1", user=editor)
    outside = factories.accepted_organization(f"{OTHER}.7", user=editor)
    draft = factories.organization(f"{OTHER}.9", user=editor)
    only_called_ours = factories.accepted_organization(f"{OTHER}.10", user=editor)
    Organization.objects.filter(pk=only_called_ours.pk).update(added_as_other=True)
    for organization in (
        listed(f"{BASE}.1"),
        listed(f"{BASE}.2"),
        listed(f"{OTHER}.7.1", part_of=outside.oid),
        listed(f"{OTHER}.7.2", part_of=f"{OTHER}.7.1"),
        listed(f"{OTHER}.8", ManagingOrg="Redox"),
        listed(f"{OTHER}.9.1", part_of=draft.oid),
        listed(f"{OTHER}.10.1", part_of=only_called_ours.oid),
        listed(GATEWAY_OID, part_of=BASE),
    ):
        with_base.register("staging", organization)

    hits = found(run())

    assert {oid: (hit.ownership, hit.organization) for oid, hit in hits.items()} == {
        f"{BASE}.1": (Ownership.BELOW_BASE, here),
        f"{BASE}.2": (Ownership.BELOW_BASE, None),
        f"{OTHER}.7.1": (Ownership.PART_OF_OURS, None),
        f"{OTHER}.7.2": (Ownership.PART_OF_OURS, None),
        f"{OTHER}.8": (Ownership.NOT_OURS, None),
        f"{OTHER}.9.1": (Ownership.NOT_OURS, None),
        f"{OTHER}.10.1": (Ownership.NOT_OURS, None),
        GATEWAY_OID: (Ownership.NOT_OURS, None),
    }
    details = searched()[0]["details"]
    assert [details[name] for name in ("ours_not_here", "in_portal", "not_ours")] == [3, 1, 4]


def test_a_record_of_the_other_environment_is_not_here(practice: PracticeDirectory, editor: User) -> None:
    factories.organization(f"{BASE}.1", user=editor, environment="production")
    practice.register("staging", listed(f"{BASE}.1"))
    assert found(run())[f"{BASE}.1"].organization is None


def test_a_record_is_found_by_any_oid_of_a_hit(practice: PracticeDirectory, editor: User) -> None:
    here = factories.organization(user=editor)
    practice.register("staging", listed(BASE))
    practice.behaviour = "shows-two-oids"
    (hit,) = run().hits
    assert (hit.organization, hit.record.oid, hit.listed_oid) == (here, BASE, BASE)


def test_a_hit_is_ours_by_any_of_its_oids(with_base: PracticeDirectory) -> None:
    with_base.register("staging", listed(f"{BASE}.1"))
    with_base.behaviour = "shows-two-oids"
    (hit,) = run().hits
    assert (hit.record.oid, hit.ownership) == (f"{BASE}.1", Ownership.BELOW_BASE)


def test_organizations_with_the_same_first_oid_are_not_repeated(with_base: PracticeDirectory) -> None:
    """Ours are shown under the OID that makes them ours, others under one that is not shared."""
    oids = {f"{BASE}.1", f"{BASE}.2", LATE, f"{LATE}.1"}
    for oid in oids:
        with_base.register("staging", listed(oid))
    with_base.behaviour = "shows-two-oids"
    page = run()
    assert (set(found(page)), page.doubled) == (oids, 0)
    again = run(known_oids={hit.listed_oid for hit in page.hits})
    assert (again.hits, again.doubled) == ((), 4)


def test_a_hit_names_the_fields_that_differ(practice: PracticeDirectory, editor: User) -> None:
    factories.accepted_organization(user=editor)
    practice.register("staging", listed(BASE, "Lakeside by hand"))
    (hit,) = run().hits
    assert hit.compared == Compared.DIFFERS
    assert "Name" in hit.differing


def comparison(organization: Organization, **values: Any) -> tuple[Compared, tuple[str, ...]]:
    """Compare a record with a hit that has its saved values, with these changed."""
    shown = replace(organization.record(), destination_id="", destination_known=False, **values)
    return search.compare(reload(organization), shown)


def test_a_hit_is_compared_with_what_was_accepted(db: None, editor: User) -> None:
    organization = factories.accepted_organization(user=editor)
    assert comparison(organization) == (Compared.AS_ACCEPTED, ())
    assert comparison(organization, name=" Lakeside  1") == (Compared.AS_ACCEPTED, ())
    assert comparison(organization, name="Another", aliases=("One",)) == (Compared.DIFFERS, ("Name", "Aliases"))

    edit(organization, editor, name="Saved here and not sent")
    assert comparison(organization) == (Compared.AS_ACCEPTED, ())


def test_a_hit_is_compared_with_what_was_shown(db: None, editor: User) -> None:
    organization = show_in_directory(factories.accepted_organization(user=editor), name="By hand")
    assert comparison(organization, name="By hand") == (Compared.AS_SHOWN, ())
    assert comparison(organization) == (Compared.AS_ACCEPTED, ())
    assert comparison(organization, name="By somebody else") == (Compared.DIFFERS, ("Name",))


def test_a_record_that_was_shown_and_never_accepted_is_compared_with_what_was_shown(db: None, editor: User) -> None:
    organization = store_reading(factories.organization(user=editor), factories.record(name="By hand"))
    assert comparison(organization, name="By hand") == (Compared.AS_SHOWN, ())
    assert comparison(organization, name="By somebody else") == (Compared.DIFFERS, ("Name",))


def test_a_record_that_was_never_accepted_or_shown_is_not_compared(db: None, editor: User) -> None:
    organization = factories.organization(user=editor)
    assert comparison(organization) == (Compared.NOT_KNOWN, ())


def test_a_record_whose_oid_was_decided_to_be_foreign_is_not_ours(practice: PracticeDirectory, editor: User) -> None:
    organization = factories.organization(user=editor)
    store_reading(organization, replace(organization.record(), name="Boston General"))
    differences.decide_foreign(organization.pk, reason="Not ours", actor=as_actor(editor))
    practice.register("staging", listed(BASE, "Lakeside Boston"))
    practice.register("staging", listed(f"{BASE}.1", part_of=BASE))

    hits = found(run())

    assert (hits[BASE].organization, hits[BASE].compared) == (organization, Compared.FOREIGN)
    assert {hit.ownership for hit in hits.values()} == {Ownership.NOT_OURS}
    with override_settings(REDOX=redox(practice.url, REDOX_STAGING_BASE_OIDS=BASE)):
        assert found(run())[BASE].ownership == Ownership.NOT_OURS


def test_values_of_a_message_that_is_being_sent_do_not_differ(db: None, unreachable_redox: None, editor: User) -> None:
    organization = factories.accepted_organization(user=editor)
    edit(organization, editor, name="Lakeside North")
    factories.submission(reload(organization), user=editor)
    assert comparison(organization, name="Lakeside North") == (Compared.DIFFERS, ("Name",))
    assert claim() is not None
    assert comparison(organization, name="Lakeside North") == (Compared.AS_SENT, ())
    assert comparison(organization, name="Another") == (Compared.DIFFERS, ("Name",))
