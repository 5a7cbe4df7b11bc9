"""Hostile URLs: unknown and malformed parts, and hostile query strings."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from benchmarks.malformed_world import addresses
from organizations.models import AuditEntry
from tests import factories
from tests.factories import BASE
from tests.hostile.typed import MARKUP, Input, query, stored

# For each part of a URL, a valid value that does not exist, and invalid values.
NUMBERS = ("0", "-1", "1.5", "\uff17", str(2**63), str(2**64), "9" * 5_000, "\x00", b"\xed\xa0\x80")
PARTS: dict[str, tuple[str, tuple[str | bytes, ...]]] = {
    "environment": ("staging", ("STAGING", "development", "\x00", b"staging\xed\xa0\x80", "staging\n", "x" * 5_000)),
    "oid": (
        "2.999.7654321",
        (
            "2.999.7654322",
            "3.1",
            "2..1",
            "1",
            f"{BASE}\n",
            "2." + "1" * 62,
            "2.1" * 40,
            "2\u0664.1",
            f"{BASE}\x00",
            MARKUP,
        ),
    ),
    "number": ("7654321", NUMBERS),
    "plan": ("7654321", NUMBERS),
    "list_number": ("7654321", NUMBERS),
    "sequence": ("7654321", NUMBERS),
    "person": ("7654321", (*NUMBERS, "a" * 5_000, MARKUP)),
}


def wrong_addresses() -> Iterator[tuple[str, str, str]]:
    """(name, method, URL): each address with objects that do not exist, and each malformed part at one address."""
    tried: set[str] = set()
    for name, parts in addresses().items():
        right = reverse(name, kwargs={part: PARTS[part][0] for part in parts})
        if set(parts) - {"environment"}:
            yield name, "GET", right
            yield name, "POST", right
        for part in set(parts) - tried:
            for wrong in PARTS[part][1]:
                yield name, "GET", right.replace(f"/{PARTS[part][0]}/", f"/{quote(wrong, safe='')}/")
        tried |= set(parts)


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(factories.UserFactory(role=role))
    return client


@pytest.mark.both_databases
def test_an_address_with_an_unknown_or_malformed_part_is_not_found(db):
    administrator, approver = signed_in("administrator"), signed_in("approver")
    found: dict[str, set[int]] = {}
    for name, method, address in wrong_addresses():
        client = administrator if name.startswith("person") else approver
        answer: Any = client.generic(method, address)
        found.setdefault(name, set()).add(answer.status_code)
        assert MARKUP not in answer.content.decode()
    assert len(found) > 20
    assert {name: statuses for name, statuses in found.items() if not statuses <= {404, 405}} == {}


def test_the_history_keeps_a_refused_address_unchanged(db):
    viewer = signed_in("viewer")
    for address in (f"/staging/organizations/2.{'1' * 62}/discard/", "/people/7654321/close/"):
        assert viewer.post(address).status_code == 403
        entry = AuditEntry.objects.order_by("-sequence").first()
        assert entry is not None
        assert viewer.get(reverse("audit-entry", args=[entry.pk])).status_code == 200
    assert viewer.post(f"/staging/organizations/2.{'1' * 63}/discard/").status_code == 404


LISTS = "/staging/organizations/"
RECORD = f"{LISTS}{BASE}/"
STRANGE = f"\x00\x07\u202e\u200b{MARKUP}{{{{ 7 }}}}'\"\\%_".encode() + b"\xed\xa0\x80\xff"
TEXTS: tuple[Input, ...] = (STRANGE, "x" * 10_000, "a " * 5_000, ["-1", "2." + "1" * 62])
FEW_TEXTS = (STRANGE, "x" * 10_000)  # for parameters whose reader is tested with all texts elsewhere
FEW_NUMBERS = (STRANGE, "9" * 5_000)
NUMBERS_OR_WORDS: tuple[Input, ...] = (STRANGE, str(2**63), "9" * 5_000, ["-1", "2"])
# By role: addresses, each with the values to try and the parameters that get them.
QUERIES: dict[str, tuple[tuple[str, tuple[Input, ...], tuple[str, ...]], ...]] = {
    "approver": (
        (LISTS, TEXTS, ("q", "below")),
        (LISTS, FEW_TEXTS, ("below",)),
        (LISTS, NUMBERS_OR_WORDS, ("open", "page", "sort", "standing", "open_work", "stands_for", "state", "view")),
        (LISTS, (STRANGE,), ("contact", "hide_deactivated")),
        (f"{LISTS}?view=list", FEW_NUMBERS, ("page", "sort")),
        (f"{LISTS}?view=list", FEW_TEXTS, ("q",)),
        (f"{LISTS}export/", FEW_TEXTS, ("q", "below", "sort")),
        (f"{LISTS}new/", TEXTS, ("below",)),
        (f"{LISTS}new/", (STRANGE,), ("like",)),
        (f"{LISTS}suggestions/", TEXTS, ("parent",)),
        (f"{LISTS}suggestions/", (STRANGE,), ("below",)),
        (f"{RECORD}branch/", FEW_NUMBERS, ("page",)),
        (f"{RECORD}history/", FEW_NUMBERS, ("page", "rows")),
        ("/search/", TEXTS, ("q",)),
        ("/search/?q=Lakeside", (STRANGE,), ("environment",)),
        ("/staging/submissions/", FEW_NUMBERS, ("page", "state", "mine")),
        ("/audit/", (*TEXTS, "9" * 5_000), ("record",)),
        ("/audit/", NUMBERS_OR_WORDS, ("before",)),
        ("/audit/", NUMBERS_OR_WORDS, ("submission",)),
        ("/audit/", NUMBERS_OR_WORDS, ("who", "what", "environment", "outcome", "from", "to", "times")),
        ("/sign-in/", (STRANGE,), ("next",)),
    ),
    "auditor": (("/audit/export/", (STRANGE,), ("format",)), ("/audit/export/?format=json", FEW_TEXTS, ("record",))),
    "administrator": (("/people/new/", (STRANGE, "9" * 5_000), ("username", "groups", "next")),),
}


@pytest.mark.usefixtures("long_addresses")
@pytest.mark.parametrize("role", QUERIES)
def test_no_query_string_causes_an_error(organization, role):
    client = signed_in(role)
    before = stored()[:-1]
    for place, values, names in QUERIES[role]:
        path, _, rest = place.partition("?")
        headers = {"HX-Request": "true"} if "branch" in path else {}
        for value in values:
            text = "&".join(filter(None, (rest, query(dict.fromkeys(names, value)))))
            answer: Any = client.get(path, QUERY_STRING=text, headers=headers)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert answer.status_code in (200, 302, 400, 404, 422), (place, text[:80])
            assert MARKUP.encode() not in body or answer.streaming, (place, text[:80])
            assert not re.search(r"[\r\n]", answer.get("Location", ""))
    assert stored()[:-1] == before


@pytest.mark.both_databases
def test_an_invalid_filter_of_the_history_is_never_ignored(client):
    names = ("who", "what", "environment", "outcome", "from", "to")
    response: Any = client.get("/audit/", dict.fromkeys(names, f"\x00{MARKUP}"))
    assert response.status_code == 422
    assert {name for name, _ in response.context["problems"]} == {*names[:4], "since", "until"}


def test_an_unknown_method_is_refused_everywhere(db):
    client = signed_in("approver")
    for place, (name, parts) in enumerate(addresses().items()):
        address = reverse(name, kwargs={part: PARTS[part][0] for part in parts})
        for method in ("DELETE", *(("PROPFIND", "TRACE", "OPTIONS", "G\u00cbT") if place % 10 == 0 else ())):
            assert client.generic(method, address).status_code == 405, (method, name)
