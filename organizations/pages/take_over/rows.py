"""The organizations of a take-over, in groups: what each is, what happens to it, and what is known about it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse

from organizations.forms.check_records import REFUSED, read_by_form
from organizations.forms.take_over import DestinationForm
from organizations.models import Candidate, CandidateState, Environment, TakeOver
from organizations.pages.addresses import environment_url, url_of_oid
from organizations.pages.anchors import form_anchor
from organizations.pages.submission.state import cause_of
from organizations.queries import parents, take_overs
from organizations.queries.take_overs import CandidateLine
from organizations.records import (
    ENDPOINTS,
    ENDPOINTS_LEFT_OUT,
    SENT_BACK,
    FieldAsText,
    OrganizationRecord,
    difference,
    fields_as_text,
)
from organizations.services.connection import redox_settings
from organizations.services.directory import ownership_here
from organizations.services.directory.candidates import message_endpoints

CHOOSABLE = "found"


class GroupWords(NamedTuple):
    """What a group of organizations is, and what happens with it."""

    heading: str
    sentence: str = ""


GROUPS: Mapping[str, GroupWords] = {
    CHOOSABLE: GroupWords("Can be taken over"),
    CandidateState.CHOSEN: GroupWords("Being added"),
    "others": GroupWords(
        "Not ours",
        "Not below your base OID and not part of a record here, as far as the portal can see. An approver can take"
        " one over alone.",
    ),
    CandidateState.REFUSED: GroupWords("Cannot be taken over"),
    CandidateState.UNANSWERED: GroupWords("No answer", "Whether these are in the directory is not known. Ask again."),
    CandidateState.ABSENT: GroupWords(
        "Not in the directory", "Three Queries showed nothing: without Active, with Active = true, with Active = false."
    ),
    CandidateState.WAITING: GroupWords("Not asked yet"),
    CandidateState.TAKEN: GroupWords("Taken over"),
    CandidateState.HERE: GroupWords("In the portal already"),
}
"""The groups in the order of the page: what a person can act on first."""


_ADD_AS_NEW = "Add as new"
_ENTER_UNREADABLE = "Enter it here. An approver can then state that it is registered."


class ValueRow(NamedTuple):
    """One value that the directory showed, and what the portal does with it."""

    label: str
    value: str
    remark: str = ""
    is_kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """One organization. `parent` is the name or OID of what it is part of, `remark` the first thing to know.

    `values_url`: the address that shows its values; `values`: these values, if this row was opened. `form` is that of
    its destination ID, if it can be entered now. `other_url`: where an approver takes it over alone. `edit_url`: the
    form of its record, if the destination ID of the list was not saved there.
    """

    candidate: Candidate
    group: str
    name: str
    parent: str
    remark: str
    values_url: str
    values: Sequence[ValueRow]
    form: DestinationForm | None
    was_id: str
    was_source: str
    is_choosable: bool
    is_chosen: bool
    record_url: str = ""
    other_url: str = ""
    add_url: str = ""
    add_label: str = ""
    edit_url: str = ""


def group_of(candidate: CandidateLine, ours: frozenset[str]) -> str:
    """The key of the group in `GROUPS`."""
    if candidate.state != CandidateState.FOUND:
        return candidate.state
    if candidate.is_here:  # somebody added it since the directory was asked
        return CandidateState.HERE
    return CHOOSABLE if candidate.oid in ours else "others"


def grouped(candidates: Iterable[CandidateLine], ours: frozenset[str]) -> list[tuple[str, CandidateLine]]:
    """The candidates with their groups, in the order of the page."""
    places = {key: place for place, key in enumerate(GROUPS)}
    keyed = [(group_of(candidate, ours), candidate) for candidate in candidates]
    return sorted(keyed, key=lambda pair: places[pair[0]])


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsState:
    """What a person did on the page: the ticked OIDs, the opened row, forms.

    If the ticked OIDs are None, all are ticked except the candidates with the numbers `unticked`.

    `can_decide`: the person can take over what is not ours.
    """

    forms: Mapping[int, DestinationForm]
    chosen: frozenset[str] | None
    unticked: frozenset[int]
    opened: str
    can_decide: bool


def build_rows(take_over: TakeOver, listed: Sequence[tuple[str, Candidate]], state: RowsState) -> list[CandidateRow]:
    """The rows of one page."""
    known = _parent_names(take_over, [candidate for _, candidate in listed])
    absent = [candidate.oid for group, candidate in listed if group == CandidateState.ABSENT]
    elsewhere = take_overs.records_named(Environment(take_over.environment).other, absent)
    already = (CandidateState.HERE, CandidateState.REFUSED)
    not_saved = _not_saved(take_over, [candidate for group, candidate in listed if group in already])
    return [
        CandidateRow(
            candidate=candidate,
            group=group,
            name=_name(candidate),
            parent=known.get(candidate.part_of_oid, candidate.part_of_oid),
            remark=f"{_remark(take_over, candidate, elsewhere)} {not_saved.get(candidate.oid, '')}".strip(),
            values_url=_values_url(take_over, candidate) if candidate.part_of_oid else "",
            values=values_of(take_over, candidate.oid) if candidate.oid == state.opened else [],
            form=state.forms.get(candidate.pk),
            was_id=_was(state, candidate, "was_id", candidate.destination_id),
            was_source=_was(state, candidate, "was_source", candidate.destination_source),
            is_choosable=group == CHOOSABLE,
            is_chosen=group == CHOOSABLE and _is_ticked(state, candidate),
            record_url=_record_url(take_over, candidate, group),
            other_url=_other_url(candidate) if group == "others" and state.can_decide else "",
            add_url=_add_url(take_over, candidate) if _add_label(group, candidate) else "",
            add_label=_add_label(group, candidate),
            edit_url=_edit_url(take_over, candidate) if candidate.oid in not_saved else "",
        )
        for group, candidate in listed
    ]


def values_of(take_over: TakeOver, oid: str) -> list[ValueRow]:
    """Every value that the directory showed, then the keys that the portal does not know, then the old message's."""
    candidate = take_overs.with_values(take_over, oid)
    record = candidate.seen_record() if candidate else None
    if candidate is None or record is None:
        return []
    parent = _parent(take_over, candidate)
    refused = _refused_by_form(record, take_over.environment)
    return [
        *(
            _value(_label(field), field, refused, parent)
            for field in fields_as_text(record)
            if field.lines and field.field not in ("oid", "destination_id") and not field.field.startswith("carried")
        ),
        *(
            ValueRow(key, value, "kept and sent back" if key in SENT_BACK else "shown, never sent")
            for key, value in record.carried
        ),
        *_of_old_message(candidate, record),
    ]


