"""The button "Find ours", and what the pages say about a search through the whole directory."""

from collections.abc import Callable

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from organizations.models import (
    Action,
    AuditEntry,
    Candidate,
    CandidateState,
    Organization,
    TakeOver,
    TakeOverKind,
    TakeOverState,
    User,
)
from organizations.oid import Oid
from organizations.redox.paging import Position
from organizations.services.directory import candidates, take_over
from organizations.services.directory.page_query import MAY_MISS_SOME
from organizations.text.markup import written
from tests import factories
from tests.factories import BASE, as_actor
from tests.page_text import text_in

pytestmark = pytest.mark.django_db

PAGE = "/staging/directory/take-over/"


def begin(user: User, **values: object) -> TakeOver:
    run = take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(user))
    TakeOver.objects.filter(pk=run.pk).update(**values)
    run.refresh_from_db()
    return run


def add(run: TakeOver, oid: str, state: CandidateState, source: str = "") -> None:
    candidate = Candidate(take_over=run, position=0, oid=oid, oid_key=Oid(oid).key, source=source)
    if state in (CandidateState.FOUND, CandidateState.HERE):
        candidates.set_seen(candidate, factories.record(oid))
    candidate.state = state
    candidate.save()


def end(run: TakeOver, reason: str = "") -> None:
    TakeOver.objects.filter(pk=run.pk).update(
        state=TakeOverState.READY, state_at=timezone.now(), end_reason=reason, position={}
    )


def page_of(client: Client, run: TakeOver) -> str:
    return text_in(client.get(f"{PAGE}{run.pk}/").content.decode())


def test_an_approver_enters_the_base_oid_and_the_worker_reads_from_the_first_page(
    client_of: Callable[..., Client],
) -> None:
    answer = client_of("approver").post(PAGE, {"find": "1", "find-base_oid": BASE})
    run = TakeOver.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}{run.pk}/")
    assert (run.kind, run.state, run.base_oids) == (TakeOverKind.SCAN, TakeOverState.ASKING, [BASE])
    assert Position.from_json(run.position) == Position()


def test_without_a_base_oid_nothing_begins_and_the_error_is_at_its_field(client_of: Callable[..., Client]) -> None:
    answer = client_of("approver").post(PAGE, {"find": "1", "find-base_oid": " "})
    assert answer.status_code == 422
    assert b'id="id_find-base_oid_error"' in answer.content
    assert not TakeOver.objects.exists()


def test_an_editor_cannot_enter_the_base_oid(client: Client) -> None:
    assert client.post(PAGE, {"find": "1", "find-base_oid": BASE}).status_code == 403
    assert not TakeOver.objects.exists()


def test_an_editor_can_begin_a_search_if_the_base_oid_is_known(client: Client, editor: User) -> None:
    end(begin(editor))
    assert client.post(PAGE, {"find": "1"}).status_code == 302
    assert TakeOver.objects.filter(kind=TakeOverKind.SCAN, base_oids=[BASE]).count() == 2


def test_a_second_search_is_refused_while_one_runs(client: Client, editor: User) -> None:
    run = begin(editor)
    answer = client.post(PAGE, {"find": "1"})
    assert answer.status_code == 409
    assert f"The directory is being searched already, in take-over {run.pk}." in text_in(answer.content.decode())


def test_the_page_names_the_time_and_the_result_of_the_last_search(client: Client, editor: User) -> None:
    run = begin(editor)
    factories.organization(f"{BASE}.1", user=editor)
    for number, state in ((1, CandidateState.HERE), (2, CandidateState.FOUND), (3, CandidateState.REFUSED)):
        add(run, f"{BASE}.{number}", state)
    add(run, f"{BASE}.4", CandidateState.UNANSWERED, "probe")
    running = text_in(client.get(PAGE).content.decode())
    assert "Running now, 3 found, 2 not in the portal" in running
    assert "Find ours again" not in running
    end(run)
    text = text_in(client.get(PAGE).content.decode())
    assert f"{written(timezone.now(), 'day')}, 3 found, 2 not in the portal" in text
    assert "Find ours again" in text
    end(run, "No answer.")
    assert "2 not in the portal. It ended early" in text_in(client.get(PAGE).content.decode())


def test_the_progress_says_how_much_was_read_and_found(client: Client, editor: User) -> None:
    run = begin(editor, read_count=12_300, position=Position(index=12_300, pages=123).to_json())
    add(run, f"{BASE}.1", CandidateState.FOUND)
    assert "12,300 organizations read, 1 of yours found; page 124." in page_of(client, run)
    TakeOver.objects.update(position=Position(pages=1).to_json() | {"active": False})
    assert "page 2 of the deactivated organizations." in page_of(client, run)
    assert b"<progress aria-label" in client.get(f"{PAGE}{run.pk}/progress/").content


