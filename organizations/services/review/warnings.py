"""Warnings about unusual values that may be right. A person ticks each at the review, once for a record and value."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

from django.db.models import Q
from django.utils.timezone import localtime

from organizations import oid
from organizations.models import AuditEntry, Environment, Organization, Presence, Submission
from organizations.models.submission import OPEN_STATES
from organizations.records import ENDPOINTS_LEFT_OUT, Difference, OrganizationRecord, label_in_sentence
from organizations.redox.environment import RedoxEnvironment
from organizations.services import search_text
from organizations.services.connection import redox_settings
from organizations.services.review.record_warnings import short, value_warnings

OVERWRITE = "overwrite"
ENDPOINTS_LOST = "endpoints-left-out"
NAMING_OTHERS = frozenset({"second-top", "destination-elsewhere", "other-environment"})
"""Warnings whose text names another record. A tick accepts our value, so it stays valid if the text names a third."""


@dataclass(frozen=True, slots=True)
class ReviewWarning:
    """A warning to tick. A tick for the same record, key and value counts for later messages too."""

    key: str
    value: str
    text: str
    accepted_by: str = ""
    accepted_at: str = ""
    accepted_reason: str = ""

    @property
    def is_accepted(self) -> bool:
        return bool(self.accepted_by)

    def to_json(self) -> dict[str, str]:
        """The form in which a submission stores it. It names the person only if an earlier submission ticked it."""
        return asdict(self) if self.is_accepted else {"key": self.key, "value": self.value, "text": self.text}


@dataclass(frozen=True, slots=True)
class WarningCase:
    """The input of the rules.

    `together`: ids of records whose messages precede this one in the same plan. `names_elsewhere`: the result of
    `names_elsewhere` for the record.
    """

    organization: Organization
    record: OrganizationRecord
    before: OrganizationRecord | None
    redox: RedoxEnvironment
    parent: Organization | None
    edits_by_others: tuple[tuple[Difference, AuditEntry], ...]
    overwritten: tuple[Difference, ...] = ()
    together: frozenset[int] = frozenset()
    names_elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment_name(self) -> str:
        return Environment(self.organization.environment).label

    @property
    def gateways(self) -> frozenset[str]:
        return redox_settings.gateway_oids(self.organization.environment)


def all_warnings(case: WarningCase) -> tuple[ReviewWarning, ...]:
    """The warnings of this message in the order of the rules. Each names who ticked it before, if anybody did."""
    case = replace(case, names_elsewhere=names_elsewhere(Environment(case.organization.environment), [case.record]))
    warnings = [warning for rule in RULES for warning in rule(case)]
    ticked = _ticked_before(case.organization)
    return tuple(ticked.get((warning.key, warning.value), warning) for warning in warnings)


def names_elsewhere(environment: Environment, records: Iterable[OrganizationRecord]) -> dict[str, str]:
    """By OID: the name of the record of the other environment that has an OID of these records. One query."""
    other = environment.other
    oids = {oid for record in records for oid in (record.oid, record.part_of_oid, *_identifier_oids(record))}
    names = Organization.objects.filter(environment=other, oid__in=oids).values_list("oid", "name")
    other_gateways = redox_settings.gateway_oids(other) - redox_settings.gateway_oids(environment)
    return dict.fromkeys(other_gateways, "the Redox gateway") | dict(names)


def _identifier_oids(record: OrganizationRecord) -> list[str]:
    return [search_text.oid_in(identifier.value) for identifier in record.identifiers]


def value_and_oid_warnings(case: WarningCase) -> tuple[ReviewWarning, ...]:
    """Only the warnings about the record's own values and OIDs, without a query."""
    return tuple(warning for rule in RECORD_RULES for warning in rule(case))


def directory_warnings(case: WarningCase) -> tuple[ReviewWarning, ...]:
    """Only the warnings about what the directory shows."""
    return tuple(warning for rule in DIRECTORY_RULES for warning in rule(case))


def _ticked_before(organization: Organization) -> dict[tuple[str, str], ReviewWarning]:
    submissions = Submission.objects.filter(organization=organization).exclude(warnings=[])
    person = ("submitter__first_name", "submitter__last_name", "submitter__username")
    submissions = submissions.select_related("submitter").only("warnings", "reason", "created_at", *person)
    return {
        (ticked["key"], ticked["value"]): ReviewWarning(
            **{
                "accepted_by": submission.submitter.display_name,
                "accepted_at": submission.created_at.isoformat(),
                "accepted_reason": submission.reason,
            }
            # If an earlier submission accepted the warning, the name of that person stays.
            | ticked
        )
        for submission in submissions.order_by("id")
        for ticked in submission.warnings
        # Changes by other people and in the directory are new ones each time.
        if ticked["key"] not in ("others", "missing", "destination-unseen", OVERWRITE)
    }


