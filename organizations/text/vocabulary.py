"""The words for what is so, for how long and since when: one place for pages, exports, audit and help.

A sentence holds named placeholders: `{submission}` its number, `{k}` a count, `{environment}` STAGING or PRODUCTION,
`{moment}` a day with its time, `{time}` and `{date}` moments in words, `{age}` a duration in words; the others are what
their name says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

type MomentForm = Literal["moment", "seconds", "day", "clock"]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


# What the help page puts in the place of each placeholder.
EXAMPLE: Mapping[str, object] = {
    "submission": 412,
    "plan": 7,
    "event": "New",
    "k": 3,
    "environment": "STAGING",
    "time": "14:03",
    "moment": "May 3, 14:03 CDT",
    "date": "May 3",
    "age": "26 minutes",
    "person": "Editor One",
    "name": "Lakeside Clinics",
    "oid": "2.16.840.1.113883.3.6147.458.99999.1.1",
    "reason": "Location closed",
    "cause": "Redox refuses the credential",
    "children": "2 children",
    "value": "true",
    "attempt": 2,
    "failures": 5,
    "evidence": "Redox accepted the last message of this record.",
}


@dataclass(frozen=True, slots=True)
class Word:
    """One word for a state, with the icon and tone that say the same, and the sentence that opens on it.

    `one` is the sentence where `k` is 1; "" where the sentence counts nothing.
    """

    key: str
    word: str
    icon: str
    tone: str
    sentence: str
    one: str = ""

    def say(self, **values: object) -> str:
        """The sentence with its placeholders filled; KeyError when one of them is not given."""
        text = self.one if self.one and values.get("k") == 1 else self.sentence
        return text.format(**values)

    @property
    def example(self) -> str:
        """The sentence about no record in particular, as the help page shows it."""
        return self.say(**EXAMPLE)


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
    Word("active", "Active", "active", "is-yes", "{evidence} It says that the organization is active."),
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
        "The first message of this record may or may not have taken effect. The portal is finding out.",
    ),
)

# Instead of the sentence of "not registered" where the record was in the directory before, by who said so.
NOT_IN_DIRECTORY: Mapping[str, str] = {
    "answer": 'Redox answered on {moment} that this OID "is not valid": it is not in the directory.',
    "query": "The directory did not show this OID when asked on {moment}.",
}

# The same where a person decided whose the OID is.
FOREIGN_OID = "Somebody decided that this OID belongs to another organization ({name}). Nothing is sent to it."

# The same before anybody decided.
UNCLAIMED_OID = "The directory already shows this OID, as {name}, and nothing of this record was ever accepted."

# How the standing is known; "not registered" has four ways to be so, and may be
# about an OID that the record no longer has. Of a deactivation its evidence follows.
STANDING_BASIS: Mapping[str, str] = {
    "never_sent": "Never sent.",
    "exists": "Attempted {time}, submission {submission}; Redox says that the OID exists already.",
    "no_answer": "Attempted {time}, submission {submission}; no answer that counts yet.",
    "not_registered": "{event} rejected {time}, submission {submission}.",
    "decided": "{event} rejected by decision of {person} {time}, submission {submission}.",
    "former_oid": "That was about its former OID {oid}.",
    "active": "{evidence}",
    "deactivated": "Deactivated {date} by {person}: {reason}. {evidence}",
    "stated": "Stated {date}: {reason}.",
    "seen": "Seen {time}, Active = {value}.",
    "unknown": "Unknown for {age}, submission {submission}.",
}

# In the order in which people must act. A record shows the first that is true of its own messages and edits, and
# beside it "directory_differs" where the directory shows something else.
OPEN_WORK = _by_key(
    Word(
        "needs_person",
        "Needs a decision",
        "hand-raised",
        "is-unsure",
        "The portal cannot decide alone what became of submission {submission}. Compare and decide.",
    ),
    Word(
        "unknown",
        "Unknown",
        "question-mark-circle",
        "is-unsure",
        "Submission {submission} left, but no clear answer came. Nothing else of this record is sent until that is "
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
        "The directory shows other values than were accepted last in {k} fields.",
        "The directory shows another value than was accepted last in {k} field.",
    ),
    Word("sending", "Sending", "paper-airplane", "is-work", "Submission {submission} is on its way."),
    Word("queued", "Queued", "clock", "is-ink", "Submission {submission} is stored and will be sent."),
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
        "Sent on {moment}. Redox may take up to 2 minutes to answer.",
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
        "The message left on {moment}, but no clear answer came. It may or may not have taken effect.",
    ),
    Word(
        "needs_person",
        "Needs a decision",
        "hand-raised",
        "is-unsure",
        "The portal cannot tell what became of the message. An approver compares it with the directory and decides.",
    ),
    Word("cancelled", "Cancelled", "minus-circle", "is-quiet", "Taken back by {person} on {moment}. Nothing was sent."),
)

# A plan is finished when none of its submissions is open, whatever a person did to it last.
PLAN_STATE = _by_key(
    Word(
        "going",
        "Going",
        "paper-airplane",
        "is-work",
        "The portal sends the messages one after the other. You can leave this page.",
    ),
    Word(
        "paused",
        "Paused",
        "pause-circle",
        "is-unsure",
        "Paused since {time}: {cause}. Nothing more is sent until somebody lets it go on or stops it.",
    ),
    Word(
        "stopped",
        "Stopped",
        "stop-circle",
        "is-ink",
        "Stopped {time}: {cause}. What was not attempted was cancelled; the rest goes on to its own end.",
    ),
    Word("unclear", "Unclear", "question-mark-circle", "is-unsure", "What is left waits for an answer or a decision."),
    Word("ended", "Finished", "document-check", "is-ink", "Nothing is being sent."),
)

# Instead of the sentence of the state once there was an attempt: what came of it is said beside it.
QUEUED_AGAIN = "Reviewed and stored. The same message is sent again."

# Instead of the sentence of the state where no person did it; the reason follows.
CANCELLED_BY_PORTAL = "Cancelled by the portal on {moment}. Nothing was sent."

# What a queued submission waits for; follows the sentence of its state. `{children}` is a count with its noun.
QUEUED_REASON: Mapping[str, str] = {
    "worker": "A worker will take it.",
    "parent": "Waits for its parent {name} to be accepted.",
    "children": "Waits for {children} to be deactivated.",
    "plan_paused": "Plan {plan} is paused: {cause}.",
    "earlier": "Waits for submission {submission} of the same record.",
    "waiting": "{environment} waits until {time}: too many requests.",
    "stopped": "{environment} is stopped: {cause}.",
    "attempt": "The next attempt follows at {time}. Attempt {attempt} did not reach Redox: {cause}.",
    "no_worker": "No worker is running since {time}.",
}

# What one attempt came to; a submission can have several before its state is final.
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
        "The message left, but no clear answer came. It may or may not have taken effect.",
    ),
    Word(
        "needs_person", "Needs a decision", "hand-raised", "is-unsure", "The portal cannot tell what this answer means."
    ),
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
        "The last check at {time} got a token and an answer to a Query. It did not write.",
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
        "Redox gave no clear answer {failures} times in a row. The portal asks again at {time}, reading only. Nothing "
        "is lost; {k} submissions wait.",
        "Redox gave no clear answer {failures} times in a row. The portal asks again at {time}, reading only. Nothing "
        "is lost; {k} submission waits.",
    ),
    Word(
        "stopped",
        "Stopped",
        "stop-circle",
        "is-no",
        "Sending to {environment} is stopped since {time}: {cause}. {k} submissions wait, none is lost. Somebody must "
        "put it right.",
        "Sending to {environment} is stopped since {time}: {cause}. {k} submission waits, none is lost. Somebody must "
        "put it right.",
    ),
)


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 field", "2 fields"; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def counted(number: int, state: Word) -> str:
    """How many are so: "58 active", "1 needs a decision", "2 need a decision"."""
    word = state.word.lower()
    return f"{number:,} {word if number == 1 else word.replace('needs', 'need')}"


def age(duration: timedelta) -> str:
    """A duration in its largest whole unit: "26 minutes", "1 day". Less than nothing is "0 seconds"."""
    seconds = max(int(duration.total_seconds()), 0)
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= length:
            return count(seconds // length, unit)
    return count(seconds, "second")


def moment(value: datetime, now: datetime, form: MomentForm = "moment") -> str:
    """A time in the zone it carries: "May 9, 14:03 CDT", with the year when it is not that of `now`.

    "seconds" adds the seconds; "day" is the date alone; "clock" leaves out date and zone, but only on the day of `now`,
    and has seconds while the time is less than a minute ahead: somebody waits for it.
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
