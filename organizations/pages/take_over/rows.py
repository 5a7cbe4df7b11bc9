"""The organizations of a take-over, in groups: what each is, what becomes of it, and what is known of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from organizations.forms.check_records import REFUSED, read_by_form
from organizations.forms.take_over import DestinationForm
from organizations.models import Candidate, CandidateState, Environment, Organization, TakeOver
from organizations.pages.addresses import environment_url, record_url
from organizations.queries import parents, take_overs
from organizations.records import SENT_BACK, FieldAsText, OrganizationRecord, difference, fields_as_text
from organizations.services.connection import redox_settings
from organizations.services.directory import ownership_here
from organizations.text.vocabulary import count

CHOOSABLE = "found"


class GroupWords(NamedTuple):
    """What a group of organizations is, and what happens with it."""

    heading: str
    sentence: str = ""


GROUPS: Mapping[str, GroupWords] = {
    CHOOSABLE: GroupWords("Can be taken over"),
    CandidateState.CHOSEN: GroupWords("Being added"),
    "others": GroupWords(
        "Not ours, as far as the portal can see",
        "Not below your base OID, and not part of a record of ours. An approver can take one over alone.",
    ),
    CandidateState.REFUSED: GroupWords("Cannot be taken over"),
    CandidateState.UNANSWERED: GroupWords("No answer", "Nobody knows whether these are in the directory. Ask again."),
    CandidateState.ABSENT: GroupWords(
        "Not in the directory", "Three Queries each answered with an empty list: without Active, with true, with false."
    ),
    CandidateState.WAITING: GroupWords("Not asked yet"),
    CandidateState.TAKEN: GroupWords("Taken over"),
    CandidateState.HERE: GroupWords("In the portal already"),
}
"""The groups in the order of the page: what a person can act on first."""


class ValueRow(NamedTuple):
    """One value that the directory showed, and what the portal does with it."""

    label: str
    value: str
    remark: str = ""
    is_kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """One organization. `parent` is the name or OID of what it is part of, `remark` the first thing to know.

    `form` is that of its destination ID, if it can be entered now. `other_url`: where an approver takes it over alone.
    """

    candidate: Candidate
    group: str
    name: str
    parent: str
    remark: str
    values: Sequence[ValueRow]
    kept: int
    form: DestinationForm | None
    is_choosable: bool
    is_chosen: bool
    record_url: str = ""
    other_url: str = ""
    add_url: str = ""


def group_of(candidate: Candidate, ours: frozenset[str]) -> str:
    """The key of the group in `GROUPS`."""
    if candidate.state != CandidateState.FOUND:
        return candidate.state
    return CHOOSABLE if candidate.oid in ours else "others"


def grouped(candidates: Iterable[Candidate], ours: frozenset[str]) -> list[tuple[str, Candidate]]:
    """The candidates with their groups, in the order of the page."""
    places = {key: place for place, key in enumerate(GROUPS)}
    keyed = [(group_of(candidate, ours), candidate) for candidate in candidates]
    return sorted(keyed, key=lambda pair: places[pair[0]])


def build_rows(
    take_over: TakeOver,
    listed: Sequence[tuple[str, Candidate]],
    *,
    forms: Mapping[int, DestinationForm],
    chosen: frozenset[str] | None,
    can_decide: bool,
) -> list[CandidateRow]:
    """The rows of one page. `chosen`: the ticked OIDs, or None before anybody ticked: then all are ticked."""
    whole = take_overs.with_values([candidate.pk for _, candidate in listed])
    shown = {pk: candidate.seen_record() for pk, candidate in whole.items()}
    known = _parent_names(take_over, whole.values())
    elsewhere = take_overs.records_named(
        Environment(take_over.environment).other, [each.oid for each in whole.values()]
    )
    rows = []
    for group, listed_candidate in listed:
        candidate = whole[listed_candidate.pk]
        record = shown[candidate.pk]
        values = _values(candidate, record, known) if record else []
        kept = sum(value.is_kept for value in values)
        is_choosable = group == CHOOSABLE
        rows.append(
            CandidateRow(
                candidate=candidate,
                group=group,
                name=_name(listed_candidate),
                parent=known.get(candidate.part_of_oid, candidate.part_of_oid),
                remark=_remark(candidate, group, kept, elsewhere),
                values=values,
                kept=kept,
                form=forms.get(candidate.pk),
                is_choosable=is_choosable,
                is_chosen=is_choosable and (chosen is None or candidate.oid in chosen),
                record_url=_record_url(listed_candidate.organization),
                other_url=_other_url(candidate) if group == "others" and can_decide else "",
                add_url=_add_url(take_over, candidate) if group == CandidateState.ABSENT else "",
            )
        )
    return rows


def _name(candidate: Candidate) -> str:
    return candidate.organization.name if candidate.organization else candidate.name


def _record_url(organization: Organization | None) -> str:
    return record_url(organization) if organization else ""


def _parent_names(take_over: TakeOver, candidates: Iterable[Candidate]) -> dict[str, str]:
    """The names of what the organizations are part of: records here, the gateway, or others of this take-over."""
    oids = {candidate.part_of_oid for candidate in candidates}
    return take_overs.names(take_over, oids) | parents.names(take_over.environment, oids)


def _other_url(candidate: Candidate) -> str:
    return f"?other={candidate.oid}#other"


def _add_url(take_over: TakeOver, candidate: Candidate) -> str:
    """The form of a new record with this OID; "" for a gateway, which is never a record of ours."""
    if candidate.oid in redox_settings.gateway_oids(take_over.environment):
        return ""
    return f"{environment_url('organization-new', take_over.environment)}?oid={candidate.oid}"


def _remark(candidate: Candidate, group: str, kept: int, elsewhere: Mapping[str, str]) -> str:
    if candidate.sentence:
        return candidate.sentence
    if candidate.oid in redox_settings.gateway_oids(candidate.take_over.environment):
        return ownership_here.GATEWAY
    if group in (CHOOSABLE, "others") and kept:
        return f"{count(kept, 'value')} kept as it came"
    if group == CandidateState.ABSENT and candidate.oid in elsewhere:
        other = Environment(candidate.take_over.environment).other
        return f"In {other.label} this is {elsewhere[candidate.oid]}."
    return ""


def _values(candidate: Candidate, record: OrganizationRecord, known: Mapping[str, str]) -> list[ValueRow]:
    """Every value of the record, then the keys that the portal does not know, then what the old message says."""
    refused = _refused_by_form(record)
    rows = [
        _value(_label(field), field, refused, known)
        for field in fields_as_text(record)
        if field.lines and field.field not in ("oid", "destination_id") and not field.field.startswith("carried")
    ]
    rows += [
        ValueRow(key, value, "carried, sent back" if key in SENT_BACK else "shown, never sent")
        for key, value in record.carried
    ]
    if endpoints := ownership_here.endpoints(candidate):
        rows.append(ValueRow("Endpoints", endpoints, "from the old message, sent back: a Query does not show them"))
    message = candidate.message_record()
    if message is not None:
        rows += [
            ValueRow(f"{change.label} in the old message", change.before, "not taken over: the directory is newer")
            for change in difference(message, record)
            if change.before and change.field != "destination_id" and not change.field.startswith("carried")
        ]
    return rows


def _refused_by_form(record: OrganizationRecord) -> dict[str, str]:
    remarks = read_by_form(
        record,
        gateways=redox_settings.gateway_oids("staging"),
        routing_names=redox_settings.routing_names(),
        own_ids=redox_settings.source_and_client_ids(),
    )
    return {remark.field: remark.text for remark in remarks if remark.kind == REFUSED}


def _label(field: FieldAsText) -> str:
    kind, _, rest = field.field.partition(".")
    return f"Contact {int(rest.split('.')[0]) + 1}, {field.label}" if kind == "contacts" else field.label


def _value(label: str, field: FieldAsText, refused: Mapping[str, str], known: Mapping[str, str]) -> ValueRow:
    value = "\n".join(field.lines)
    if field.field == "part_of_oid":
        name = known.get(value)
        return ValueRow(label, f"{name} ({value})" if name else value, "linked to the record here" if name else "")
    if label in refused:
        sentence = f"The form would refuse it: {refused[label]} It is kept and sent back unchanged until you edit it."
        return ValueRow(label, value, sentence, is_kept=True)
    return ValueRow(label, value)
