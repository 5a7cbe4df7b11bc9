"""The chain of the history: no gap, no fork, hashes over the stored bytes, and one transaction with the action."""

import hashlib
import json

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.models import Action, AuditEntry, AuditHead, Organization, User
from organizations.services.actors import system
from organizations.services.audit import audit
from tests import factories
from tests.factories import BASE

pytestmark = pytest.mark.django_db
PORTAL = system("Test")


def add(count: int = 1) -> None:
    with audit.atomic(PORTAL) as history:
        for _ in range(count):
            history.log(Action.SETTINGS_SEEN, object={"type": "settings", "id": ""})


def test_sequences_have_no_gap_and_each_entry_names_the_hash_before_it() -> None:
    for count in (1, 3, 2):
        add(count)

    entries = list(AuditEntry.objects.order_by("sequence"))
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4, 5, 6]
    hashes = [audit.FIRST_HASH, *(entry.hash for entry in entries)]
    assert [entry.previous_hash for entry in entries] == hashes[:-1]
    head = AuditHead.objects.get()
    assert (head.sequence, head.hash) == (6, hashes[-1])


def test_the_hash_is_over_the_stored_bytes_in_the_documented_form() -> None:
    add()
    entry = AuditEntry.objects.get()
    body = bytes(entry.body)
    parts = [b"orgportal-audit-v1", b"1", b"0" * 64, str(len(body)).encode(), body]
    assert entry.hash == hashlib.sha256(b"\x00".join(parts)).hexdigest()


def test_the_body_is_canonical_and_says_who_when_and_with_which_release() -> None:
    add()
    entry = AuditEntry.objects.get()
    facts = json.loads(bytes(entry.body))
    assert bytes(entry.body) == audit.canonical_json(facts)
    assert (facts["form"], facts["sequence"], facts["action"]) == (1, 1, "settings.seen")
    assert facts["actor"]["name"] == "Test"
    assert facts["time"] == entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert facts["release"]


def test_a_fork_cannot_be_stored() -> None:
    add(2)
    last = AuditEntry.objects.get(sequence=2)
    last.pk, last.hash = 3, "f" * 64
    with pytest.raises(IntegrityError), transaction.atomic():
        last.save(force_insert=True)


def test_an_error_in_an_action_saves_neither_action_nor_entry(editor: User) -> None:
    organization = factories.organization(user=editor)
    entries_before = AuditEntry.objects.count()

    def act() -> None:
        with audit.atomic(PORTAL) as history:
            Organization.objects.filter(pk=organization.pk).update(name="Half")
            history.log_record(Action.ORGANIZATION_EDITED, organization)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        act()
    assert Organization.objects.get().name != "Half"
    assert AuditEntry.objects.count() == entries_before


def test_facts_are_saved_only_by_the_outermost_transaction() -> None:
    """Inside another transaction, its rollback could undo what was reported as done."""
    with transaction.atomic(), pytest.raises(RuntimeError):
        add()
    assert not AuditEntry.objects.exists()


def test_an_entry_about_a_record_holds_the_whole_record(editor: User) -> None:
    factories.organization(user=editor)
    facts = AuditEntry.objects.get(oid=BASE).facts
    assert facts["record"] == factories.record().to_json()
    assert (facts["version"], facts["environment"], facts["oid"]) == (1, "staging", BASE)


def test_raw_bytes_are_stored_up_to_the_limit_and_always_hashed_whole() -> None:
    raw = b"\x00\xff" * audit.MAX_RAW_BYTES
    with audit.atomic(PORTAL) as history:
        history.log(Action.ATTEMPT_RESPONSE, raw=raw)
    entry = AuditEntry.objects.get()
    assert (len(bytes(entry.raw or b"")), entry.raw_cut) == (audit.MAX_RAW_BYTES, True)
    assert entry.facts["raw_sha256"] == hashlib.sha256(raw).hexdigest()
    assert entry.facts["raw_bytes"] == len(raw)


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner),
    max_leaves=12,
)


@settings(max_examples=40)
@given(_JSON)
def test_canonical_json_has_one_form_and_loses_nothing(value: object) -> None:
    text = audit.canonical_json(value)
    assert json.loads(text) == value
    assert audit.canonical_json(json.loads(text)) == text
