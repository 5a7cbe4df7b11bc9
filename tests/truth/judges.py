"""How the log judges each kind of claim: true unless what happened contradicts it."""

import datetime
import json
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import QueryDict

from organizations.models import Environment, Organization, Submission
from organizations.presentation import filters, listing
from organizations.records import CONTACT_LABELS, difference
from organizations.words import STANDING
from tests.truth.claims import Said
from tests.truth.facts import (
    Facts,
    folded_shown_texts,
    folded_texts,
    is_already_there,
    is_no,
    is_yes,
    record_of,
    sent_record,
    shown_texts,
)
from tests.truth.history import texts

type Judge = Callable[[Facts, Said], bool]


def holds(facts: Facts, said: Said) -> bool:
    """Whether nothing in the log contradicts the claim."""
    return JUDGES[said.kind](facts, said)


def _of(said: Said) -> Submission:
    assert said.submission is not None, said
    return said.submission


# What Redox answered


def _redox_said_yes(facts: Facts, said: Said) -> bool:
    reply = facts.reply_to(_of(said), said.value)
    return facts.said_yes(_of(said)) if said.value is None else reply is not None and is_yes(reply)


def _redox_said_no(facts: Facts, said: Said) -> bool:
    return facts.said_no(_of(said))


def _quoted_yes(facts: Facts, said: Said) -> bool:
    quoted = json.dumps(said.value).encode()[1:-1]
    return any(is_yes(reply) and quoted in reply.exchange.body for reply in facts.replies(_of(said)))


def _redox_wrote(facts: Facts, said: Said) -> bool:
    """Redox writes JSON; a page for people is a gateway's, and a fault of the connection is nobody's."""
    start = json.dumps(str(said.value).rstrip("…")[:40]).encode()[1:-1]
    bodies = (reply.exchange.body for reply in facts.replies(_of(said)))
    return any(body.startswith(b"{") and start in body for body in bodies)


def _accepted_by_redox(facts: Facts, said: Said) -> bool:
    submission = said.submission or facts.organization(said.oid).confirmed_submission
    return submission is not None and facts.said_yes(submission)


def _active_as_accepted(facts: Facts, said: Said) -> bool:
    accepted = [submission for submission in facts.of_record(said.oid) if facts.said_yes(submission)]
    return bool(accepted) and sent_record(accepted[-1]).active == facts.organization(said.oid).active


def _no_message_accepted(facts: Facts, said: Said) -> bool:
    return not any(map(facts.said_yes, facts.of_record(said.oid)))


def _said_not_there(facts: Facts, said: Said) -> bool:
    replies = [reply for submission in facts.of_record(said.oid) for reply in facts.replies(submission)]
    is_refused = any(b"is not valid" in reply.exchange.body for reply in replies)
    return is_refused or any(reading.record is None for reading in facts.readings(said.oid))


def _no_clear_answer(facts: Facts, said: Said) -> bool:
    """ "Already exists" after an own unknown is neither yes nor no."""
    reply = facts.reply_to(_of(said), said.value)
    return reply is None or not (is_yes(reply) or (is_no(reply) and not is_already_there(reply)))


def _unknown(facts: Facts, said: Said) -> bool:
    last = facts.organization(said.oid).last_submission
    return last is not None and _no_clear_answer(facts, Said("", "", "", submission=last))


def _not_executed(facts: Facts, said: Said) -> bool:
    reply = facts.reply_to(_of(said), said.value)
    return reply is not None and reply.exchange.status in (401, 425, 429)


def _did_not_reach(facts: Facts, said: Said) -> bool:
    reply = facts.reply_to(_of(said), said.value)
    return reply is None or not reply.exchange.sent


# What was sent


def _nothing_was_sent(facts: Facts, said: Said) -> bool:
    return said.submission is None or not facts.arrived(said.submission)


def _never_sent(facts: Facts, said: Said) -> bool:
    return not any(map(facts.arrived, facts.of_record(said.oid)))


