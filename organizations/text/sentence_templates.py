"""The template of each entry's sentence, by its action and, if needed, by its facts.

The sentence of an acceptance names its evidence. `sentences.py` fills the placeholders in braces.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from organizations.models import Action, Verdict
from organizations.records import ENDPOINTS
from organizations.text.decisions import clause


class Template(NamedTuple):
    icon: str
    tone: str
    text: str


_EDIT = ("pencil", "is-work")
_SENT = ("paper-airplane", "is-work")
_YES = ("check-circle", "is-yes")
_NO = ("x-circle", "is-no")
_ASKED = ("eye", "is-quiet")
_LEFT = ("minus-circle", "is-quiet")
_UNSURE = ("question-mark-circle", "is-unsure")
_PERSON = ("hand-raised", "is-unsure")
_SIGN_IN = ("arrow-right-end-on-rectangle", "is-quiet")

TEMPLATES: Mapping[str, Template] = {
    Action.ORGANIZATION_CREATED: Template("plus", "is-work", "{actor} added {name} in {environment}{origin}."),
    Action.ORGANIZATION_EDITED: Template(*_EDIT, "{actor} {changes} on {name}."),
    Action.ORGANIZATION_DISCARDED: Template(
        "arrow-uturn-left", "is-quiet", "{actor} discarded {saved_changes} on {name}: {labels}."
    ),
    Action.ORGANIZATION_WITHDRAWN: Template(
        *_LEFT, "{actor} withdrew {name}. It was never sent; its OID is free again."
    ),
    Action.ORGANIZATION_DEACTIVATION_WANTED: Template(
        *_EDIT, "{actor} asked for {name} to be deactivated with {submission}.{reason}"
    ),
    Action.ORGANIZATION_REACTIVATION_WANTED: Template(
        *_EDIT, "{actor} asked for {name} to be reactivated with {submission}.{reason}"
    ),
    Action.ORGANIZATION_CONFIRMED: Template(*_YES, "The portal now compares {name} with what {submission} sent."),
    Action.ORGANIZATION_ACTIVE_RETURNED: Template(
        "arrow-uturn-left", "is-quiet", "Active of {name} is again what it was before {submission}."
    ),
    Action.ORGANIZATION_STATED: Template(
        "stated", "is-ink", "{actor} stated that {name} was registered outside the portal.{reason}"
    ),
    Action.ORGANIZATION_UNSTATED: Template(
        *_LEFT, "{actor} withdrew the statement that {name} was registered outside the portal.{reason}"
    ),
    Action.ORGANIZATION_SEEN: Template(*_ASKED, "The directory of {environment} was asked for {name} and showed it."),
    Action.TAKE_OVER_BEGUN: Template(*_ASKED, "{actor} began to take over {organization_count} in {environment}."),
    Action.TAKE_OVER_STOPPED: Template(
        *_LEFT, "{actor} stopped a take-over. The directory was not asked about {organization_count}."
    ),
    Action.TAKE_OVER_DESTINATIONS: Template(
        *_EDIT,
        "{actor} entered the destination IDs of {organization_count} that are being taken over in {environment}.",
    ),
    Action.TAKE_OVER_CHOSEN: Template(
        *_EDIT, "{actor} chose {organization_count} to become records in {environment}.{reason}"
    ),
    Action.ORGANIZATION_TAKEN: Template(
        *_ASKED,
        "{actor} saved what the directory shows on {name}: {taken}. Nothing was sent.{reason}",
    ),
    Action.ORGANIZATION_REOPENED: Template(
        *_PERSON, "{actor} withdrew the decision that the OID of {name} belongs to another organization.{reason}"
    ),
    Action.ORGANIZATION_CLAIMED: Template(
        *_PERSON, "{actor} decided that the OID of {name}, which the directory shows already, is ours.{reason}"
    ),
    Action.ORGANIZATION_DISCLAIMED: Template(
        *_PERSON, "{actor} decided that the OID of {name} belongs to another organization.{reason}"
    ),
    Action.ORGANIZATION_LINKED: Template(*_EDIT, "{actor} linked {name} with {counterpart}."),
    Action.ORGANIZATION_UNLINKED: Template(*_LEFT, "{actor} removed the link of {name} with {counterpart}{withdrawn}."),
    Action.SUBMISSION_MADE: Template(*_SENT, "{actor} submitted {submission}: {content}.{reason}{approval}"),
    Action.SUBMISSION_APPROVED: Template("document-check", "is-ink", "{actor} approved {submission}.{reason}"),
    Action.SUBMISSION_RETURNED: Template("arrow-uturn-left", "is-ink", "{actor} returned {submission}.{reason}"),
    Action.SUBMISSION_VOIDED: Template(*_LEFT, "{Submission} can no longer be approved; it was cancelled.{reason}"),
    Action.SUBMISSION_CANCELLED: Template(*_LEFT, "{actor} cancelled {submission}. Nothing was sent.{reason}"),
    Action.PLAN_MADE: Template(*_SENT, "{actor} made {plan}, to be sent to {environment}: {planned}.{reason}"),
    Action.PLAN_PAUSED: Template("pause-circle", "is-ink", "{Plan} was paused by {actor}.{reason}"),
    Action.PLAN_RESUMED: Template(*_SENT, "{actor} resumed {plan}.{pause}"),
    Action.PLAN_STOPPED: Template("stop-circle", "is-ink", "{actor} stopped {plan}: {cancelled}."),
    Action.ATTEMPT_INTENT: Template(*_SENT, "The portal began attempt {attempt} of {submission}."),
    Action.ATTEMPT_LATE: Template(
        "clock",
        "is-quiet",
        "An answer to attempt {attempt} of {submission} came too late. It was stored and changed nothing.",
    ),
    Action.ENVIRONMENT_STOPPED: Template("stop-circle", "is-no", "Sending to {environment} was stopped: {cause}."),
    Action.ENVIRONMENT_PAUSED: Template(
        "pause-circle", "is-ink", "{environment} waits{until}: {cause}. Sending resumes automatically."
    ),
    Action.ENVIRONMENT_RESUMED: Template(
        "signal", "is-yes", "{actor} resumed sending to {environment}. It was stopped: {cause}."
    ),
    Action.ENVIRONMENT_CHECKED: Template(
        "signal", "is-ink", "{actor} checked the connection of {environment}: {cause}."
    ),
    Action.DIRECTORY_SEARCHED: Template(
        "magnifying-glass", "is-quiet", "{actor} searched the directory of {environment} for {searched}: {came}."
    ),
    Action.PERSON_SIGNED_IN: Template(*_SIGN_IN, "{actor} signed in.{times}"),
    Action.PERSON_SIGNED_OUT: Template(*_SIGN_IN, "{actor} signed out.{times}"),
    Action.PERSON_CHANGED: Template("user-circle", "is-ink", "{actor} changed the account {account}: {cause}.{roles}"),
    Action.PERMISSION_REFUSED: Template("lock-closed", "is-no", "{actor} was refused: they cannot {act}.{times}"),
    Action.EXPORT_MADE: Template("arrow-down-tray", "is-ink", "{actor} exported {name}: {rows}.{times}"),
    Action.SETTINGS_SEEN: Template("information-circle", "is-quiet", "{actor} runs with the settings of this entry."),
}

OUTCOMES: Mapping[str, Template] = {
    "accepted": Template(*_YES, "Redox accepted {message}: {quoted}"),
    "rejected": Template(*_NO, "Redox rejected {message}: {quoted}"),
    "not_sent": Template(*_LEFT, "Attempt {attempt} of {submission} did not reach Redox: {cause}. Nothing was sent."),
    "not_executed": Template(*_LEFT, "Redox did not process attempt {attempt} of {submission}: {quoted}"),
    "unknown": Template(
        *_UNSURE,
        "No clear answer came to attempt {attempt} of {message}: {cause}. It may or may not have taken effect.",
    ),
    "needs_person": Template(*_PERSON, "The answer of Redox to {message} needs a decision: {quoted}"),
}


def _clause(verdict: Verdict) -> str:
    return clause(verdict, message="{submission}", oid="the OID of {name}")


_DECIDED: Mapping[str, Template] = {
    verdict: Template(*look, f"{{actor}} decided {_clause(verdict)}{follows}.{{reason}}")
    for verdict, look, follows in (
        (Verdict.ARRIVED, _YES, "; it is accepted"),
        (Verdict.SEND_AGAIN, _SENT, ""),
        (Verdict.GIVE_UP, _NO, "; it is rejected"),
        (Verdict.OURS, _NO, "; {submission} is rejected"),
        (Verdict.FOREIGN, _NO, "; {submission} is rejected"),
    )
}
"""A person's decision, by the verdict in the entry."""

