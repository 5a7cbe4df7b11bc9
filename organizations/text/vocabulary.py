"""The words for states, times, durations and counts, for pages, exports and the history.

Placeholders in sentences: `{submission}` is a number, `{k}` a count, `{environment}` STAGING or PRODUCTION, `{moment}`
a day with its time, `{time}` and `{date}` times in words, `{age}` a duration in words. The others say what they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from organizations.text.glossary import GLOSSARY

type MomentForm = Literal["moment", "seconds", "day", "clock"]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Word:
    """A state in one word, with its icon and tone, and the sentence that explains it.

    `one` is the sentence for `k` = 1; "" if the sentence counts nothing.
    """

    key: str
    word: str
    icon: str
    tone: str
    sentence: str
    one: str = ""

    def say(self, **values: object) -> str:
        """The sentence with its placeholders filled. Raises KeyError if a value is missing."""
        text = self.one if self.one and values.get("k") == 1 else self.sentence
        return text.format(**values)

    @property
    def help_anchor(self) -> str:
        """Where the help page explains the word; "" if it does not."""
        return self.key if self.key in {"unknown", *GLOSSARY} else ""


def _by_key(*words: Word) -> Mapping[str, Word]:
    return {word.key: word for word in words}


STANDING = _by_key(
    Word(
        "not_registered",
        "Not registered",
        "not-registered",
        "is-quiet",
        "No message of this record has been accepted.",
    ),
    Word("active", "Active", "active", "is-yes", "{evidence} The record says that the organization is active."),
    Word(
        "deactivated",
        "Deactivated",
        "no-symbol",
        "is-quiet",
        "{evidence} It says Active = false: the record stays in the directory, others stop using it, and it can be "
        "reactivated.",
    ),
    Word(
        "stated",
        "Stated",
        "stated",
        "is-ink",
        "{person} stated that this OID was registered outside the portal. No message from the portal has been "
        "accepted yet.",
    ),
    Word(
        "seen",
        "Seen",
        "eye",
        "is-ink",
        "The directory showed this record when the portal asked. No message from the portal has been accepted yet.",
    ),
    Word(
        "unknown",
        "Unknown",
        "question-mark-circle",
        "is-unsure",
        "The first message of this record may or may not have taken effect. Its submission says what happens next.",
    ),
)

# Replace the sentence of "not registered" if the portal learned that the OID is not in the directory. The key names the
# source: Redox's answer or a Query.
NOT_IN_DIRECTORY: Mapping[str, str] = {
    "answer": 'Redox answered on {moment} that this OID "is not valid": it is not in the directory.',
    "query": "The directory did not show this OID when asked on {moment}.",
}

# Replaces it if a person decided that the OID belongs to another organization.
FOREIGN_OID = "Somebody decided that this OID belongs to another organization ({name}). Nothing is sent to it."

# Replaces it if the directory shows the OID and nobody has decided about it.
UNCLAIMED_OID = "The directory already shows this OID, as {name}, and no message of this record was ever accepted."

# How the portal knows the directory status. "Not registered" has five reasons, and may be about a former OID.
STANDING_BASIS: Mapping[str, str] = {
    "never_sent": "Never sent.",
    "exists": "Attempted {time}, submission {submission}; Redox says that the OID exists already.",
    "no_answer": "Attempted {time}, submission {submission}; no clear answer yet.",
    "not_registered": "{event} rejected {time}, submission {submission}.",
    "decided": "{event} rejected by decision of {person} {time}, submission {submission}.",
    "former_oid": "That was about its former OID {oid}.",
    "active": "{evidence}",
    "deactivated": "Deactivated {date} by {person}: {reason}. {evidence}",
    "stated": "Stated {date}: {reason}.",
    "seen": "Seen {time}, Active = {value}.",
    "unknown": "Unknown for {age}, submission {submission}.",
}

# How the portal knows a destination ID that no message of ours has set.
DESTINATION_SOURCE: Mapping[str, str] = {
    "": "",
    "message": "From an old message.",
    "dashboard": "From the Redox dashboard.",
    "memory": "From somebody's memory.",
    "none": "Somebody said that it has none.",
}

# The most urgent first. A record shows the first that applies to its own messages and edits. It also shows
# "directory_differs" if the directory shows other values.
OPEN_WORK = _by_key(
    Word(
        "needs_person",
        "Needs a decision",
        "hand-raised",
        "is-unsure",
        "The portal cannot decide about submission {submission} alone. Compare and decide.",
    ),
    Word(
        "unknown",
        "Unknown",
        "question-mark-circle",
        "is-unsure",
        "Submission {submission} may or may not have taken effect. Nothing else of this record is sent until that is "
        "clear.",
    ),
    Word(
        "rejected",
        "Rejected",
        "x-circle",
        "is-no",
        "Submission {submission} was rejected. Its changes are saved here.",
    ),
    Word(
        "directory_differs",
        "Directory differs",
        "differs",
        "is-unsure",
        "In {k} fields the directory shows other values than were last accepted.",
        "In {k} field the directory shows another value than was last accepted.",
    ),
    Word("sending", "Sending", "paper-airplane", "is-work", "Submission {submission} is on its way."),
    Word("queued", "Queued", "clock", "is-ink", "Submission {submission} is stored and waits in the queue."),
    Word(
        "awaiting",
        "Awaiting approval",
        "user-circle",
        "is-ink",
        "Submission {submission} waits for an approver. Nothing has been sent.",
    ),
    Word(
        "changes_not_sent",
        "Changes not sent",
        "pencil",
        "is-work",
        "{k} fields are saved here and not sent.",
        "{k} field is saved here and not sent.",
    ),
)

SUBMISSION_STATE = _by_key(
    Word(
        "awaiting",
        "Awaiting approval",
        "user-circle",
        "is-ink",
        "Reviewed by {person}. Waits for an approver who did not work on it. Nothing has been sent.",
    ),
    Word("queued", "Queued", "clock", "is-ink", "Reviewed and stored. Nothing has been sent."),
    Word(
        "sending",
        "Sending",
        "paper-airplane",
        "is-work",
        "The attempt began on {moment}. Redox may take up to 2 minutes to answer.",
    ),
    Word(
        "accepted",
        "Accepted",
        "check-circle",
        "is-yes",
        "Accepted on {moment}: by Redox's answer, by what the directory showed, or by a person's decision. The "
        "submission says which.",
    ),
    Word(
        "rejected",
        "Rejected",
        "x-circle",
        "is-no",
        "Rejected on {moment}, by Redox or by a person's decision. This message is not sent again.",
    ),
    Word(
        "unknown",
        "Unknown",
        "question-mark-circle",
        "is-unsure",
        "The attempt began on {moment}, and no clear answer came. It may or may not have taken effect.",
    ),
    Word(
        "needs_person",
        "Needs a decision",
        "hand-raised",
        "is-unsure",
        "The portal cannot decide alone. An approver compares the record with the directory and decides.",
    ),
    Word("cancelled", "Cancelled", "minus-circle", "is-quiet", "Cancelled by {person} on {moment}. Nothing was sent."),
)

# A plan without an open submission is finished, even if somebody paused it before; a stopped one stays stopped.
PLAN_STATE = _by_key(
    Word(
        "going",
        "In progress",
        "paper-airplane",
        "is-work",
        "The portal sends the messages, several at a time. You can leave this page.",
    ),
    Word(
        "paused",
        "Paused",
        "pause-circle",
        "is-unsure",
        "Paused since {time}: {cause}. Nothing more is sent until somebody {resumes_or_stops} it.",
    ),
    Word(
        "stopped",
        "Stopped",
        "stop-circle",
        "is-ink",
        "Stopped {time}: {cause}. Submissions that were not sent were cancelled. The others were sent, or continue to"
        " their end.",
    ),
    Word(
        "unclear",
        "Unclear",
        "question-mark-circle",
        "is-unsure",
        "The remaining submissions wait for an answer or a decision.",
    ),
    Word("ended", "Finished", "document-check", "is-ink", "Nothing is being sent."),
)

# Replaces the sentence of "queued" after an attempt. The page shows the outcome of the attempt beside it.
QUEUED_AGAIN = "Reviewed and stored. The same message waits to be sent again."

# Replaces the sentence of "unknown" after the database was restored: perhaps nothing was ever sent.
UNKNOWN_AFTER_RESTORE = "The database was restored from a backup. The message may have been sent after that backup."

# Replaces the sentence of "cancelled" if the portal cancelled the submission. The reason follows.
CANCELLED_BY_PORTAL = "Cancelled by the portal on {moment}. Nothing was sent."

# What a queued submission waits for; follows the sentence of "queued". `{children}` is a count with its noun.
QUEUED_REASON: Mapping[str, str] = {
    "worker": "Waits for the next free worker.",
    "parent": "Waits for its parent {name} to be accepted.",
    "children": "Waits for {children} to be deactivated.",
    "first": "Waits for {submission} of {name} to be accepted, the first message to a record that was registered "
    "outside the portal.",
    "plan_paused": "Plan {plan} is paused: {cause}.",
    "stopped": "{environment} is stopped: {cause}.",
    "attempt": "The next attempt follows at {time}. Attempt {attempt} did not reach Redox: {cause}.",
    "set_aside": "The next attempt follows at {time}. {cause}.",
    "no_worker": "No worker has run since {time}.",
}

# The outcome of one attempt. A submission can have several attempts before its state is final.
ATTEMPT = _by_key(
    Word("accepted", "Accepted", "check-circle", "is-yes", "Redox accepted the message."),
    Word("rejected", "Rejected", "x-circle", "is-no", "Redox rejected the message."),
    Word("not_sent", "Not sent", "minus-circle", "is-quiet", "Redox could not be reached. Nothing was sent."),
    Word("not_executed", "Not executed", "minus-circle", "is-quiet", "Redox answered without processing the message."),
    Word(
        "unknown",
        "No clear answer",
        "question-mark-circle",
        "is-unsure",
        "No clear answer came. The message may or may not have taken effect.",
    ),
    Word("needs_person", "Needs a decision", "hand-raised", "is-unsure", "The portal cannot judge this attempt alone."),
)

ENVIRONMENT_STATE = _by_key(
    Word(
        "not_connected",
        "Not connected",
        "signal-slash",
        "is-quiet",
        "No credential is set for {environment}. You can prepare records; nothing can be sent.",
    ),
    Word(
        "faulty",
        "Not connected",
        "signal-slash",
        "is-quiet",
        "Not connected: {cause}. You can prepare records; nothing can be sent.",
    ),
    Word(
        "connected",
        "Connected",
        "signal",
        "is-yes",
        "The last check at {time} got a token and an answer to a Query. It wrote nothing to the directory.",
    ),
    Word(
        "not_checked",
        "Not checked",
        "signal",
        "is-ink",
        "A credential is set for {environment}. Nobody has checked it since the portal started at {time}.",
    ),
    Word("check_failed", "Check failed", "exclamation-circle", "is-no", "The last check at {time} failed: {cause}."),
    Word(
        "waiting",
        "Waiting",
        "clock",
        "is-ink",
        "Redox asked us to slow down. Sending continues at {time}.",
    ),
    Word(
        "paused",
        "Paused",
        "pause-circle",
        "is-ink",
        "Redox gave no clear answer {failures} times in a row. The portal asks the directory at {time}, which writes "
        "nothing. Nothing is lost; {k} submissions wait.",
        "Redox gave no clear answer {failures} times in a row. The portal asks the directory at {time}, which writes "
        "nothing. Nothing is lost; {k} submission waits.",
    ),
    Word(
        "stopped",
        "Stopped",
        "stop-circle",
        "is-no",
        "Sending to {environment} was stopped at {time}: {cause}. Nothing is lost; {k} submissions wait. Somebody "
        "must correct the cause.",
        "Sending to {environment} was stopped at {time}: {cause}. Nothing is lost; {k} submission waits. Somebody "
        "must correct the cause.",
    ),
)


def count(number: int, one: str, many: str = "", *, most: int | None = None) -> str:
    """A number with its noun: "1 field", "2 fields". `many` is the plural if it is not `one` with an s.

    A number over `most` was not counted to its end: "more than 10,000 records".
    """
    if most is not None and number > most:
        return f"more than {most:,} {many or one + 's'}"
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def name_some(names: Sequence[str], most: int, noun: str = "other", *, more: int = 0, before_last: str = ", ") -> str:
    """The first names and the number of the others: "Sparta, Tomah and 3 others".

    `more` counts others that are not among `names`. If no name is left out, `before_last` joins the last one.
    """
    others = max(len(names) - most, 0) + more
    if others:
        return f"{', '.join(names[:most])} and {count(others, noun)}"
    return before_last.join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def counted(number: int, state: Word, *, most: int | None = None) -> str:
    """A number with a state: "58 active", "1 needs a decision", "2 need a decision"; `most` as in `count`."""
    word = state.word.lower()
    if most is not None and number > most:
        return f"more than {most:,} {word.replace('needs', 'need')}"
    return f"{number:,} {word if number == 1 else word.replace('needs', 'need')}"


def age_text(duration: timedelta) -> str:
    """A duration in its largest whole unit: "26 minutes", "1 day". A negative one is "0 seconds"."""
    seconds = max(int(duration.total_seconds()), 0)
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= length:
            return count(seconds // length, unit)
    return count(seconds, "second")


def moment_text(value: datetime, now: datetime, form: MomentForm = "moment") -> str:
    """A time in its own zone: "May 9, 14:03 CDT", with the year if that is not the year of `now`.

    "seconds" adds the seconds. "day" is only the date. "clock" leaves out the zone, and the date if it is that of
    `now`; it has seconds if the time is less than a minute ahead, because somebody waits for it.
    """
    today = now.astimezone(value.tzinfo)
    if form == "clock" and value.date() == today.date():
        return f"{value:%H:%M:%S}" if timedelta() < value - now < timedelta(minutes=1) else f"{value:%H:%M}"
    day = f"{MONTHS[value.month - 1]} {value.day}"
    if value.year != today.year:
        day = f"{day}, {value.year}"
    if form == "day":
        return day
    clock = f"{value:%H:%M:%S}" if form == "seconds" else f"{value:%H:%M}"
    return f"{day}, {clock}" if form == "clock" else f"{day}, {clock} {value.tzname()}"