def _saved_not_sent(facts: Facts, said: Said) -> bool:
    """False where every value that it speaks of was in a message that arrived after the last acceptance."""
    if not said.oid:
        return True  # a line of home that counts many records
    fields = _changed_fields(facts, said.oid)
    since = facts.organization(said.oid).confirmed_submission_id or 0
    sent = [texts(sent_record(each)) for each in facts.of_record(said.oid) if each.pk > since and facts.arrived(each)]
    return any(all(each.get(key, "") != value for each in sent) for key, value in fields.items())


def _changed_fields(facts: Facts, oid: str) -> dict[str, str]:
    """The fields in which what is wanted differs from what the portal compares with, with the wanted value."""
    wanted, compared = texts(facts.wanted(oid)), facts.organization(oid).baseline_record()
    old = texts(compared) if compared else {}
    return {key: value for key, value in wanted.items() if old.get(key, "") != value and not key.startswith("carried.")}


# What the directory has


def _accepted_with_effect(facts: Facts, said: Said) -> bool:
    submission = _of(said)
    if submission.pk in facts.history.decisions or facts.applied(submission):
        return True
    sent = shown_texts(sent_record(submission))
    there = facts.content_at(submission.oid, submission.created_at)
    later = [each for each in facts.world.contents if each.oid == submission.oid and each.at > submission.created_at]
    contents = [each.organization for each in (there, *later) if each is not None and each.organization is not None]
    return any(shown_texts(record_of(json.dumps(each), submission.oid)) == sent for each in contents)


def _shows_what_was_sent(facts: Facts, said: Said) -> bool:
    submission = _of(said)
    if submission.pk in facts.history.decisions:
        return True
    moment = said.value if isinstance(said.value, datetime.datetime) else facts.world.time
    content = facts.content_at(submission.oid, moment)
    if content is None:
        return False
    there, sent = record_of(json.dumps(content.organization), content.oid), sent_record(submission)
    if facts.applied(submission):
        return folded_shown_texts(there) == folded_shown_texts(sent)
    return shown_texts(there) == shown_texts(sent)


def _directory_lacks(facts: Facts, said: Said) -> bool:
    """False where the directory has every one of the saved values that a Query can show."""
    content = facts.content(said.oid)
    if content is None:
        return True
    there = shown_texts(record_of(json.dumps(content.organization), content.oid))
    fields = {key: value for key, value in _changed_fields(facts, said.oid).items() if key in there}
    return not fields or any(there[key] != value for key, value in fields.items())


def _directory_showed_it(facts: Facts, said: Said) -> bool:
    return any(reading.record is not None for reading in facts.readings(said.oid))


def _was_there(facts: Facts, said: Said) -> bool:
    return facts.content_at(said.oid, said.value) is not None


def _showed_value(facts: Facts, said: Said) -> bool:
    found = facts.readings(said.oid)
    newest = found[-1].record if found else None
    return newest is not None and (said.value.seen == "" or said.value.seen in texts(newest).values())


def _never_read(facts: Facts, said: Said) -> bool:
    return not facts.readings(said.oid)


def _somebody_changed_it(facts: Facts, said: Said) -> bool:
    """Something reached the directory after what was accepted last, and it is not the message that is under way."""
    organization, reading = facts.organization(said.oid), facts.newest_reading(said.oid)
    accepted, last = organization.confirmed_submission, organization.last_submission
    if reading is None or accepted is None:
        return False
    of_record = [each for each in facts.world.contents if each.oid == said.oid and each.at < reading.at]
    newest = of_record[-1] if of_record else None
    if newest is None or newest.sha256 == accepted.message_sha256 or not facts.applied(accepted):
        return False
    return not (last is not None and last.is_open and newest.sha256 == last.message_sha256)


