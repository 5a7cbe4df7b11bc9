"""Writes the history: entries in the transaction of the action itself, chained by hashes.

A service opens `atomic()` as its outermost transaction and logs its facts. All entries are appended at the end of
the transaction, so the head row is locked only briefly. Never give this module a secret.
"""

import datetime
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from organizations.models import Action, AuditEntry, AuditHead, Organization, Submission, clock
from organizations.records import Difference
from organizations.services import failpoints, search_text, wakeup
from organizations.services.actors import Actor
from orgportal import RELEASE

ENTRY_FORMAT = 1
MAX_RAW_BYTES = 1024 * 1024
FIRST_HASH = "0" * 64
_DOMAIN = b"orgportal-audit-v1"


@dataclass(slots=True)
class _Fact:
    action: Action
    actor: Actor
    body: dict[str, Any]
    raw: bytes | None = None
    raw_cut: bool = False


@dataclass(slots=True)
class History:
    """Collects the entries of one transaction."""

    actor: Actor
    facts: list[_Fact] = field(default_factory=list)

    def log(self, action: Action, *, raw: bytes | None = None, raw_cut: bool = False, **body: Any) -> None:
        """Log a fact. `body` holds JSON values only: text, integers, booleans, None, lists and objects.

        `raw_cut`: the caller cut `raw`. Then hash and size in the entry are those of the cut bytes.
        """
        self.facts.append(_Fact(action, self.actor, dict(body), raw, raw_cut))

    def log_record(
        self,
        action: Action,
        organization: Organization,
        *,
        changes: tuple[Difference, ...] = (),
        submission: Submission | None = None,
        reason: str = "",
        exchange: dict[str, Any] | None = None,
        **details: Any,
    ) -> None:
        """Log a fact about a record, with the whole neutral record after the action and the exchange that shows it."""
        self.log(
            action,
            object={"type": "organization", "id": str(organization.pk), "name": organization.name},
            environment=organization.environment,
            oid=organization.oid,
            organization_id=organization.pk,
            version=organization.version,
            changes=[change_facts(difference) for difference in changes],
            fields=[difference.field for difference in changes],
            record=organization.record().to_json(),
            stands_for=organization.stands_for,
            submission=submission.pk if submission else None,
            reason=reason,
            details=details,
            **(exchange or {}),
        )

    def log_submission(self, action: Action, submission: Submission, *, raw: bytes | None = None, **body: Any) -> None:
        """Log a fact about a submission."""
        self.log(
            action,
            raw=raw,
            object={"type": "submission", "id": str(submission.pk), "name": submission.organization.name},
            environment=submission.environment,
            oid=submission.oid,
            organization_id=submission.organization_id,
            submission=submission.pk,
            event=submission.event,
            intent=submission.intent,
            message_sha256=submission.message_sha256,
            **body,
        )


@contextmanager
def atomic(actor: Actor) -> Iterator[History]:
    """Open the outermost transaction. At its end all logged facts are appended to the chain, or none."""
    with transaction.atomic(durable=True):
        history = History(actor)
        yield history
        failpoints.reach("before-history")
        if history.facts:
            _append(history.facts)
            if actor.person is not None:
                wakeup.wake_workers()


def hash_of(sequence: int, previous_hash: str, body: bytes) -> str:
    """SHA-256 of domain, sequence, previous hash, body length and body bytes, joined by zero bytes."""
    parts = (_DOMAIN, str(sequence).encode(), previous_hash.encode(), str(len(body)).encode(), body)
    return hashlib.sha256(b"\x00".join(parts)).hexdigest()


def canonical_json(value: Any) -> bytes:
    """The value as RFC 8785 JSON: sorted keys, no blanks, no floats, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def change_facts(difference: Difference) -> dict[str, str]:
    """A difference in the form that an entry stores."""
    return {
        "field": difference.field,
        "label": difference.label,
        "before": difference.before,
        "after": difference.after,
    }


def _append(facts: list[_Fact]) -> None:
    head = AuditHead.objects.select_for_update().get(pk=1)
    moment = clock.now()
    entries = []
    for fact in facts:
        entry = _entry(head.sequence + 1, head.hash, moment, fact)
        head.sequence, head.hash = entry.sequence, entry.hash
        entries.append(entry)
    AuditEntry.objects.bulk_create(entries)
    head.save(update_fields=["sequence", "hash"])


def _entry(sequence: int, previous_hash: str, moment: datetime.datetime, fact: _Fact) -> AuditEntry:
    facts = {key: value for key, value in fact.body.items() if value not in (None, "", [], {})}
    body = canonical_json(facts | _head(sequence, moment, fact) | _raw_facts(fact.raw))
    return AuditEntry(
        sequence=sequence,
        body=body,
        previous_hash=previous_hash,
        hash=hash_of(sequence, previous_hash, body),
        at=moment,
        actor_id=fact.actor.id,
        actor_name=fact.actor.name[:150],
        action=fact.action,
        environment=facts.get("environment", ""),
        oid=facts.get("oid", ""),
        organization_id=facts.get("organization_id"),
        version_after=facts.get("version"),
        submission_id=facts.get("submission"),
        attempt=facts.get("attempt"),
        http_status=facts.get("http_status"),
        outcome=facts.get("outcome", ""),
        request_id=fact.actor.request_id,
        search_text=_search_text(facts),
        raw=None if fact.raw is None else fact.raw[:MAX_RAW_BYTES],
        raw_cut=fact.raw is not None and (fact.raw_cut or len(fact.raw) > MAX_RAW_BYTES),
    )


def _head(sequence: int, moment: datetime.datetime, fact: _Fact) -> dict[str, Any]:
    return {
        "form": ENTRY_FORMAT,
        "sequence": sequence,
        "time": moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "actor": {
            "id": fact.actor.id,
            "name": fact.actor.name,
            "username": fact.actor.username,
            "signed_in_by": fact.actor.signed_in_by,
            "address": fact.actor.address,
        },
        "action": fact.action.value,
        "request_id": fact.actor.request_id,
        "release": RELEASE,
    }


def _raw_facts(raw: bytes | None) -> dict[str, Any]:
    if raw is None:
        return {}
    return {"raw_sha256": hashlib.sha256(raw).hexdigest(), "raw_bytes": len(raw)}


def _search_text(facts: dict[str, Any]) -> str:
    """The text that the history is searched by. It does not name the actor: people are filtered by account."""
    texts = [
        facts.get("object", {}).get("name", ""),
        facts.get("oid", ""),
        facts.get("reason", ""),
        facts.get("detail", ""),
    ]
    texts += [facts.get("redox_message_id", ""), facts.get("redox_log_id", "")]
    texts += [change["label"] for change in facts.get("changes", [])]
    return search_text.fold_all(texts)
