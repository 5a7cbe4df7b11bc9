"""Reads the OIDs and old messages that a person enters for a take-over. The texts are not stored."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.http import QueryDict

from organizations.fields import FieldError, read_oid, read_uuid
from organizations.models import DestinationSource, TakeOverKind
from organizations.redox.oid_list import LineError, read_oid_list
from organizations.redox.old_messages.read import read_old_messages
from organizations.redox.old_messages.redact import redacted
from organizations.redox.old_messages.results import GivenText, candidates, problems
from organizations.services.connection import redox_settings
from organizations.services.directory.take_over import NewCandidate

OLD_MESSAGES = "old_messages"
"""The field of the form that may hold secrets."""
LIST_SOURCES = frozenset(DestinationSource) - {DestinationSource.NONE}
"""How a person can know the destination IDs of a list."""
CHOOSE_SOURCE = "Choose where the destination IDs of the list come from."
_OTHER_IN_LIST = "with another destination ID. The one in the list is taken over."
MOST_ERRORS = 20
"""How many errors of one field are named."""
_LEFT_OUT = re.compile(
    r"The (user and password|token) of (-[uU]|--user|--proxy-user|--oauth2-bearer) w(ere|as) left out\."
)
"""Sentences without a secret, from which `redacted` would remove the word after the option."""
MOST_SOURCES = 3
"""How many of the messages with the same remark are named."""
_SECRET = re.compile(r"(The .+?)(?: in the message)? (was|were) left out\.", re.DOTALL)
"""A sentence about a secret. Which messages had it does not matter."""
_OWN_SOURCE = re.compile(r"(message|curl command|variable|text of)\b(?!\.)")
"""The beginning of a source that is not the name of a file or of a request."""


def without_secrets(posted: QueryDict) -> QueryDict:
    """The posted fields as they may be shown again: the secrets in old messages are blanked."""
    if OLD_MESSAGES not in posted:
        return posted
    shown = posted.copy()
    shown.setlist(OLD_MESSAGES, [redacted(text) for text in posted.getlist(OLD_MESSAGES)])
    return shown


class Unread(NamedTuple):
    """Something in old messages that could not be read, and where it is."""

    source: str
    sentence: str


class Entered(NamedTuple):
    """What was read from one form. `errors`: pairs of form field and sentence. With an error no take-over begins."""

    candidates: list[NewCandidate]
    problems: list[Unread]
    errors: list[tuple[str, str]]
    kind: TakeOverKind


def read(
    environment: str, oids: str, old_messages: str, files: Mapping[str, bytes], *, list_source: str = ""
) -> Entered:
    """Read the OIDs and the old messages of one form. `files`: their content by name.

    `list_source`: how the person knows the destination IDs of the list, one of LIST_SOURCES. Without it, a destination
    ID in the list is an error.

    If an OID is in the list and in an old message, its record is read from the message. A destination ID in the list
    takes precedence over the one in the message, and a remark says so if they differ.
    """
    listed, errors, remarks = _read_oids(oids, list_source)
    read_messages, unread, messages_errors = _read_messages(environment, old_messages, files)
    errors = [*_first_errors(errors), *_first_errors(messages_errors)]
    if list_source not in LIST_SOURCES and any(candidate.destination_id for candidate in listed):
        errors.append(("list_source", CHOOSE_SOURCE))
    merged = {candidate.oid: candidate for candidate in listed}
    for candidate in read_messages:
        given = merged.get(candidate.oid)
        merged[candidate.oid] = _with_message(given, candidate) if given else candidate
        if given and given.destination_id and candidate.destination_id not in ("", given.destination_id):
            unread.append(Unread(candidate.source, f"This OID is in {given.source} too, {_OTHER_IN_LIST}"))
    kind = TakeOverKind.MESSAGES if read_messages else TakeOverKind.OIDS
    return Entered(list(merged.values()), [*remarks, *unread], errors, kind)


def read_base_oid(environment: str, typed: str) -> tuple[str, str]:
    """The base OID and "", or "" and why it cannot be used, as a sentence."""
    if not typed.strip():
        return "", "Enter the OID below which your organizations are registered."
    try:
        base_oid = read_oid(typed, "The base OID").value
    except FieldError as error:
        return "", str(error)
    gateways = redox_settings.gateway_oids(environment)
    if any(f"{gateway}.".startswith(f"{base_oid}.") for gateway in gateways):
        return "", "Redox's own organization is this OID or below it, and so are other companies. Enter your own OID."
    return base_oid, ""


def _first_errors(errors: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first errors of one field, and how many more there are."""
    more = errors[MOST_ERRORS:]
    counted = [(more[0][0], f"And {len(more):,} more.")] if more else []
    return [*errors[:MOST_ERRORS], *counted]