def _untested(case: WarningCase) -> Iterator[ReviewWarning]:
    """The first message of a PRODUCTION record whose counterpart in STAGING was never accepted."""
    staging = case.organization.staging_record if case.before is None else None
    if staging is None or staging.confirmed:
        return
    state, fact = "", "STAGING has never accepted this record."
    if staging.taken:
        state, fact = "shown", "Redox has accepted no message of this record in STAGING from the portal."
    yield ReviewWarning("untested", state, f"{fact} Redox's how-to asks to test there first.")


def _destination(case: WarningCase) -> Iterator[ReviewWarning]:
    destination = case.record.destination_id
    environment = Environment(case.organization.environment)
    if not destination:
        if environment is Environment.PRODUCTION:
            yield ReviewWarning(
                "destination-empty",
                "",
                "No destination ID. Others will find this organization, but their requests reach nobody."
                " Right only for an organization that does not answer requests.",
            )
        return
    others = Organization.objects.filter(environment=environment.other, destination_id=destination)
    if name := others.values_list("name", flat=True).first():
        yield ReviewWarning(
            "destination-elsewhere",
            destination,
            f"{name} in {environment.other.label} uses this destination ID."
            " Patients' requests might go to the wrong system.",
        )


def _own_values(case: WarningCase) -> Iterator[ReviewWarning]:
    yield from (ReviewWarning(*each) for each in value_warnings(case.record))


def _others(case: WarningCase) -> Iterator[ReviewWarning]:
    if not case.edits_by_others:
        return
    names = _fields_with_editor(case.edits_by_others)
    count = len(case.edits_by_others)
    changes, them = ("1 change", "it") if count == 1 else (f"{count} changes", "them")
    text = f"This message also sends {changes} made by others: {names}. Tick to send {them} now."
    yield ReviewWarning("others", names, text)


def _fields_with_editor(edits: tuple[tuple[Difference, AuditEntry], ...]) -> str:
    """The fields with who changed them and when, once for fields that follow each other."""
    by = [f"{entry.actor_name}, {localtime(entry.at):%b} {localtime(entry.at).day}" for _, entry in edits]
    parts = []
    for number, (difference, _) in enumerate(edits):
        last_of_these = number + 1 == len(edits) or by[number + 1] != by[number]
        parts.append(
            f"{label_in_sentence(difference.label)} ({by[number]})"
            if last_of_these
            else label_in_sentence(difference.label)
        )
    return ", ".join(parts)


def _oid(case: WarningCase) -> Iterator[ReviewWarning]:
    own = oid.Oid(case.record.oid)
    bases = case.redox.base_oids
    is_elsewhere = own.text in case.names_elsewhere
    if bases and not is_elsewhere and not any(own == oid.Oid(base) or own.is_below(oid.Oid(base)) for base in bases):
        yield ReviewWarning(
            "outside-base",
            str(own),
            f"The OID is not below {', '.join(bases)}. Right if Redox issued it for another site.",
        )
    shape = oid.shape(own)
    if shape in ("patient", "document"):
        yield ReviewWarning(
            "shape",
            str(own),
            f"It has the form of a {shape} OID, not of an organization"
            " (Redox: ...x.x.1.n organization, 2.n patient, 3.n document).",
        )


def _other_environment(case: WarningCase) -> Iterator[ReviewWarning]:
    """OIDs of the other environment. Each environment has its own."""
    record, other = case.record, Environment(case.organization.environment).other.label
    places = {"The OID": record.oid}
    if case.parent is None:
        places["PartOf"] = record.part_of_oid
    for number, value in enumerate(_identifier_oids(record), start=1):
        places[f"Own identifier {number}"] = value
    for label, value in places.items():
        if value in case.names_elsewhere:
            text = f"{label} {value} belongs to {case.names_elsewhere[value]} in {other}. Was it copied by mistake?"
            yield ReviewWarning("other-environment", f"{label} {value}", text)


def _path(case: WarningCase) -> Iterator[ReviewWarning]:
    """The OID is below one of our records, but PartOf names another. Not for the gateway."""
    record = case.record
    arcs = record.oid.split(".")
    lines = [".".join(arcs[:length]) for length in range(2, len(arcs))]
    above = Organization.objects.filter(environment=case.organization.environment, oid__in=lines)
    # Each OID begins with the one before, so the longest is the greatest.
    nearest_record = max(above.values_list("oid", "name"), default=None)
    if nearest_record is None or record.part_of_oid in {nearest_record[0], *case.gateways}:
        return
    nearest, name = nearest_record
    parent_name = case.parent.name if case.parent else record.part_of_oid
    yield ReviewWarning(
        "path",
        f"{nearest} {record.part_of_oid}",
        f"By its OID it is below {name}, by PartOf below {parent_name}. Redox does not forbid it.",
    )


