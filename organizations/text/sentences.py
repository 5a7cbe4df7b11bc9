"""The sentence of each entry of the history, the same on every page.

A sentence consists of parts: a page shows the actor in bold and the submission as a link, an export only the text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from string import Formatter
from typing import Any

from django.utils.safestring import SafeString

from organizations.models import Action, AuditEntry, Environment
from organizations.permissions import ACTS, Right
from organizations.records import label_in_sentence, labels_in_sentence
from organizations.text.links import numbered_url
from organizations.text.markup import Part, marked, unlinked, written
from organizations.text.sentence_templates import template_of
from organizations.text.vocabulary import count, name_some

LONGEST_VALUE = 120
LONGEST_TEXT = 2000
"""Reasons and error texts are shown whole. This limit is only for texts that are not an answer, such as a web page."""
MOST_CHANGES = 4

# Entries that repeat what another entry of the same time says. A timeline leaves them out; the history shows them.
REPEATED_BY_OTHER_ENTRIES = (
    Action.ATTEMPT_INTENT,
    Action.ATTEMPT_RESPONSE,
    Action.ORGANIZATION_CONFIRMED,
    Action.ORGANIZATION_DEACTIVATION_WANTED,
    Action.ORGANIZATION_REACTIVATION_WANTED,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """What an entry says, with its icon and tone."""

    sequence: int
    time: datetime
    environment: str
    icon: str
    tone: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Without markup, for exports."""
        return "".join(part.text for part in self.parts)

    @property
    def sentence(self) -> SafeString:
        """As markup. Text of people or of Redox is escaped, and its invisible characters are written out."""
        return marked(self.parts)

    @property
    def unlinked(self) -> SafeString:
        """As markup without links."""
        return unlinked(self.parts)


def sentence_of(entry: AuditEntry) -> Sentence:
    """The sentence of an entry, only from the facts in its body."""
    facts = entry.facts
    template = template_of(entry.action, facts)
    parts = tuple(fill(template.text, facts))
    return Sentence(entry.sequence, entry.at, entry.environment, template.icon, template.tone, parts)


def fill(template: str, facts: Mapping[str, Any]) -> Iterator[Part]:
    """A template filled with the values of an entry's body."""
    for literal, name in _pieces(template):
        if literal:
            yield Part(literal)
        if name:
            yield from _VALUES[name](facts)


@cache
def _pieces(template: str) -> list[tuple[str, str | None]]:
    """The texts of a template, each with the name of the value behind it. Cached: a page has hundreds of sentences."""
    return [(literal, name) for literal, name, _, _ in Formatter().parse(template)]


def _actor(facts: Mapping[str, Any]) -> Iterator[Part]:
    actor = facts["actor"]
    yield Part(actor["name"], "b")
    yield from _username(actor["name"], actor.get("username", ""))


def _account(facts: Mapping[str, Any]) -> Iterator[Part]:
    about = facts.get("object", {})
    username = about.get("name", "")
    name = about.get("display") or username
    yield Part(name)
    yield from _username(name, username)


def _username(name: str, username: str) -> Iterator[Part]:
    """The user name, if it differs from the name: it distinguishes people with the same name."""
    if username not in ("", name):
        yield Part(f" ({username})")