def _is_ticked(state: RowsState, candidate: Candidate) -> bool:
    return candidate.pk not in state.unticked if state.chosen is None else candidate.oid in state.chosen


def _was(state: RowsState, candidate: Candidate, name: str, stored: str) -> str:
    """The value on the page before the person typed: the posted one if the page is shown again, else the stored one."""
    form = state.forms.get(candidate.pk)
    return str(form.data.get(f"{form.prefix}-{name}", stored)) if form else stored


def _name(candidate: Candidate) -> str:
    return candidate.organization.name if candidate.organization else candidate.name


def _record_url(take_over: TakeOver, candidate: Candidate, group: str) -> str:
    is_record = candidate.organization is not None or group == CandidateState.HERE
    return url_of_oid(take_over.environment, candidate.oid) if is_record else ""


def _parent_names(take_over: TakeOver, candidates: Iterable[Candidate]) -> dict[str, str]:
    """The names of what the organizations are part of: records here, the gateway, or others of this take-over."""
    oids = {candidate.part_of_oid for candidate in candidates}
    return take_overs.names(take_over, oids) | parents.names(take_over.environment, oids)


class _Parent(NamedTuple):
    """`name` is "" if it is not known. `remark`: what the parent is."""

    name: str
    remark: str = ""


def _parent(take_over: TakeOver, candidate: Candidate) -> _Parent:
    name = _parent_names(take_over, [candidate]).get(candidate.part_of_oid, "")
    oids = [candidate.part_of_oid]
    if take_overs.records_named(take_over.environment, oids):
        return _Parent(name, "is a record here")
    if not name or candidate.part_of_oid in redox_settings.gateway_oids(take_over.environment):
        return _Parent(name)
    return _Parent(name, "in this take-over")


def _other_url(candidate: Candidate) -> str:
    return f"?other={candidate.oid}#other"