def _difference_shown(facts: Facts, said: Said) -> bool:
    if said.value:
        return True
    organization, reading = facts.organization(said.oid), facts.newest_reading(said.oid)
    accepted, last = organization.confirmed_record(), organization.last_submission
    if reading is None or accepted is None:
        return True
    if reading.record is None:
        return False
    shown = folded_shown_texts(reading.record)
    is_our_own = last is not None and last.is_open and shown == folded_shown_texts(sent_record(last))
    return is_our_own or shown == folded_shown_texts(accepted)


def _compared_as_equal(facts: Facts, said: Said) -> bool:
    """Shown as equal without a word that it only means the same."""
    return said.value.equal is not True or said.value.means_same or said.value.sent == said.value.seen


def _may_have_arrived(facts: Facts, said: Said) -> bool:
    """A byte left, and Redox did not answer every attempt with a no."""
    replies = facts.replies(_of(said))
    refused = bool(replies) and all(map(is_no, replies))
    return facts.arrived(_of(said)) and not refused


# People


def _changed_by(facts: Facts, said: Said) -> bool:
    """The last one who changed that field."""
    label, person = said.value
    until = said.submission.created_at if said.submission else facts.world.time
    edits = [edit for edit in facts.history.edits if edit.oid == said.oid and edit.at <= until]
    if re.fullmatch(r"Contact \d+", label):
        return any(edit.person == person for edit in edits)
    field = _field_called(facts, said.oid, label)
    touched = [edit for edit in edits if field in edit.fields]
    return bool(touched) and touched[-1].person == person


def _field_called(facts: Facts, oid: str, label: str) -> str:
    contact = re.fullmatch(r"Contact (\d+), (.+)", label)
    if contact:
        keys = {text: key for key, text in CONTACT_LABELS.items()}
        return f"contacts.{int(contact[1]) - 1}.{keys[contact[2]]}"
    wanted = facts.wanted(oid)
    filled = {found.label: found.field for found in difference(None, wanted)}
    return filled.get(label, "") or {"Destination ID": "destination_id", "Active": "active"}.get(label, "")


# The review


def _newest_before(facts: Facts, said: Said) -> bool:
    known = facts.known(said.oid).get(said.value.field)
    return known is None or said.value.field.startswith("carried.") or said.value.before in known.written


def _every_change(facts: Facts, said: Said) -> bool:
    record, shown = said.value
    sent = folded_texts(record)
    known = {key: each for key, each in facts.known(said.oid).items() if not key.startswith("carried.")}
    return all(key in shown for key, each in known.items() if key in sent and each.folded != sent[key])


def _nothing_differs(facts: Facts, said: Said) -> bool:
    sent = folded_texts(facts.wanted(said.oid))
    known = {key: each for key, each in facts.known(said.oid).items() if not key.startswith("carried.")}
    return all(sent.get(key, "") == each.folded for key, each in known.items())


def _of_the_form(facts: Facts, said: Said) -> bool:
    return not said.value.startswith("carried.")


def _overwrites_ticked(facts: Facts, said: Said) -> bool:
    """Each value that was seen, that we did not put there and that nobody edited since it was seen, has a tick."""
    record, ticked = said.value
    reading = facts.newest_reading(said.oid)
    if reading is None or reading.record is None:
        return True
    accepted = facts.organization(said.oid).confirmed_record()
    seen, sent = folded_shown_texts(reading.record), folded_shown_texts(record)
    ours = folded_shown_texts(accepted) if accepted else {}
    edited = {
        key for edit in facts.history.edits if edit.oid == said.oid and edit.at > reading.at for key in edit.fields
    }
    lost = {key for key, value in seen.items() if value and value != sent.get(key, "") and value != ours.get(key, "")}
    return lost - edited <= ticked


def _first_registration(facts: Facts, said: Said) -> bool:
    readings = facts.readings(said.oid)
    return _no_message_accepted(facts, said) and not (readings and readings[-1].record is not None)


# What happens next, and counts


