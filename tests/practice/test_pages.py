"""The pages of a long list, and the behaviours in which they are incomplete or wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from organizations.practice import Credential, PracticeDirectory
from tests.practice.helpers import OID, Portal, by_oid, organization, query, success, write

LIMIT = 4
NAMES = [f"Lakeside {number:02}" for number in range(11)]


@pytest.fixture(autouse=True)
def listed(portal: Portal) -> None:
    """Register more records than two pages can show."""
    for number, name in enumerate(NAMES):
        portal.practice.register("staging", organization(f"{OID}.{number}", Name=name, Active=number != 0))


def names(portal: Portal, **filters: Any) -> list[str]:
    return [record["Name"] for record in portal.post(query(**filters)).json()["Organizations"]]


def pages(portal: Portal) -> Iterator[list[str]]:
    """The pages that a client asks for, up to the first one that is not full."""
    index = 0
    while True:
        page = names(portal, Index=str(index), Limit=str(LIMIT))
        yield page
        index += len(page)
        if len(page) < LIMIT:
            return


def test_pages_show_each_record_once_and_count_their_own_records(portal: Portal) -> None:
    assert list(pages(portal)) == [NAMES[:4], NAMES[4:8], NAMES[8:]]
    assert portal.post(query(Index="8", Limit="4")).json()["Paging"] == {"Count": 3, "Index": 8}


def test_pages_begin_with_the_last_record_of_the_page_before(portal: Portal) -> None:
    portal.practice.behaviour = "shows-last-again"
    assert list(pages(portal)) == [NAMES[:4], NAMES[3:7], NAMES[6:10], NAMES[9:]]


def test_pages_leave_out_one_record_after_the_page_before(portal: Portal) -> None:
    portal.practice.behaviour = "shows-gaps"
    assert list(pages(portal)) == [NAMES[:4], NAMES[5:9], NAMES[10:]]
    assert names(portal, Identifier={"ID": f"{OID}.4", "IDType": "OID"}) == [NAMES[4]]


def test_pages_count_all_records_that_match_the_query(portal: Portal) -> None:
    portal.practice.behaviour = "shows-total"
    assert portal.post(query(Index="4", Limit="4")).json()["Paging"] == {"Count": 11, "Index": 4}
    assert portal.post(query(Index="8", Limit="4", Active=True)).json()["Paging"] == {"Count": 10, "Index": 8}
    assert portal.post(by_oid("2.25.1")).json()["Paging"]["Count"] == 0


def test_the_first_page_is_shown_and_the_connection_ends_at_the_next(portal: Portal) -> None:
    portal.practice.behaviour = "shows-first-page"
    assert names(portal, Index="0", Limit="4") == names(portal, Limit="4") == NAMES[:4]
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        portal.post(query(Index="4", Limit="4"))


def test_the_connection_ends_in_the_middle_of_an_answer(portal: Portal) -> None:
    whole = portal.post(query()).content
    portal.practice.behaviour = "shows-half"
    with portal.http.stream(
        "POST",
        f"{portal.practice.url}/endpoint",
        json=query(),
        headers={"Authorization": f"Bearer {portal.tokens['staging']}"},
    ) as answer:
        assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(len(whole)))
        with pytest.raises(httpx.RemoteProtocolError, match=f"received {len(whole) // 2} bytes"):
            answer.read()
    assert portal.practice.effects == []


def test_a_page_has_one_and_a_half_mebibytes_and_half_a_page_half_of_that(portal: Portal) -> None:
    portal.practice.register_others("staging", 100)
    portal.practice.behaviour = "shows-large"
    large = portal.post(query())
    assert len(large.json()["Organizations"]) == 100
    assert 1.5 * 2**20 <= len(large.content) < 1.6 * 2**20
    assert len(portal.post(query(Limit="50")).content) < 2**20
    assert portal.post(by_oid(f"{OID}.1")).json()["Organizations"][0]["Name"] == NAMES[1]


def test_a_stale_directory_shows_the_state_before_the_last_write(portal: Portal) -> None:
    success(portal.post(write()))
    success(
        portal.post(write("Update", Identifiers=[{"ID": f"{OID}.1", "IDType": "OID"}], Name="Second", Active=False))
    )
    portal.practice.register("staging", organization(f"{OID}.2", Name="Changed by hand"))
    portal.practice.behaviour = "shows-stale"
    assert names(portal) == NAMES
    assert names(portal, Active=False) == [NAMES[0]]
    assert names(portal, NameSearch={"Value": "Second"}) == names(portal, Identifier=by_oid()["Identifier"]) == []
    assert names(portal, NameSearch={"Value": NAMES[1]}, State="WI") == [NAMES[1]]
    assert portal.practice.organizations("staging")[f"{OID}.1"]["Name"] == "Second"
    portal.practice.behaviour = "answers"
    assert names(portal)[:4] == ["Lakeside Clinics", NAMES[0], "Second", "Changed by hand"]


def test_a_write_that_is_not_shown_yet_does_not_match_a_changed_since_filter(portal: Portal) -> None:
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    success(portal.post(write()))
    assert len(names(portal, LastUpdated=since)) == len(NAMES) + 1
    portal.practice.behaviour = "shows-stale"
    assert names(portal, LastUpdated=since) == []


def test_a_change_is_shown_after_some_seconds(
    tmp_path: Path, credentials: list[Credential], http: httpx.Client
) -> None:
    def shown(seconds: float, *messages: dict[str, Any]) -> list[str]:
        with PracticeDirectory(tmp_path / "late", credentials, slow_seconds=seconds) as practice:
            practice.behaviour = "shows-late"
            for message in messages:
                success(Portal(practice, http).post(message))
            return names(Portal(practice, http))

    assert shown(600, write()) == []
    assert shown(0) == ["Lakeside Clinics"]
    assert shown(600, write("Update", Name="Second")) == ["Lakeside Clinics"]
    assert shown(0) == ["Second"]