_ACCEPTED_BY: Mapping[str, str] = {
    "query": "{Submission} is accepted: the directory showed what was sent.",
    "both": "{Submission} is accepted: Redox answered with a success in words that it does not document, and the "
    "directory showed what was sent.",
}
_ACCEPTED_IN_EARLIER_RELEASES = "{Submission} is accepted: the directory showed what was sent, or something equivalent."
"""For entries of earlier releases, which do not say whether the directory showed the same or an equivalent."""

_SETTLED: Mapping[str, Template] = {
    "queued": Template(*_SENT, "{Submission} is sent again with the same bytes.{reason}"),
    "unknown": Template(*_UNSURE, "It is unknown whether {submission} took effect.{reason}"),
    "needs_person": Template(*_PERSON, "{Submission} needs a decision.{reason}"),
    "rejected": Template(*_NO, "{Submission} is rejected.{reason}"),
}
_OTHER_STATE = Template(*_PERSON, "{Submission} is now: {state}.{reason}")
_DECIDED_IN_EARLIER_RELEASES = {"accepted": _DECIDED[Verdict.ARRIVED], "queued": _DECIDED[Verdict.SEND_AGAIN]}
"""A person's decision in an earlier release. Its entries have no verdict; in these two states it is clear."""
_REJECTED_BY_PERSON = Template(*_NO, "{actor} decided that {submission} is rejected.{reason}")


