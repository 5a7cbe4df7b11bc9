"""The lines of a roll-call, each with the record that it names and what is known about it in both environments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.safestring import SafeString

from organizations.forms.roll_call import EnteredLine
from organizations.models import Environment, Organization
from organizations.pages.addresses import record_url, url_of_oid
from organizations.pages.organizations.rows import RecordToDo, standing_of, to_do_of
from organizations.pages.roll_call import claims
from organizations.pages.roll_call.claims import Background, Comparison
from organizations.queries import roll_call
from organizations.queries.roll_call import Asked, Found, Matches, RecordKey, RecordPair
from organizations.services.connection import redox_settings
from organizations.services.directory import ownership_here
from organizations.text.markup import plain, written
from organizations.text.vocabulary import NOT_IN_DIRECTORY, Word

HERE, SEVERAL, SAME, NOT_HERE, GATEWAY, NEITHER = "here", "several", "same", "not_here", "gateway", "neither"
NOT_A_RECORD = "Not a record here."
NEITHER_SENTENCE = "This is neither an OID nor an identifier of a record here."
SHOWN_TO_TAKE_OVER = "A take-over asked the directory on {moment}: it showed this OID, as {name}."
SHOWN_UNREADABLE = "A take-over asked the directory on {moment}: it showed this OID, but its values cannot be read."
UNANSWERED = "A take-over asked the directory on {moment}, without a clear answer."
NOT_ASKED = "No take-over asked this directory about it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One environment of a line. Without a record, `note` says what is known."""

    environment: Environment
    organization: Organization | None = None
    evidence: SafeString | str = ""
    comparison: Comparison | None = None
    note: str = ""

    @property
    def standing(self) -> Word | None:
        return standing_of(self.organization) if self.organization else None

    @property
    def to_do(self) -> list[RecordToDo]:
        return to_do_of(self.organization) if self.organization else []

    @property
    def url(self) -> str:
        return record_url(self.organization) if self.organization else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRecord:
    """One of several records that a line names."""

    key: RecordKey

    @property
    def environment(self) -> Environment:
        return Environment(self.key.environment)

    @property
    def url(self) -> str:
        return url_of_oid(self.key.environment, self.key.oid)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One line of the list. `kind` is one of the constants above.

    `sides` are STAGING and PRODUCTION of one record, or of an OID that is not here. `named`: several records.
    """

    line: EnteredLine
    kind: str
    name: str = ""
    sentence: str = ""
    sides: tuple[Side, ...] = ()
    named: tuple[NamedRecord, ...] = ()

    @property
    def found_as(self) -> str:
        """What the line is: an OID, or one of our own identifiers; "" if neither."""
        if self.line.oid:
            return "OID"
        return "" if self.kind == NEITHER else "Own identifier"

    @property
    def also_on(self) -> str:
        """The other lines with the same text: "7, 12"."""
        return ", ".join(map(str, self.line.numbers[1:]))


def build_rows(entered: Sequence[EnteredLine]) -> list[LineRow]:
    """A row for each line, in the order of the list."""
    oids = {line.oid for line in entered if line.oid}
    found = roll_call.find(oids, {line.identifier for line in entered if line.identifier})
    asked = roll_call.last_asked(oids - found.by_oid.keys())
    rows = _each_record_once(_row(line, _matches(line, found), asked) for line in entered)
    return _with_sides(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _PairRow:
    """A row before its records are read. `pair` is set if it names exactly one record."""

    row: LineRow
    pair: RecordPair | None = None


def _matches(line: EnteredLine, found: Found) -> Matches:
    """The records with this OID, and those that have this text as their own identifier."""
    by_oid = found.by_oid.get(line.oid, Matches())
    by_identifier = found.by_identifier.get(line.identifier, Matches())
    keys = tuple(dict.fromkeys((*by_oid.keys, *by_identifier.keys)))
    return Matches(keys, tuple(dict.fromkeys((*by_oid.pairs, *by_identifier.pairs))), by_identifier.is_whole)


def _row(line: EnteredLine, matches: Matches, asked: Mapping[tuple[str, str], Asked]) -> _PairRow:
    if len(matches.pairs) == 1 and matches.is_whole:
        pair = matches.pairs[0]
        return _PairRow(row=LineRow(line=line, kind=HERE, name=matches.keys[0].name), pair=pair)
    if matches.pairs:
        named = tuple(NamedRecord(key=key) for key in matches.keys)
        return _PairRow(row=LineRow(line=line, kind=SEVERAL, sentence=_several(matches), named=named))
    if not line.oid:
        return _PairRow(row=LineRow(line=line, kind=NEITHER, sentence=line.error or NEITHER_SENTENCE))
    if any(line.oid in redox_settings.gateway_oids(environment) for environment in Environment):
        return _PairRow(row=LineRow(line=line, kind=GATEWAY, sentence=ownership_here.GATEWAY))
    sides = tuple(
        Side(environment=environment, note=_asked_note(asked.get((environment, line.oid))))
        for environment in Environment
    )
    return _PairRow(row=LineRow(line=line, kind=NOT_HERE, sentence=NOT_A_RECORD, sides=sides))


def _several(matches: Matches) -> str:
    number = len(matches.keys)
    return f"{number} records have it:" if matches.is_whole else f"More than {number} records have it. The first:"


def _asked_note(asked: Asked | None) -> str:
    if asked is None:
        return NOT_ASKED
    shown = SHOWN_TO_TAKE_OVER if asked.name else SHOWN_UNREADABLE
    sentence = UNANSWERED if asked.shown is None else shown if asked.shown else NOT_IN_DIRECTORY["query"]
    return sentence.format(moment=written(asked.at), name=plain(asked.name))


def _each_record_once(rows: Iterable[_PairRow]) -> list[_PairRow]:
    """A record that several lines name is shown at the first; the others refer to it."""
    first: dict[RecordPair, int] = {}
    result = []
    for each in rows:
        if each.pair is None or each.pair not in first:
            if each.pair is not None:
                first[each.pair] = each.row.line.numbers[0]
            result.append(each)
        else:
            sentence = f"The same record as line {first[each.pair]}."
            result.append(_PairRow(row=replace(each.row, kind=SAME, sentence=sentence)))
    return result


def _with_sides(rows: Sequence[_PairRow]) -> list[LineRow]:
    ids = [key.pk for each in rows if each.pair for key in each.pair if key]
    organizations = roll_call.records(ids)
    background = Background.of(organizations.values())
    return [
        replace(each.row, sides=tuple(_sides(each.pair, organizations, background))) if each.pair else each.row
        for each in rows
    ]


def _sides(pair: RecordPair, organizations: Mapping[int, Organization], background: Background) -> Iterable[Side]:
    for environment, key in zip(Environment, pair, strict=True):
        organization = organizations.get(key.pk) if key else None
        if organization is None:
            yield Side(environment=environment, note=f"No record in {environment.label} is linked.")
        else:
            yield Side(
                environment=environment,
                organization=organization,
                evidence=claims.status_evidence(organization, background),
                comparison=claims.compare(organization),
            )