def _environment(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(_environment_name(facts))


def _name(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(_cut(facts.get("object", {}).get("name", ""), LONGEST_VALUE))


def _submission(facts: Mapping[str, Any]) -> Iterator[Part]:
    number = facts.get("submission")
    if number is not None:
        yield Part(f"submission {number}", "a", numbered_url("submission", facts["environment"], number))


def _submission_first(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield from (part._replace(text=part.text.capitalize()) for part in _submission(facts))


def _plan(facts: Mapping[str, Any]) -> Iterator[Part]:
    number = facts.get("plan")
    if number is not None:
        yield Part(f"plan {number}", "a", numbered_url("plan", facts["environment"], number))


def _plan_first(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield from (part._replace(text=part.text.capitalize()) for part in _plan(facts))


def _planned(facts: Mapping[str, Any]) -> Iterator[Part]:
    details = facts.get("details", {})
    kinds = (("news", "New"), ("updates", "Update"), ("deactivated", "to deactivate"))
    yield Part(", ".join(f"{details[key]} {word}" for key, word in kinds if details.get(key)) or "nothing")


def _organization_count(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(count(facts.get("details", {}).get("count", 0), "organization"))


def _scanned(facts: Mapping[str, Any]) -> Iterator[Part]:
    details = facts.get("details", {})
    yield Part(f"{count(details.get('read', 0), 'organization')} read, {details.get('found', 0):,} of ours")


def _cancelled(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(f"{count(facts.get('details', {}).get('cancelled', 0), 'submission')} cancelled")


def _message(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield from _submission(facts)
    yield Part(f" ({facts.get('event', '')} of ")
    yield from _name(facts)
    yield Part(f", {_environment_name(facts)})")


def _attempt(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(str(facts.get("attempt", "")))


def _attempt_of(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(f"attempt {facts.get('attempt', '')} of ")
    yield from _submission(facts)


def _changes(facts: Mapping[str, Any]) -> Iterator[Part]:
    changes = facts.get("changes", [])
    if not changes:
        yield Part("saved values that are not sent")
    for place, change in enumerate(changes[:MOST_CHANGES]):
        if place:
            yield Part(", ")
        yield from _change(change)
    if len(changes) > MOST_CHANGES:
        yield Part(f" and {count(len(changes) - MOST_CHANGES, 'more field')}")


def _change(change: Mapping[str, str]) -> Iterator[Part]:
    before, after = (_cut(change[side], LONGEST_VALUE) for side in ("before", "after"))
    label = label_in_sentence(change["label"])
    if before and after:
        yield from (Part(f"changed {label} from "), Part(before, "del"), Part(" to "), Part(after, "ins"))
    elif after:
        yield from (Part(f"set {label} to "), Part(after, "ins"))
    else:
        yield from (Part(f"removed {label} "), Part(before, "del"))


def _saved_changes(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(count(len(facts.get("changes", [])), "saved change"))


def _labels(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(labels_in_sentence(change["label"] for change in facts.get("changes", [])) or "nothing that is sent")


def _fields(facts: Mapping[str, Any]) -> Iterator[Part]:
    labels = [label_in_sentence(change["label"]) for change in facts.get("changes", [])]
    yield Part(name_some(labels, MOST_CHANGES, "more field") or "the same values again")


def _taken(facts: Mapping[str, Any]) -> Iterator[Part]:
    """Each field with the value that was replaced by that of the directory."""
    changes = facts.get("changes", [])
    if not changes:
        yield Part("nothing that is sent")
    for place, change in enumerate(changes):
        yield Part(f"{', ' if place else ''}{label_in_sentence(change['label'])} from ")
        yield Part(_cut(change["before"], LONGEST_VALUE) or "none", "del")
        yield Part(" to ")
        yield Part(_cut(change["after"], LONGEST_VALUE) or "none", "ins")


def _content(facts: Mapping[str, Any]) -> Iterator[Part]:
    changed = len(facts.get("changes", []))
    if facts.get("intent") in ("deactivate", "reactivate"):
        content = "Active = false" if facts["intent"] == "deactivate" else "Active = true"
    elif facts.get("event") == "New":
        content = "registration"
    else:
        content = count(changed, "field") if changed else "the same values again"
    yield Part(content)


def _reason(facts: Mapping[str, Any]) -> Iterator[Part]:
    reason = facts.get("reason", "")
    if reason:
        yield Part(f' Reason: "{_cut(reason.rstrip("."), LONGEST_TEXT)}".')


def _pause(facts: Mapping[str, Any]) -> Iterator[Part]:
    """Why the plan was paused before somebody resumed it."""
    reason = facts.get("reason", "")
    if reason:
        yield Part(f" It was paused: {_cut(reason.rstrip('.'), LONGEST_TEXT)}.")


def _approval(facts: Mapping[str, Any]) -> Iterator[Part]:
    approval = facts.get("details", {}).get("approval", "")
    if approval:
        yield Part(f" {approval}")


def _state(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(str(facts.get("details", {}).get("state", "")).replace("_", " ") or "settled")


def _quoted(facts: Mapping[str, Any]) -> Iterator[Part]:
    detail = facts.get("detail", "")
    if _is_web_page(detail):
        yield Part(f"{_web_page(facts)}.")
    elif detail:
        yield Part(f'"{_cut(detail, LONGEST_TEXT)}"')
    else:
        yield Part(f"HTTP {facts.get('http_status', '')}, without a text.")


def _cause(facts: Mapping[str, Any]) -> Iterator[Part]:
    cause = (
        facts.get("detail")
        or facts.get("reason")
        or facts.get("details", {}).get("cause")
        or facts.get("exchange", {}).get("fault_text")
        or "no reason given"
    )
    if _is_web_page(cause):
        cause = _web_page(facts)
    elif cause.lstrip().startswith(("{", "[")):
        cause = "the portal did not understand it"
    yield Part(_cut(cause, LONGEST_TEXT).rstrip("."))


def _is_web_page(text: str) -> bool:
    """Whether the text is a web page, from something between the portal and Redox. The entry keeps the whole text."""
    return text.lstrip().startswith("<")


def _web_page(facts: Mapping[str, Any]) -> str:
    return f"a web page came instead of an answer, HTTP {facts.get('http_status', 'without a status')}"


def _status(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(str(facts.get("http_status", "")))


def _bytes(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(count(facts.get("raw_bytes", 0), "byte"))


def _act(facts: Mapping[str, Any]) -> Iterator[Part]:
    right = facts.get("object", {}).get("id", "")
    known = ACTS[Right(right)] if right in set(Right) else "do this"
    yield Part(facts.get("details", {}).get("act", known))


def _times(facts: Mapping[str, Any]) -> Iterator[Part]:
    details = facts.get("details", {})
    if "times" in details:
        since = written(datetime.fromisoformat(details["since"]), "seconds")
        yield Part(f" {details['times']} times since {since}." if details["times"] > 1 else f" That was at {since}.")


def _roles(facts: Mapping[str, Any]) -> Iterator[Part]:
    details = facts.get("details", {})
    if "was" in details:
        was, now = (f'"{details[key]}"' if details[key] else "none" for key in ("was", "now"))
        yield Part(f" Name changed from {was} to {now}.")
    for word, names in (("Given", details.get("given")), ("Taken", details.get("taken"))):
        if names:
            yield Part(f" {word}: {', '.join(names)}.")


def _until(facts: Mapping[str, Any]) -> Iterator[Part]:
    until = facts.get("details", {}).get("until")
    if until:
        yield Part(f" until {written(datetime.fromisoformat(until), 'seconds')}")


def _counterpart(facts: Mapping[str, Any]) -> Iterator[Part]:
    other = facts.get("details", {}).get("counterpart", {})
    yield Part(f"{_cut(other.get('name', ''), LONGEST_VALUE)}, {other.get('oid', '')} in {_environment_name(other)}")


def _withdrawn(facts: Mapping[str, Any]) -> Iterator[Part]:
    if facts.get("details", {}).get("is_withdrawn"):
        yield Part(", which was withdrawn")


def _origin(facts: Mapping[str, Any]) -> Iterator[Part]:
    """From which record the form of a new one was filled."""
    source = facts.get("details", {}).get("prepared_from", {})
    if source:
        yield Part(f", prepared from {_cut(source['name'], LONGEST_VALUE)} in {_environment_name(source)}")
    if source.get("values") == "earlier":
        yield Part(", as it was before its last change")
    if "submission" in source:
        url = numbered_url("submission", source["environment"], source["submission"])
        yield from (Part(" ("), Part(f"submission {source['submission']}", "a", url), Part(")"))


def _rows(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(count(facts.get("details", {}).get("rows", 0), "row"))


def _searched(facts: Mapping[str, Any]) -> Iterator[Part]:
    details = facts.get("details", {})
    filters = details.get("filters", {})
    words = [f"{label} {_filter_text(filters[name])}" for name, label in _FILTERS.items() if name in filters]
    if details.get("index"):
        words.append(f"from number {details['index'] + 1} on")
    yield Part(_cut(", ".join(words) or "everything", LONGEST_VALUE))


def _filter_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _came(facts: Mapping[str, Any]) -> Iterator[Part]:
    details = facts.get("details", {})
    if not details.get("answered"):
        yield Part("no answer came, ")
        yield from _cause(facts)
        return
    yield Part(count(details.get("received", 0), "organization"))
    ours = details.get("ours_not_here", 0)
    if ours:
        yield Part(f", {ours} of them ours and not in the portal")
    if not details.get("whole"):
        yield Part(", and there may be more")


_FILTERS = {
    "oid": "OID",
    "name": "name",
    "zip_code": "ZIP",
    "radius": "within",
    "state": "state",
    "active": "Active",
    "changed_since": "changed since",
}
_VALUES = {
    "Plan": _plan_first,
    "Submission": _submission_first,
    "account": _account,
    "act": _act,
    "actor": _actor,
    "approval": _approval,
    "attempt": _attempt,
    "attempt_of": _attempt_of,
    "bytes": _bytes,
    "cancelled": _cancelled,
    "organization_count": _organization_count,
    "came": _came,
    "content": _content,
    "cause": _cause,
    "changes": _changes,
    "saved_changes": _saved_changes,
    "counterpart": _counterpart,
    "planned": _planned,
    "environment": _environment,
    "fields": _fields,
    "labels": _labels,
    "message": _message,
    "name": _name,
    "origin": _origin,
    "pause": _pause,
    "plan": _plan,
    "quoted": _quoted,
    "reason": _reason,
    "roles": _roles,
    "rows": _rows,
    "scanned": _scanned,
    "searched": _searched,
    "state": _state,
    "status": _status,
    "submission": _submission,
    "taken": _taken,
    "times": _times,
    "until": _until,
    "withdrawn": _withdrawn,
}


def _environment_name(facts: Mapping[str, Any]) -> str:
    environment = facts.get("environment")
    return Environment(environment).label if environment else "both environments"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
