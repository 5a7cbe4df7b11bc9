"""One sentence for each entry of the history, the same on every page.

A sentence is parts, so that it can be a line of a page, with its actor in bold and its submission as a link, and plain
text in an export.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from organizations.models import Action, AuditEntry, Environment
from organizations.permissions import ACTS, Right
from organizations.templatetags.portal import plain
from organizations.words import count

LONGEST_VALUE = 120
LONGEST_TEXT = 300
MOST_CHANGES = 4

# Entries that repeat what another of the same moment says; the whole history shows them, a timeline does not.
TOLD_BY_OTHERS = (
    Action.ATTEMPT_INTENT,
    Action.ATTEMPT_RESPONSE,
    Action.ORGANIZATION_CONFIRMED,
    Action.ORGANIZATION_DEACTIVATION_WANTED,
    Action.ORGANIZATION_REACTIVATION_WANTED,
)


class Part(NamedTuple):
    """A piece of a sentence: plain text, or one of "b", "del", "ins", or a link."""

    text: str
    tag: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What an entry says, with the icon and tone that go before it."""

    sequence: int
    time: datetime
    environment: str
    icon: str
    tone: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Without any markup, for exports."""
        return "".join(part.text for part in self.parts)

    @property
    def sentence(self) -> SafeString:
        """As markup; what people or Redox wrote is escaped and its unseen characters are written out."""
        return format_html_join("", "{}", ((_markup(part),) for part in self.parts))


class _Words(NamedTuple):
    icon: str
    tone: str
    template: str


_EDIT = ("pencil", "is-work")
_SENT = ("paper-airplane", "is-work")
_YES = ("check-circle", "is-yes")
_NO = ("x-circle", "is-no")
_ASKED = ("eye", "is-quiet")
_LEFT = ("minus-circle", "is-quiet")
_UNSURE = ("question-mark-circle", "is-unsure")
_PERSON = ("hand-raised", "is-unsure")
_SIGN_IN = ("arrow-right-end-on-rectangle", "is-quiet")

# Placeholders in braces are filled from `_values`; a sentence that depends on more has a function below.
_TEMPLATES: Mapping[str, _Words] = {
    Action.ORGANIZATION_CREATED: _Words("plus", "is-work", "{actor} added {name} in {environment}."),
    Action.ORGANIZATION_EDITED: _Words(*_EDIT, "{actor} {changes} on {name}."),
    Action.ORGANIZATION_DISCARDED: _Words(
        "arrow-uturn-left", "is-quiet", "{actor} threw away {count} on {name}: {labels}."
    ),
    Action.ORGANIZATION_WITHDRAWN: _Words(*_LEFT, "{actor} withdrew {name}. It was never sent; its OID is free again."),
    Action.ORGANIZATION_DEACTIVATION_WANTED: _Words(
        *_EDIT, "{actor} asked for {name} to be deactivated with {submission}.{reason}"
    ),
    Action.ORGANIZATION_REACTIVATION_WANTED: _Words(
        *_EDIT, "{actor} asked for {name} to be reactivated with {submission}.{reason}"
    ),
    Action.ORGANIZATION_CONFIRMED: _Words(*_YES, "{name} is now kept as Redox accepted it with {submission}."),
    Action.ORGANIZATION_ACTIVE_RETURNED: _Words(
        "arrow-uturn-left", "is-quiet", "Active of {name} is again as Redox last accepted it: {submission} ended."
    ),
    Action.ORGANIZATION_STATED: _Words(
        "stated", "is-ink", "{actor} stated that {name} was registered outside the portal.{reason}"
    ),
    Action.ORGANIZATION_SEEN: _Words(*_ASKED, "The directory of {environment} was asked for {name} and showed it."),
    Action.ORGANIZATION_TAKEN: _Words(
        *_ASKED,
        "{actor} took {labels} of {name} as the directory shows it. Nothing was sent.{reason}",
    ),
    Action.ORGANIZATION_REOPENED: _Words(
        *_PERSON, "{actor} took back the decision that the OID of {name} belongs to another organization.{reason}"
    ),
    Action.ORGANIZATION_CLAIMED: _Words(
        *_PERSON, "{actor} decided that the OID of {name}, which the directory shows already, is ours.{reason}"
    ),
    Action.ORGANIZATION_DISCLAIMED: _Words(
        *_PERSON, "{actor} decided that the OID of {name} belongs to another organization.{reason}"
    ),
    Action.ORGANIZATION_LINKED: _Words(*_EDIT, "{actor} linked {name} with its record in the other environment."),
    Action.SUBMISSION_MADE: _Words(*_SENT, "{actor} sent {submission}: {carried}.{reason}{approval}"),
    Action.SUBMISSION_APPROVED: _Words("document-check", "is-ink", "{actor} approved {submission}.{reason}"),
    Action.SUBMISSION_RETURNED: _Words("arrow-uturn-left", "is-ink", "{actor} returned {submission}.{reason}"),
    Action.SUBMISSION_VOIDED: _Words(*_LEFT, "{Submission} can no longer be approved; it was cancelled.{reason}"),
    Action.SUBMISSION_CANCELLED: _Words(*_LEFT, "{actor} cancelled {submission}. Nothing was sent.{reason}"),
    Action.SUBMISSION_SETTLED: _Words(*_PERSON, "{Submission} is now: {state}.{reason}"),
    Action.PLAN_MADE: _Words(*_SENT, "{actor} made {plan}, to be sent to {environment}: {counted}.{reason}"),
    Action.PLAN_PAUSED: _Words("pause-circle", "is-ink", "{Plan} was paused by {actor}.{reason}"),
    Action.PLAN_GONE_ON: _Words(*_SENT, "{actor} let {plan} go on.{reason}"),
    Action.PLAN_STOPPED: _Words("stop-circle", "is-ink", "{actor} stopped {plan}: {cancelled}."),
    Action.ATTEMPT_INTENT: _Words(*_SENT, "The portal began attempt {attempt} of {submission}."),
    Action.ATTEMPT_LATE: _Words(
        "clock",
        "is-quiet",
        "An answer to attempt {attempt} of {submission} came too late. It was kept and decided nothing.",
    ),
    Action.ENVIRONMENT_STOPPED: _Words("stop-circle", "is-no", "Sending to {environment} was stopped: {cause}."),
    Action.ENVIRONMENT_HELD: _Words("pause-circle", "is-ink", "{environment} waits: {cause}. It goes on by itself."),
    Action.ENVIRONMENT_RELEASED: _Words(
        "signal", "is-yes", "{actor} let sending to {environment} go on. It was stopped: {cause}."
    ),
    Action.ENVIRONMENT_CHECKED: _Words("signal", "is-ink", "{actor} checked the connection of {environment}: {cause}."),
    Action.PERSON_SIGNED_IN: _Words(*_SIGN_IN, "{actor} signed in."),
    Action.PERSON_SIGNED_OUT: _Words(*_SIGN_IN, "{actor} signed out."),
    Action.PERSON_REFUSED: _Words("lock-closed", "is-no", "A sign-in as {name} was refused: {cause}."),
    Action.PERSON_CHANGED: _Words("user-circle", "is-ink", "{actor} changed the account {name}: {cause}."),
    Action.PERMISSION_REFUSED: _Words("lock-closed", "is-no", "{actor} was refused: they may not {act}."),
    Action.EXPORT_MADE: _Words("arrow-down-tray", "is-ink", "{actor} exported {name}: {rows}."),
    Action.SETTINGS_SEEN: _Words("information-circle", "is-quiet", "{actor} runs with the settings of this entry."),
}

_OUTCOMES: Mapping[str, _Words] = {
    "accepted": _Words(*_YES, "Redox said yes to {message}: {quoted}"),
    "rejected": _Words(*_NO, "Redox said no to {message}: {quoted}"),
    "not_sent": _Words(*_LEFT, "Attempt {attempt} of {submission} did not reach Redox: {cause}. Nothing was sent."),
    "not_executed": _Words(*_LEFT, "Redox did not process attempt {attempt} of {submission}: {quoted}"),
    "unknown": _Words(
        *_UNSURE,
        "No clear answer came to attempt {attempt} of {message}: {cause}. It may or may not have taken effect.",
    ),
    "needs_person": _Words(*_PERSON, "The portal cannot decide alone what the answer to {message} means: {quoted}"),
}


def tell(entry: AuditEntry) -> Sentence:
    """The sentence of an entry, from the facts in its body alone."""
    facts = entry.facts
    words = _words(entry.action, facts)
    parts = tuple(_filled(words.template, facts))
    return Sentence(entry.sequence, entry.at, entry.environment, words.icon, words.tone, parts)


def _words(action: str, facts: Mapping[str, Any]) -> _Words:
    if action == Action.ATTEMPT_OUTCOME:
        return _OUTCOMES[facts.get("outcome", "unknown")]
    if action == Action.ATTEMPT_RESPONSE:
        answered = "http_status" in facts
        came = "A response to {attempt_of} was stored: HTTP {status}, {bytes}."
        return _Words("archive-box", "is-quiet", came if answered else "No response came to {attempt_of}: {cause}.")
    if action in (Action.SUBMISSION_ASKED, Action.ORGANIZATION_ASKED):
        return _Words(*_ASKED, _asked(facts.get("details", {}), because=action == Action.SUBMISSION_ASKED))
    return _TEMPLATES[action]


def _asked(details: Mapping[str, Any], *, because: bool) -> str:
    start = "{actor} asked the directory of {environment} for {name}"
    start += " because of {submission}. " if because else ". "
    if not details.get("asked"):
        return start + "It could not be asked: {cause}."
    return start + ("It shows the record." if details.get("found") else "It does not show the record.")


def _filled(template: str, facts: Mapping[str, Any]) -> Iterator[Part]:
    for literal, name, _, _ in Formatter().parse(template):
        if literal:
            yield Part(literal)
        if name:
            yield from _VALUES[name](facts)


def _actor(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(facts["actor"]["name"], "b")


def _environment(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(_word(facts))


def _name(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(_cut(facts.get("object", {}).get("name", ""), LONGEST_VALUE))


def _submission(facts: Mapping[str, Any]) -> Iterator[Part]:
    number = facts.get("submission")
    if number is not None:
        yield Part(f"submission {number}", "a", reverse("submission", args=[facts["environment"], number]))


def _submission_first(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield from (part._replace(text=part.text.capitalize()) for part in _submission(facts))


def _plan(facts: Mapping[str, Any]) -> Iterator[Part]:
    number = facts.get("plan")
    if number is not None:
        yield Part(f"plan {number}", "a", reverse("plan", args=[facts["environment"], number]))


def _plan_first(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield from (part._replace(text=part.text.capitalize()) for part in _plan(facts))


def _counted(facts: Mapping[str, Any]) -> Iterator[Part]:
    details = facts.get("details", {})
    kinds = (("news", "New"), ("updates", "Update"), ("deactivated", "deactivated"))
    yield Part(", ".join(f"{details[key]} {word}" for key, word in kinds if details.get(key)) or "nothing")


def _cancelled(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(f"{count(facts.get('details', {}).get('cancelled', 0), 'submission')} cancelled")


def _message(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield from _submission(facts)
    yield Part(f" ({facts.get('event', '')} of ")
    yield from _name(facts)
    yield Part(f", {_word(facts)})")


def _attempt(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(str(facts.get("attempt", "")))


def _attempt_of(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(f"attempt {facts.get('attempt', '')} of ")
    yield from _submission(facts)


def _changes(facts: Mapping[str, Any]) -> Iterator[Part]:
    changes = facts.get("changes", [])
    if not changes:
        yield Part("saved what is not sent")
    for place, change in enumerate(changes[:MOST_CHANGES]):
        if place:
            yield Part(", ")
        yield from _change(change)
    if len(changes) > MOST_CHANGES:
        yield Part(f" and {count(len(changes) - MOST_CHANGES, 'more field')}")


def _change(change: Mapping[str, str]) -> Iterator[Part]:
    before, after = (_cut(change[side], LONGEST_VALUE) for side in ("before", "after"))
    if before and after:
        yield from (Part(f"changed {change['label']} from "), Part(before, "del"), Part(" to "), Part(after, "ins"))
    elif after:
        yield from (Part(f"set {change['label']} to "), Part(after, "ins"))
    else:
        yield from (Part(f"took away {change['label']} "), Part(before, "del"))


def _count(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(count(len(facts.get("changes", [])), "saved change"))


def _labels(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(", ".join(change["label"] for change in facts.get("changes", [])) or "nothing that is sent")


def _carried(facts: Mapping[str, Any]) -> Iterator[Part]:
    changed = len(facts.get("changes", []))
    if facts.get("intent") in ("deactivate", "reactivate"):
        carried = "Active true to false" if facts["intent"] == "deactivate" else "Active false to true"
    elif facts.get("event") == "New":
        carried = "first registration"
    else:
        carried = count(changed, "field") if changed else "the same values again"
    yield Part(carried)


def _reason(facts: Mapping[str, Any]) -> Iterator[Part]:
    reason = facts.get("reason", "")
    if reason:
        yield Part(f' Reason: "{_cut(reason, LONGEST_TEXT)}".')


def _approval(facts: Mapping[str, Any]) -> Iterator[Part]:
    approval = facts.get("details", {}).get("approval", "")
    if approval:
        yield Part(f" {approval}")


def _state(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(str(facts.get("details", {}).get("state", "")).replace("_", " ") or "settled")


def _quoted(facts: Mapping[str, Any]) -> Iterator[Part]:
    detail = facts.get("detail", "")
    yield Part(f'"{_cut(detail, LONGEST_TEXT)}"' if detail else f"HTTP {facts.get('http_status', '')}, without a text.")


def _cause(facts: Mapping[str, Any]) -> Iterator[Part]:
    cause = (
        facts.get("detail") or facts.get("reason") or facts.get("exchange", {}).get("fault_text") or "no reason given"
    )
    if cause.lstrip().startswith("<"):
        # A page for people from something in between; the entry has it whole.
        cause = f"a web page came instead of an answer, HTTP {facts.get('http_status', 'without a status')}"
    yield Part(_cut(cause, LONGEST_TEXT).rstrip("."))


def _status(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(str(facts.get("http_status", "")))


def _bytes(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(count(facts.get("raw_bytes", 0), "byte"))


def _act(facts: Mapping[str, Any]) -> Iterator[Part]:
    right = facts.get("object", {}).get("id", "")
    known = ACTS[Right(right)] if right in set(Right) else "do this"
    yield Part(facts.get("details", {}).get("act", known))


def _rows(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Part(count(facts.get("details", {}).get("rows", 0), "row"))


_VALUES = {
    "Plan": _plan_first,
    "Submission": _submission_first,
    "act": _act,
    "actor": _actor,
    "approval": _approval,
    "attempt": _attempt,
    "attempt_of": _attempt_of,
    "bytes": _bytes,
    "cancelled": _cancelled,
    "carried": _carried,
    "cause": _cause,
    "changes": _changes,
    "count": _count,
    "counted": _counted,
    "environment": _environment,
    "labels": _labels,
    "message": _message,
    "name": _name,
    "plan": _plan,
    "quoted": _quoted,
    "reason": _reason,
    "rows": _rows,
    "state": _state,
    "status": _status,
    "submission": _submission,
}


def _word(facts: Mapping[str, Any]) -> str:
    environment = facts.get("environment")
    return Environment(environment).label if environment else "both environments"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def _markup(part: Part) -> SafeString:
    text = plain(part.text)
    match part.tag:
        case "a":
            return format_html('<a href="{}">{}</a>', part.url, text)
        case "b":
            return format_html("<b>{}</b>", text)
        case "del":
            return format_html("<del>{}</del>", text)
        case "ins":
            return format_html("<ins>{}</ins>", text)
        case _:
            return format_html("{}", text)
