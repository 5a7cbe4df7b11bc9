"""Input that no browser sends, and helpers that send it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import Max
from django.test import Client

from organizations.models import AuditEntry, Contact, Identifier, Organization, Submission, User

type Input = str | bytes | list[str]

URL_ENCODED = "application/x-www-form-urlencoded"
MARKUP = "<script>alert(1)</script>"

# Characters that no record can hold.
UNSENDABLE: dict[str, Input] = {
    "NUL": "53\x0004",
    "bell": "53\x0704",
    "escape": "53\x1b[2J",
    "C1 control": "53\x9b04",
    "direction override": "53\u202e04",
    "direction isolate": "53\u206604",
    "half of a surrogate pair": b"53\xed\xa0\x8004",
    "broken UTF-8": b"53\xff\xc304",
}
# Unusual text that is valid.
ODD = {
    "markup": f"{MARKUP}\"'><b a='{{{{ 7|add:7 }}}}{{% debug %}}",
    "database": "'; DROP TABLE user; -- %00%s%(x)s {0}{actor}\\_%",
    "emoji": "\U0001f3e5 clinic",
    "formula": "=1+1",
}


def as_read(value: Input) -> str:
    """The text that Django reads from this input: invalid UTF-8 becomes replacement characters."""
    if isinstance(value, list):
        return value[-1]
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def query(inputs: Mapping[str, Input]) -> str:
    return urlencode(inputs, doseq=True)


def post(client: Client, address: str, inputs: Mapping[str, Input], **headers: Any) -> Any:
    """Post these inputs as a form, with bytes unchanged."""
    return client.post(address, query(inputs), content_type=URL_ENCODED, **headers)


def stored() -> tuple[object, ...]:
    """The database state that a refused POST must not change."""
    tables = (Organization, Contact, Identifier, Submission, User)
    versions = list(Organization.objects.order_by("pk").values_list("pk", "version"))
    return (*(model.objects.count() for model in tables), versions, AuditEntry.objects.aggregate(last=Max("sequence")))