def _parent(case: WarningCase) -> Iterator[ReviewWarning]:
    record = case.record
    environment_name = case.environment_name
    if record.part_of_oid in case.gateways:
        first = "" if case.organization.confirmed else _first_top(case)
        if first:
            text = f"{first} A second one is right when it has a patient index of its own."
            yield ReviewWarning("second-top", "", text)
    elif case.parent is None and record.part_of_oid not in case.names_elsewhere:
        text = (
            f"Nobody has confirmed that {record.part_of_oid} is in the directory of {environment_name}."
            " If it is not, Redox may reject the message."
        )
        yield ReviewWarning("parent-not-ours", record.part_of_oid, text)
    if case.before and case.before.part_of_oid != record.part_of_oid:
        text = "PartOf changes. Redox does not document how a record is moved; this message does it by Update."
        yield ReviewWarning("move", f"{case.before.part_of_oid} {record.part_of_oid}", text)


def _first_top(case: WarningCase) -> str:
    """A sentence about a top-level record that exists, or that the same plan registers first; "" if none."""
    top_records = Organization.objects.filter(environment=case.organization.environment, part_of_oid__in=case.gateways)
    others = top_records.exclude(pk=case.organization.pk)
    in_directory = Q(presence__in=(Presence.PRESENT, Presence.UNKNOWN)) | Q(last_submission__state__in=OPEN_STATES)
    names = others.values_list("name", flat=True)
    if top := names.filter(in_directory).first():
        return f"You already have a top-level record: {top}."
    if top := names.filter(pk__in=case.together).first():
        return f"The same plan registers another top-level record: {top}."
    return ""


def _near_duplicate(case: WarningCase) -> Iterator[ReviewWarning]:
    record = case.record
    key = search_text.record_near_duplicate_key(record)
    here = Organization.objects.filter(environment=case.organization.environment).exclude(pk=case.organization.pk)
    same = here.filter(double_key=key).values_list("name", "oid").first() if key else None
    if same:
        name, oid = same
        text = f"{name}, {oid} has the same name and address. Redox rejects duplicates without saying of which record."
        # "double" is the stored key of this warning.
        yield ReviewWarning("double", f"{oid} {short(record.name, asdict(record.address))}", text)


def overwrite_value(difference: Difference) -> str:
    """The value of the warning about an overwritten field. A tick covers only what the directory shows now."""
    return f"{difference.field} {short(difference.before, difference.after)}"


def _overwrites(case: WarningCase) -> Iterator[ReviewWarning]:
    for difference in case.overwritten:
        before, sent = map(_each_quoted, (difference.before, difference.after))
        field = f"{case.record.name}, {label_in_sentence(difference.label)}"
        text = f"{field}: the directory shows {before}; this message sends {sent}."
        yield ReviewWarning(OVERWRITE, overwrite_value(difference), text)


def _each_quoted(text: str) -> str:
    """Each line in quotation marks."""
    return ", ".join(f"'{line}'" for line in text.split("\n")) if text else "no value"


def _missing(case: WarningCase) -> Iterator[ReviewWarning]:
    organization = case.organization
    if organization.is_missing and organization.seen_at and organization.presence == Presence.PRESENT:
        at = localtime(organization.seen_at)
        text = f"The directory of {case.environment_name} did not show this OID on {at:%b} {at.day}, {at:%H:%M}."
        yield ReviewWarning("missing", at.isoformat(), f"{text} Redox will probably answer that it is not valid.")


def _destination_unseen(case: WarningCase) -> Iterator[ReviewWarning]:
    """An Update replaces the destination ID of a record found in the directory, and nobody can read that ID."""
    organization = case.organization
    baseline = organization.baseline_record()
    is_known = baseline is not None and baseline.destination_known
    if case.before is None or is_known:
        return
    effect = f"sets it to {case.record.destination_id}" if case.record.destination_id else "removes it"
    text = f"A Query does not show which destination ID this organization has in the directory. This message {effect}."
    yield ReviewWarning("destination-unseen", case.record.destination_id, text)


def _endpoints_left_out(case: WarningCase) -> Iterator[ReviewWarning]:
    """The first Update after a take-over sends the endpoints of an old message without the secrets in them."""
    organization = case.organization
    names = organization.carried.get(ENDPOINTS_LEFT_OUT, "")
    if not names or case.before is None or organization.confirmed:
        return
    yield ReviewWarning(
        ENDPOINTS_LOST,
        short(names),
        "Parts of Endpoints that hold secrets were not stored, so this message removes them in the directory.",
    )


def _stated(case: WarningCase) -> Iterator[ReviewWarning]:
    organization = case.organization
    is_compared = bool(organization.taken) or organization.later_reading() is not None
    if organization.presence_basis == "stated" and not is_compared:
        text = (
            "Nobody has compared this record with the directory. The message replaces everything there, including what"
            " this form does not show."
        )
        yield ReviewWarning("stated", "", text)


RECORD_RULES = (_oid, _other_environment, _own_values)
DIRECTORY_RULES = (_overwrites, _missing, _destination_unseen, _endpoints_left_out)
RULES = (
    _untested,
    _oid,
    _other_environment,
    _path,
    _parent,
    _destination,
    _others,
    _own_values,
    _near_duplicate,
    _stated,
    *DIRECTORY_RULES,
)