_TAKEN_OVER = "{actor} took over {name} from the directory of {environment}, as the portal read it there."
_ENDPOINTS_ADDED = " Its Endpoints are from an old message, because a Query does not show them."
_NOT_AMONG: Mapping[str, str] = {
    "none": "A Query without Active did not show this OID.",
    "true": "It is not among the active records.",
    "false": "It is not among the deactivated records.",
}

WORDS: Mapping[str, str] = {
    Action.ORGANIZATION_CREATED: "Added",
    Action.ORGANIZATION_EDITED: "Saved",
    Action.ORGANIZATION_DISCARDED: "Discarded",
    Action.ORGANIZATION_WITHDRAWN: "Withdrawn",
    Action.ORGANIZATION_DEACTIVATION_WANTED: "Deactivation",
    Action.ORGANIZATION_REACTIVATION_WANTED: "Reactivation",
    Action.ORGANIZATION_CONFIRMED: "Accepted",
    Action.ORGANIZATION_ACTIVE_RETURNED: "Put back",
    Action.ORGANIZATION_STATED: "Stated",
    Action.ORGANIZATION_UNSTATED: "Withdrawn",
    Action.ORGANIZATION_SEEN: "Seen",
    Action.ORGANIZATION_ASKED: "Query",
    Action.TAKE_OVER_BEGUN: "Take-over",
    Action.TAKE_OVER_STOPPED: "Take-over",
    Action.TAKE_OVER_DESTINATIONS: "Take-over",
    Action.TAKE_OVER_CHOSEN: "Take-over",
    Action.DIRECTORY_ASKED: "Query",
    Action.DIRECTORY_SCANNED: "Search",
    Action.ORGANIZATION_TAKEN: "Saved",
    Action.ORGANIZATION_REOPENED: "Decided",
    Action.ORGANIZATION_CLAIMED: "Decided",
    Action.ORGANIZATION_DISCLAIMED: "Decided",
    Action.ORGANIZATION_LINKED: "Linked",
    Action.ORGANIZATION_UNLINKED: "Link removed",
    Action.SUBMISSION_MADE: "Submitted",
    Action.SUBMISSION_APPROVED: "Approved",
    Action.SUBMISSION_RETURNED: "Returned",
    Action.SUBMISSION_VOIDED: "Cancelled",
    Action.SUBMISSION_CANCELLED: "Cancelled",
    Action.SUBMISSION_ASKED: "Query",
    Action.SUBMISSION_SETTLED: "Settled",
    Action.PLAN_MADE: "Plan",
    Action.PLAN_PAUSED: "Plan paused",
    Action.PLAN_RESUMED: "Plan resumed",
    Action.PLAN_STOPPED: "Plan stopped",
    Action.ATTEMPT_INTENT: "Attempt",
    Action.ATTEMPT_RESPONSE: "Response",
    Action.ATTEMPT_OUTCOME: "Outcome",
    Action.ATTEMPT_LATE: "Late answer",
    Action.DIRECTORY_SEARCHED: "Searched",
    Action.ENVIRONMENT_STOPPED: "Sending stopped",
    Action.ENVIRONMENT_PAUSED: "Sending waits",
    Action.ENVIRONMENT_RESUMED: "Sending resumed",
    Action.ENVIRONMENT_CHECKED: "Checked",
    Action.PERSON_SIGNED_IN: "Signed in",
    Action.PERSON_SIGNED_OUT: "Signed out",
    Action.PERSON_REFUSED: "Refused",
    Action.PERSON_CHANGED: "Account changed",
    Action.PERMISSION_REFUSED: "Refused",
    Action.EXPORT_MADE: "Exported",
    Action.SETTINGS_SEEN: "Settings",
}
"""The word beside the icon of an entry."""

