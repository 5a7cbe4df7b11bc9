"""Reads old messages that a person pastes or gives as files: curl commands, shell scripts, JSON, Postman collections.

Nothing is run, and no text is stored.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from organizations.fields import FieldError, read_uuid
from organizations.records import ENDPOINTS, ENDPOINTS_LEFT_OUT, OrganizationRecord
from organizations.redox.environment import ROUTING_NAMES
from organizations.redox.old_messages.message import read_message
from organizations.redox.old_messages.places import PlacedText
from organizations.redox.old_messages.results import (
    MOST_BYTES,
    MOST_MESSAGES,
    Candidate,
    GivenText,
    Problem,
    ProblemKind,
    Refused,
    Result,
)
from organizations.redox.old_messages.scan import Find, Scanner

_ANOTHER_ID = "with another destination ID"
_TOO_LARGE = "The text and the files have more than 5 MB. Give them in several parts."
_TOO_MANY = f"There are more than {MOST_MESSAGES:,} messages. Give them in several parts."
_NOTHING = "No message was found: neither a curl command with a body, nor JSON, nor a Postman collection."


def read_old_messages(
    texts: Sequence[GivenText], environment: str, routing_ids: Mapping[str, str] | None = None
) -> tuple[Result, ...]:
    """Candidates and problems in the order of the texts.

    `environment`: the one whose records are taken over. `routing_ids`: routing IDs of the settings that are not in
    Redox's table, each with the name of its environment.
    """
    if sum(_size(text.content) for text in texts) > MOST_BYTES:
        return (Problem(kind=ProblemKind.TOO_LARGE, sentence=_TOO_LARGE),)
    collector = _Collector(environment, routing_ids or {})
    names = frozenset(text.name for text in texts if text.name)
    for text in texts:
        for find in _finds(text, names):
            if not collector.add(find):
                return (Problem(kind=ProblemKind.TOO_MANY, sentence=_TOO_MANY),)
    return collector.results()


def decoded(content: str | bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with a byte order mark, or Windows-1252. Raises Refused for other bytes."""
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if is_utf16 else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Refused(ProblemKind.NOT_TEXT, "This file is not a text.")


def _size(content: str | bytes) -> int:
    return len(content if isinstance(content, bytes) else content.encode(errors="surrogatepass"))


def _finds(text: GivenText, names: frozenset[str]) -> "Sequence[Find] | Scanner":
    try:
        return Scanner(PlacedText(decoded(text.content)), text.name, names)
    except Refused as refused:
        return [Find(text.name, refused=refused)]


class _Collector:
    """Collects the results in order. A later message about an organization replaces the earlier one."""

    def __init__(self, environment: str, routing_ids: Mapping[str, str]) -> None:
        self.environment = environment
        self.routing_ids = {routing_id.strip().lower(): name for routing_id, name in routing_ids.items()}
        self._results: dict[int, Result] = {}
        self._latest: dict[str, int] = {}
        self._earlier: dict[str, list[tuple[str, OrganizationRecord]]] = {}
        self._other_models: Counter[str] = Counter()
        self._count = 0

    def add(self, find: Find) -> bool:
        """Add the result for one find. Returns False if there are too many."""
        self._count += 1
        if self._count > MOST_MESSAGES or (find.refused and find.refused.kind is ProblemKind.TOO_MANY):
            return False
        try:
            if find.refused:
                raise find.refused
            self._add_candidate(find)
        except Refused as refused:
            if refused.kind is ProblemKind.OTHER_MODEL:
                self._other_models[refused.sentence] += 1
            else:
                problem = Problem(kind=refused.kind, sentence=refused.sentence, source=find.source)
                self._results[self._count] = problem
        return True

    def results(self) -> tuple[Result, ...]:
        """All results. Messages of other data models are counted in one problem at the end."""
        results = [self._compared(one) if isinstance(one, Candidate) else one for one in self._results.values()]
        if self._other_models:
            results.append(_of_other_models(self._other_models))
        return tuple(results or [Problem(kind=ProblemKind.NOTHING, sentence=_NOTHING)])

    def _compared(self, candidate: Candidate) -> Candidate:
        """The candidate with a warning for each difference of an earlier message. IDs that differ are not taken."""
        earlier = self._earlier.get(candidate.record.oid, ())
        sources = {lost: source for source, record in earlier for lost in _lost(record, candidate.record)}
        warnings = [f"This OID is in {source} too, {lost}." for lost, source in sources.items()]
        record = candidate.record
        if _ANOTHER_ID in sources:
            warnings.append("Old messages name different destination IDs for this OID, so none of them is taken over.")
            record = replace(record, destination_id="", destination_known=False)
        return replace(candidate, record=record, warnings=(*candidate.warnings, *warnings))

    def _add_candidate(self, find: Find) -> None:
        message = read_message(find.value, self.environment, self.routing_ids)
        oid = message.record.oid
        earlier = self._results.pop(self._latest[oid]) if oid in self._latest else None
        replaces: tuple[str, ...] = ()
        if isinstance(earlier, Candidate):
            replaces = (*earlier.replaces, earlier.source)
            self._earlier.setdefault(oid, []).append((earlier.source, earlier.record))
        self._latest[oid] = self._count
        self._results[self._count] = Candidate(
            event=message.event,
            environment=message.environment,
            record=message.record,
            source=find.source,
            replaces=replaces,
            warnings=(*message.warnings, *find.left_out),
        )


def _values(record: OrganizationRecord) -> tuple[str, dict[str, str]]:
    """What a take-over stores of a message: its destination ID, or "" if it is not a UUID, and its endpoints."""
    try:
        destination_id = read_uuid(record.destination_id, ROUTING_NAMES, {}).value
    except FieldError:
        destination_id = ""
    return destination_id, {key: text for key, text in record.carried if key in (ENDPOINTS, ENDPOINTS_LEFT_OUT)}


def _lost(earlier: OrganizationRecord, record: OrganizationRecord) -> Iterator[str]:
    """What a take-over would store of the earlier message, and not of this one."""
    (old_id, old_endpoints), (new_id, new_endpoints) = _values(earlier), _values(record)
    if old_id and old_id != new_id:
        yield _ANOTHER_ID if new_id else "with a destination ID"
    if old_endpoints and old_endpoints != new_endpoints:
        yield "with other Endpoints" if new_endpoints else "with Endpoints"


def _of_other_models(counts: Mapping[str, int]) -> Problem:
    total = sum(counts.values())
    names = ", ".join(f"{name} ({count})" for name, count in list(counts.items())[:10])
    were = "message of another data model was" if total == 1 else "messages of other data models were"
    sentence = f"{total} {were} skipped: {names}."
    return Problem(kind=ProblemKind.OTHER_MODEL, sentence=sentence, count=total)
