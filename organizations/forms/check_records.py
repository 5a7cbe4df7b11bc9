"""Checks stored values by the form of a record, as if somebody typed them today."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from organizations.forms.base import PortalForm
from organizations.forms.organization import FormContext
from organizations.records import OrganizationRecord

from .record import RecordForm
from .typed import OTHER, Typed

REFUSED = "The form would refuse it"
CHANGED = "The form would change it"
_PART_OF = frozenset({"place", "parent", "other_oid"})


class FormRemark(NamedTuple):
    """A field whose stored value the form would refuse or change."""

    kind: str
    field: str
    text: str


def read_by_form(
    record: OrganizationRecord,
    *,
    gateways: frozenset[str],
    routing_names: Mapping[str, str],
    own_ids: Mapping[str, str],
) -> Iterator[FormRemark]:
    """Read a stored record as if somebody typed it today, without a query."""
    # The parent is given as an OID, so that the form looks up no record of ours.
    typed = Typed.from_record(record, stands_for="", parent_kind=OTHER)
    context = FormContext(
        environment_name="",
        gateway_oid="",
        gateways=gateways,
        routing_names=routing_names,
        own_ids=own_ids,
        oid_named=_nothing,
        other_environment_sentence=_nothing,
        oid_error=_nothing,
        parent_error=_nothing,
        destination_known=record.destination_known,
    )
    form = RecordForm(typed, context, checked=True)
    form.is_valid()  # fills `errors` and `changes`
    yield from _remarks("", form.main)
    for name, lines in (("Own identifier", form.identifiers), ("Contact", form.contacts)):
        yield from (FormRemark(REFUSED, f"{name}s", str(error)) for error in lines.non_form_errors())
        for number, each in enumerate(lines, start=1):
            yield from _remarks(f"{name} {number}, ", each)


def _remarks(where: str, form: PortalForm) -> Iterator[FormRemark]:
    for kind, texts_of in ((REFUSED, form.errors), (CHANGED, form.changes_by_field)):
        for name, texts in texts_of.items():
            label = "PartOf" if name in _PART_OF else form.fields[name].label
            yield from (FormRemark(kind, f"{where}{label}", str(text)) for text in texts)


def _nothing(*_: str) -> str:
    return ""