STORIES: Mapping[str, str] = {
    "create": "{actor} submitted a New of {name}.",
    "update": "{actor} submitted an Update of {name}: {fields}.",
    "deactivate": "{actor} submitted the deactivation of {name}.",
    "reactivate": "{actor} submitted the reactivation of {name}.",
    "restore": "{actor} submitted an Update of {name}: {fields}.",
}
"""How the line of a submission begins, by its intent."""


def story_end(action: str, facts: Mapping[str, Any]) -> str:
    """How the line of a submission ends: the evidence of its state, from the entry that set the state."""
    details = facts.get("details", {})
    if action == Action.SUBMISSION_CANCELLED:
        return " Cancelled by {actor}. Nothing was sent."
    if action == Action.SUBMISSION_SETTLED and facts["actor"].get("id") is not None:
        return " Decided by {actor}."
    if action == Action.SUBMISSION_SETTLED and details.get("state") == "accepted":
        if details.get("evidence") in _ACCEPTED_BY:
            return " Proved by the directory."
        return " The directory showed what was sent, or something equivalent."
    if action == Action.ATTEMPT_OUTCOME and facts.get("outcome") in ("rejected", "needs_person"):
        return " Answer: {quoted}"
    return ""


_OF_SCAN: Mapping[str, Template] = {
    Action.TAKE_OVER_BEGUN: Template(
        *_ASKED, "{actor} began to search the whole directory of {environment} for organizations of ours."
    ),
    Action.TAKE_OVER_STOPPED: Template(*_LEFT, "{actor} stopped the search through the directory of {environment}."),
}


def template_of(action: str, facts: Mapping[str, Any]) -> Template:
    """The template for an entry with this action and these facts."""
    if action == Action.ATTEMPT_OUTCOME:
        return OUTCOMES[facts.get("outcome", "unknown")]
    if action == Action.ATTEMPT_RESPONSE:
        stored = "A response to {attempt_of} was stored: HTTP {status}, {bytes}."
        missing = "No response came to {attempt_of}: {cause}."
        return Template("archive-box", "is-quiet", stored if "http_status" in facts else missing)
    if action in (Action.SUBMISSION_ASKED, Action.ORGANIZATION_ASKED, Action.DIRECTORY_ASKED):
        return Template(*_ASKED, _asked(facts, names_submission=action == Action.SUBMISSION_ASKED))
    if action == Action.SUBMISSION_SETTLED:
        return _settled(facts)
    if action == Action.PERSON_REFUSED:
        return Template("lock-closed", "is-no", _refused(facts.get("object", {})))
    return _by_details(action, facts)