def _add_label(group: str, candidate: Candidate) -> str:
    """The text of the link to enter an organization by hand; "" if the directory has not answered yet or its values
    are known."""
    if group == CandidateState.ABSENT:
        return _ADD_AS_NEW
    is_unreadable = group == CandidateState.REFUSED and candidate.active is None
    return _ENTER_UNREADABLE if is_unreadable else ""


def _add_url(take_over: TakeOver, candidate: Candidate) -> str:
    """The form of a new record with this OID; "" for a gateway, which is never a record of ours."""
    if candidate.oid in redox_settings.gateway_oids(take_over.environment):
        return ""
    return f"{environment_url('organization-new', take_over.environment)}?oid={candidate.oid}"


def _edit_url(take_over: TakeOver, candidate: Candidate) -> str:
    return f"{url_of_oid(take_over.environment, candidate.oid, 'edit')}#{form_anchor('destination_id', '')}"


def _not_saved(take_over: TakeOver, here: Iterable[Candidate]) -> dict[str, str]:
    """A sentence about each destination ID of the list that the record with this OID does not have, by OID."""
    given = {candidate.oid: candidate.destination_id for candidate in here if candidate.destination_id}
    return {
        oid: f"The destination ID of this list was not saved. {_of_record(destination_id)}"
        for oid, destination_id in take_overs.destinations_of(take_over.environment, given).items()
        if destination_id != given[oid]
    }


def _of_record(destination_id: str | None) -> str:
    """What the record has, as a sentence. `destination_id`: None if it is not known."""
    if destination_id is None:
        return "That of the record is not known."
    return "The record has another one." if destination_id else "The record has none."


def _values_url(take_over: TakeOver, candidate: Candidate) -> str:
    return reverse("take-over-values", args=[take_over.environment, take_over.pk, candidate.oid])


def _remark(take_over: TakeOver, candidate: Candidate, elsewhere: Mapping[str, str]) -> str:
    if candidate.state == CandidateState.UNANSWERED:
        cause = str(cause_of(candidate.sentence))
        return f"{cause[:1].upper()}{cause[1:]}."
    if candidate.sentence:
        return candidate.sentence
    if candidate.oid in redox_settings.gateway_oids(take_over.environment):
        return ownership_here.GATEWAY
    if candidate.oid in elsewhere:
        other = Environment(take_over.environment).other
        return f"In {other.label} this is {elsewhere[candidate.oid]}."
    return ""


def _of_old_message(candidate: Candidate, record: OrganizationRecord) -> Iterator[ValueRow]:
    """The endpoints of the old message, which a Query does not show, and its other values."""
    endpoints = message_endpoints(candidate)
    if ENDPOINTS in endpoints:
        remark = "from the old message, sent back: a Query does not show them"
        yield ValueRow(ENDPOINTS, endpoints[ENDPOINTS], remark)
    if ENDPOINTS_LEFT_OUT in endpoints:
        remark = "secrets in the old message: not stored, so the first message removes them in the directory"
        yield ValueRow("Parts of Endpoints", endpoints[ENDPOINTS_LEFT_OUT], remark)
    message = candidate.message_record()
    for change in difference(message, record) if message else ():
        if change.before and change.field != "destination_id" and not change.field.startswith("carried"):
            remark = "not taken over: the directory is newer"
            yield ValueRow(f"{change.label} in the old message", change.before, remark)


def _refused_by_form(record: OrganizationRecord, environment: str) -> dict[str, str]:
    remarks = read_by_form(
        record,
        gateways=redox_settings.gateway_oids(environment),
        routing_names=redox_settings.routing_names(),
        own_ids=redox_settings.source_and_client_ids(),
    )
    return {remark.field: remark.text for remark in remarks if remark.kind == REFUSED}


def _label(field: FieldAsText) -> str:
    kind, _, rest = field.field.partition(".")
    return f"Contact {int(rest.split('.')[0]) + 1}, {field.label}" if kind == "contacts" else field.label


def _value(label: str, field: FieldAsText, refused: Mapping[str, str], parent: _Parent) -> ValueRow:
    value = "\n".join(field.lines)
    if field.field == "part_of_oid":
        return ValueRow(label, f"{parent.name} ({value})" if parent.name else value, parent.remark)
    if label in refused:
        sentence = f"The form would refuse it: {refused[label]} It is kept and sent back unchanged until you edit it."
        return ValueRow(label, value, sentence, is_kept=True)
    return ValueRow(label, value)