def _next_attempt(facts: Facts, said: Said) -> bool:
    not_before = _of(said).not_before
    return not_before is not None and not_before > facts.world.time


def _will_be_taken(facts: Facts, said: Said) -> bool:
    gate, now = facts.gate, facts.world.time
    is_due = Submission.objects.filter(pk=_of(said).pk).due("staging", now).exists()
    return is_due and not gate.is_stopped and not gate.is_held(now)


def _asks_at(facts: Facts, said: Said) -> bool:
    """A worker that looks at the promised time may ask: the environment is neither stopped nor held until later."""
    gate, lease = facts.gate, _of(said).lease_until
    if said.value <= facts.world.time:
        return True
    return not gate.is_stopped and not gate.is_held(said.value) and not (lease and lease > said.value)


def _counted_as_listed(facts: Facts, said: Said) -> bool:
    number, url = said.value
    address = urlsplit(url)
    environment, area, *rest = address.path.strip("/").split("/")
    if rest:
        return number == 1  # one record or one plan
    asked = QueryDict(address.query)
    if area == "submissions":
        return number == Submission.objects.filter(environment=environment, state=asked["state"]).count()
    wanted = filters.read(asked, environment)
    return number == listing.read(Environment(environment), wanted, "", "").fitting


def _counted_by_standing(facts: Facts, said: Said) -> bool:
    counted = {word: int(number) for number, word in re.findall(r"(\d+) ([a-z ]+)", str(said.value))}
    for key, word in STANDING.items():
        listed = filters.narrowed("staging", filters.Filters(standing=key)).count()
        if listed != counted.get(word.word.lower(), 0):
            return False
    return sum(counted.values()) == Organization.objects.in_environment("staging").count()


def _not(judge: Judge) -> Judge:
    return lambda facts, said: not judge(facts, said)


def _as_said(facts: Facts, said: Said) -> bool:
    return bool(said.value)


JUDGES: dict[str, Judge] = {
    "Redox said yes": _redox_said_yes,
    "Redox said no": _redox_said_no,
    "quoted as Redox's yes": _quoted_yes,
    "Redox wrote": _redox_wrote,
    "accepted by Redox": _accepted_by_redox,
    "Active as Redox accepted it": _active_as_accepted,
    "no message accepted": _no_message_accepted,
    "Redox said that the OID is not there": _said_not_there,
    "no clear answer": _no_clear_answer,
    "unknown": _unknown,
    "not executed": _not_executed,
    "did not reach Redox": _did_not_reach,
    "nothing was sent": _nothing_was_sent,
    "never sent": _never_sent,
    "saved here and not sent": _saved_not_sent,
    "accepted with effect": _accepted_with_effect,
    "the directory shows what was sent": _shows_what_was_sent,
    "the directory does not have them": _directory_lacks,
    "the directory showed it": _directory_showed_it,
    "the directory shows it now": _was_there,
    "the directory does not show it now": _not(_was_there),
    "the directory showed this value": _showed_value,
    "never read": _never_read,
    "read": _not(_never_read),
    "somebody changed the directory": _somebody_changed_it,
    "a difference is shown on the record": _difference_shown,
    "a difference is shown in the list": _difference_shown,
    "a difference is shown on home": _difference_shown,
    "compared as equal": _compared_as_equal,
    "may have arrived": _may_have_arrived,
    "changed by": _changed_by,
    "compared with the newest knowledge": _newest_before,
    "every change is shown": _every_change,
    "nothing differs": _nothing_differs,
    "a change of the form": _of_the_form,
    "overwrites only what is ticked": _overwrites_ticked,
    "first registration": _first_registration,
    "the next attempt follows at": _next_attempt,
    "a worker will take it": _will_be_taken,
    "it asks the directory at": _asks_at,
    "counted as in its list": _counted_as_listed,
    "counted by standing": _counted_by_standing,
    "the list says what the record says": _as_said,
}