def _by_details(action: str, facts: Mapping[str, Any]) -> Template:
    details = facts.get("details", {})
    if action == Action.DIRECTORY_SCANNED:
        return Template(*_ASKED, _scanned(facts))
    if action == Action.ORGANIZATION_SEEN and "take_over" in details:
        has_endpoints = ENDPOINTS in dict(facts.get("record", {}).get("carried", ()))
        return Template(*_EDIT, f"{_TAKEN_OVER}{_ENDPOINTS_ADDED if has_endpoints else ''}{{reason}}")
    return _OF_SCAN[action] if action in _OF_SCAN and details.get("kind") == "scan" else TEMPLATES[action]


def _scanned(facts: Mapping[str, Any]) -> str:
    """How a search through the whole directory ended. If it has several entries, the others only list results."""
    part, absent = facts.get("details", {}).get("part", 1), facts.get("details", {}).get("absent", [])
    if part == 0:
        return f"The directory of {{environment}} does not have {len(absent):,} OIDs that the search asked about."
    if part > 1:
        return "More organizations that the search through the directory of {environment} found."
    if facts.get("detail"):
        return "The search through the directory of {environment} ended early: {cause}. {scanned}."
    return "The directory of {environment} was searched to the end of its list. {scanned}."


def _refused(about: Mapping[str, Any]) -> str:
    """A wrong old password, a refused sign-in, or several refused sign-ins of different people in one entry."""
    if about.get("type") == "password":
        return "A change of the password of {name} was refused: {cause}.{times}"
    who = "A sign-in as {name} was" if about.get("name") else "Sign-ins as different people were"
    return f"{who} refused: {{cause}}.{{times}}"


def _asked(facts: Mapping[str, Any], *, names_submission: bool) -> str:
    details = facts.get("details", {})
    was_sent, status = facts.get("exchange", {}).get("sent", False), facts.get("http_status")
    was_asked = details.get("asked") or ((was_sent or status) and status != HTTPStatus.UNAUTHORIZED)
    start = "{actor} asked" if was_asked else "{actor} tried to ask"
    start += " the directory of {environment} for {name}"
    start += " because of {submission}. " if names_submission else ". "
    if details.get("search"):
        start = "{actor} searched the directory of {environment} and found {name}. "
    if not details.get("asked"):
        return f"{start}{_failure(status, was_sent=was_sent)}: {{cause}}."
    return start + query_result_sentence(details)


def query_result_sentence(details: Mapping[str, Any]) -> str:
    """What a Query showed. The portal sends up to three; only the last can say that the OID is missing."""
    if details.get("found"):
        return "It showed this OID."
    return _NOT_AMONG.get(details.get("active", ""), "It did not show this OID.")


def _failure(http_status: int | None, *, was_sent: bool) -> str:
    """The outcome of a Query without a usable answer. `was_sent`: at least one byte was sent."""
    if http_status == HTTPStatus.UNAUTHORIZED or not (was_sent or http_status):
        return "It could not be asked"
    return "The answer proves nothing" if http_status else "No answer came"


def _settled(facts: Mapping[str, Any]) -> Template:
    """By the verdict, else by the evidence, else by who acted."""
    details = facts.get("details", {})
    state, verdict = details.get("state", ""), details.get("verdict", "")
    if verdict in _DECIDED:
        return _DECIDED[verdict]
    if facts["actor"].get("id") is not None and state in ("accepted", "queued", "rejected"):
        return _DECIDED_IN_EARLIER_RELEASES.get(state, _REJECTED_BY_PERSON)
    if state == "accepted":
        return Template(*_YES, _ACCEPTED_BY.get(details.get("evidence", ""), _ACCEPTED_IN_EARLIER_RELEASES))
    return _SETTLED.get(state, _OTHER_STATE)