def _with_message(given: NewCandidate, read_message: NewCandidate) -> NewCandidate:
    if given.destination_source:
        return read_message._replace(destination_id=given.destination_id, destination_source=given.destination_source)
    return read_message


def _read_oids(text: str, list_source: str) -> tuple[list[NewCandidate], list[tuple[str, str]], list[Unread]]:
    """The OIDs of the list, its errors, and the lines that repeat an OID."""
    listed = read_oid_list(text)
    errors, found = list(listed.errors), []
    routing_names, own_ids = redox_settings.routing_names(), redox_settings.source_and_client_ids()
    for row in listed.rows:
        try:
            read_uuid(row.destination_id, routing_names, own_ids)
        except FieldError as error:
            errors.append(LineError(row.line, str(error)))
        source = list_source if row.destination_id else ""
        found.append(NewCandidate(row.oid, f"line {row.line}", row.destination_id, source))
    remarks = [Unread(f"Line {remark.line}", remark.sentence) for remark in listed.remarks]
    return found, [("oids", _with_line(error)) for error in sorted(errors)], remarks


def _with_line(error: LineError) -> str:
    return f"Line {error.line}: {error.sentence}" if error.line else error.sentence


def _read_messages(
    environment: str, text: str, files: Mapping[str, bytes]
) -> tuple[list[NewCandidate], list[Unread], list[tuple[str, str]]]:
    texts = [GivenText(text)] if text.strip() else []
    texts += [GivenText(content, name) for name, content in files.items()]
    if not texts:
        return [], [], []
    results = read_old_messages(texts, environment)
    to_correct = [Unread(each.source, each.sentence) for each in problems(results) if not each.is_skipped]
    remarks = [Unread(each.source, each.sentence) for each in problems(results) if each.is_skipped]
    found = []
    for each in candidates(results):
        destination_id, error = _destination_of(each.record.destination_id)
        sentences = dict.fromkeys([*each.warnings, *([error] if error else [])])
        remarks += [Unread(each.source, sentence) for sentence in sentences]
        source = DestinationSource.MESSAGE if destination_id else ""
        found.append(NewCandidate(each.record.oid, _storable(each.source), destination_id, source, each.record))
    unread = [Unread(*map(_storable, each)) for each in to_correct]
    unread += _counted(Unread(*map(_storable, each)) for each in remarks)
    if found:
        return found, unread, []
    return [], [], [(OLD_MESSAGES, _with_source(each)) for each in unread]


def _counted(remarks: Iterable[Unread]) -> list[Unread]:
    """Each different sentence once, with the number of messages that it is about."""
    sources: dict[str, list[str]] = {}
    for remark in remarks:
        sources.setdefault(remark.sentence, []).append(remark.source)
    return [_about_messages(sentence, about) for sentence, about in sources.items()]


def _about_messages(sentence: str, sources: list[str]) -> Unread:
    number = len(sources)
    if number == 1:
        return Unread(sources[0], sentence)
    if secret := _SECRET.fullmatch(sentence):
        return Unread("", f"{secret[1]} {secret[2]} left out of {number:,} messages.")
    more = number - MOST_SOURCES
    others = f" and {more:,} {'other' if more == 1 else 'others'}" if more > 0 else ""
    return Unread(f"{'; '.join(sources[:MOST_SOURCES])}{others}", sentence)


def _destination_of(text: str) -> tuple[str, str]:
    """The destination ID and "", or "" and why the text is not a destination ID."""
    try:
        return read_uuid(text, redox_settings.routing_names(), redox_settings.source_and_client_ids()).value, ""
    except FieldError as error:
        return "", f"Its DestinationID is not taken over. {error}"


def _storable(text: str) -> str:
    """The text without secrets and without characters that no database stores. The name of a request can hold both."""
    shown = text if _LEFT_OUT.fullmatch(text) else redacted(text)
    return shown.encode(errors="replace").decode().replace("\0", "")


def _with_source(unread: Unread) -> str:
    source = unread.source
    if _OWN_SOURCE.match(source):
        source = f"{source[0].upper()}{source[1:]}"
    return f"{source}: {unread.sentence}" if source else unread.sentence