def test_the_progress_counts_the_probes_and_does_not_list_them(client: Client, editor: User) -> None:
    run = begin(editor, read_count=1, position={}, probes_added=3, probes_total=3_800)
    add(run, f"{BASE}.1", CandidateState.FOUND)
    for number, state in enumerate(("waiting", "absent", "unanswered"), start=2):
        add(run, f"{BASE}.{number}", CandidateState(state), "probe")
    answer = client.get(f"{PAGE}{run.pk}/")
    text = text_in(answer.content.decode())
    assert "1 organization read, 1 of yours found. 2 of 3,800 OIDs asked about." in text
    assert [row.candidate.oid for _, row in answer.context["rows"]] == [f"{BASE}.1"]


def test_as_many_organizations_are_counted_as_listed(client: Client, editor: User) -> None:
    """A page may show an organization that cannot be read. The Query for its OID may then get no answer."""
    run = begin(editor, read_count=2)
    add(run, f"{BASE}.1", CandidateState.FOUND)
    add(run, f"{BASE}.2", CandidateState.UNANSWERED)
    add(run, f"{BASE}.3", CandidateState.UNANSWERED, "probe")
    end(run)
    answer = client.get(f"{PAGE}{run.pk}/")
    assert len(answer.context["rows"]) == 2
    assert "2 organizations read, 2 of yours found, 2 not in the portal." in text_in(answer.content.decode())


def test_a_result_never_claims_to_be_complete(client: Client, editor: User) -> None:
    run = begin(editor, read_count=1)
    end(run)
    text = page_of(client, run)
    assert "1 organization read, 0 of yours found, 0 not in the portal." in text
    assert "The directory may have more of your organizations" in text
    assert "Ask again" not in text


def test_a_result_says_that_the_directory_showed_organizations_more_than_once(client: Client, editor: User) -> None:
    run = begin(editor, problems=[{"source": "Page 2 of the directory", "sentence": MAY_MISS_SOME}])
    end(run)
    assert page_of(client, run).count(MAY_MISS_SOME) == 1


def test_a_search_that_broke_off_says_why_and_can_be_continued(client: Client, editor: User) -> None:
    run = begin(editor, state=TakeOverState.READY, end_reason="HTTP 502.", position=Position(index=100).to_json())
    text = page_of(client, run)
    assert "HTTP 502." in text
    assert "Continue the search" in text
    assert client.post(f"{PAGE}{run.pk}/", {"again": "1"}).status_code == 302
    run.refresh_from_db()
    assert (run.state, run.end_reason, run.position["index"]) == (TakeOverState.ASKING, "", 100)


def test_a_search_that_stopped_between_the_oids_below_records_counts_the_others_and_can_be_continued(
    client: Client, editor: User
) -> None:
    run = begin(editor, state=TakeOverState.READY, position={}, probes_added=20, probes_total=60)
    text = page_of(client, run)
    assert "40 possible OIDs were not asked about or got no answer." in text
    assert "The search ended early" in text
    assert "Continue the search" in text
    assert client.post(f"{PAGE}{run.pk}/", {"again": "1"}).status_code == 302
    run.refresh_from_db()
    assert run.state == TakeOverState.ASKING


@override_settings(REDOX_SETTLE=180)
def test_the_page_says_how_many_oids_are_asked_about_and_how_long_that_takes_and_asks_only_if_ticked(
    client: Client, editor: User
) -> None:
    end(begin(editor))
    for number in range(1, 100):
        factories.organization(f"{BASE}.{number}", user=editor)
    Organization.objects.update(presence="present")
    text = text_in(client.get(PAGE).content.decode())
    assert "About 2,000 OIDs now, and those below what the search finds." in text
    assert "takes 3 Queries, so this takes at least 50 minutes." in text
    for posted, asks in (({}, False), ({"find-asks_probes": "on"}, True)):
        assert client.post(PAGE, {"find": "1", **posted}).status_code == 302
        run = TakeOver.objects.latest("pk")
        assert run.asks_probes == asks
        end(run)


def test_organizations_that_were_left_out_are_named(client: Client, editor: User) -> None:
    run = begin(editor, problems=[{"source": f"{BASE}.7", "sentence": "It belongs to others."}])
    end(run)
    assert f"Left out {BASE}.7 It belongs to others." in page_of(client, run)


def test_the_history_shows_the_organizations_of_ours_and_does_not_call_them_the_response(
    client_of: Callable[..., Client], editor: User
) -> None:
    run = begin(editor, read_count=40)
    add(run, f"{BASE}.1", CandidateState.FOUND)
    run.candidates.update(asked_at=timezone.now())
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    entry = AuditEntry.objects.get(action=Action.DIRECTORY_SCANNED)
    text = text_in(client_of("auditor").get(f"/audit/{entry.sequence}/").content.decode())
    assert "ended early: A person stopped it. 40 organizations read, 1 of ours." in text
    assert "The organizations of ours, as the portal read them [{" in text
    assert f'"oid":"{BASE}.1"' in text
