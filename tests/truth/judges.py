"""The judge of each kind of claim: true unless the log contradicts the claim."""

import itertools
import json
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import QueryDict

from organizations.models import Environment, State, Submission
from organizations.pages.organizations import listing
from organizations.queries import record_filters
from organizations.records import CONTACT_LABELS, difference
from tests.truth import directory
from tests.truth.claims import Said
from tests.truth.facts import (
    Facts,
    folded_shown_texts,
    folded_texts,
    is_already_there,
    is_no,
    is_yes,
    sent_record,
)

type Judge = Callable[[Facts, Said], bool]


def holds(facts: Facts, said: Said) -> bool:
    """Whether nothing in the log contradicts the claim."""
    return JUDGES[said.kind](facts, said)


# What Redox answered


def _redox_said_no(facts: Facts, said: Said) -> bool:
    return facts.said_no(said.about())


def _quoted_yes(facts: Facts, said: Said) -> bool:
    quoted = json.dumps(said.value).encode()[1:-1]
    return any(is_yes(reply) and quoted in reply.exchange.body for reply in facts.replies(said.about()))


def _redox_wrote(facts: Facts, said: Said) -> bool:
    """The quoted text is in a JSON answer, not in the web page of a gateway or an error of the connection."""
    start = json.dumps(str(said.value).rstrip("…")[:40]).encode()[1:-1]
    bodies = (reply.exchange.body for reply in facts.replies(said.about()))
    return any(body.startswith(b"{") and start in body for body in bodies)


def _accepted_by_redox(facts: Facts, said: Said) -> bool:
    submission = said.submission or facts.organization(said.oid).confirmed_submission
    return submission is not None and facts.said_yes(submission)


def _active_as_before(facts: Facts, said: Said) -> bool:
    """As the last accepted message had it, unless a person took the directory's value since."""
    accepted = [each for each in facts.of_record(said.oid) if facts.said_yes(each) or each.state == State.ACCEPTED]
    if not accepted or facts.organization(said.oid).taken:
        return True
    return sent_record(accepted[-1]).active == facts.organization(said.oid).active


def _active_as_in_message(facts: Facts, said: Said) -> bool:
    return sent_record(said.about()).active == said.value


def _no_message_accepted(facts: Facts, said: Said) -> bool:
    return not any(map(facts.said_yes, facts.of_record(said.oid)))


def _said_not_there(facts: Facts, said: Said) -> bool:
    replies = [reply for submission in facts.of_record(said.oid) for reply in facts.replies(submission)]
    is_refused = any(b"is not valid" in reply.exchange.body for reply in replies)
    return is_refused or any(reading.record is None for reading in facts.readings(said.oid))


def _no_clear_answer(facts: Facts, said: Said) -> bool:
    """ "Already exists" after an unknown attempt of ours neither accepts nor rejects."""
    reply = facts.reply_to(said.about(), said.value)
    return reply is None or not (is_yes(reply) or (is_no(reply) and not is_already_there(reply)))


def _unknown(facts: Facts, said: Said) -> bool:
    last = facts.organization(said.oid).last_submission
    return last is not None and _no_clear_answer(facts, Said("", "", "", submission=last))


def _not_executed(facts: Facts, said: Said) -> bool:
    reply = facts.reply_to(said.about(), said.value)
    return reply is not None and reply.exchange.status in (401, 425, 429)


def _did_not_reach(facts: Facts, said: Said) -> bool:
    reply = facts.reply_to(said.about(), said.value)
    return reply is None or not reply.exchange.sent


# People


def _changed_by(facts: Facts, said: Said) -> bool:
    """The person who changed that field last."""
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
    """Each value of the directory has a tick, unless we sent or took it, or somebody edited the field since."""
    record, ticked = said.value
    reading = facts.newest_reading(said.oid)
    if reading is None or reading.record is None or directory.said_not_valid_since(facts, said.oid, reading.at):
        return True
    accepted = facts.organization(said.oid).baseline_record()
    seen, sent = folded_shown_texts(reading.record), folded_shown_texts(record)
    ours = folded_shown_texts(accepted) if accepted else {}
    lost = {key for key, value in seen.items() if value and value != sent.get(key, "") and value != ours.get(key, "")}
    return all(_edited_since_seen(facts, said.oid, key) for key in lost - ticked)


def _edited_since_seen(facts: Facts, oid: str, key: str) -> bool:
    """Whether somebody edited the field after the first of the newest readings that show its present value."""
    shown = [(each.at, folded_shown_texts(each.record).get(key)) for each in facts.readings(oid) if each.record]
    newest = shown[-1][1]
    since = [at for at, _ in itertools.takewhile(lambda each: each[1] == newest, reversed(shown))][-1]
    return any(edit.oid == oid and edit.at > since and key in edit.fields for edit in facts.history.edits)


def _first_registration(facts: Facts, said: Said) -> bool:
    readings = facts.readings(said.oid)
    is_there = bool(readings) and readings[-1].record is not None
    is_gone = is_there and directory.said_not_valid_since(facts, said.oid, readings[-1].at)
    return _no_message_accepted(facts, said) and (is_gone or not is_there)


# What happens next, and counts


def _next_attempt(facts: Facts, said: Said) -> bool:
    not_before = said.about().not_before
    return not_before is not None and not_before > facts.world.time


def _will_be_taken(facts: Facts, said: Said) -> bool:
    gate, now = facts.gate, facts.world.time
    is_due = Submission.objects.filter(pk=said.about().pk).due("staging", now).exists()
    return is_due and not gate.is_stopped and not gate.is_paused(now)


def _asks_at(facts: Facts, said: Said) -> bool:
    """At the promised time a worker can ask: the environment is not stopped, and not paused for longer."""
    gate, lease = facts.gate, said.about().lease_until
    if said.value <= facts.world.time:
        return True
    return not gate.is_stopped and not gate.is_paused(said.value) and not (lease and lease > said.value)


def _counted_as_listed(facts: Facts, said: Said) -> bool:
    number, url = said.value
    address = urlsplit(url)
    environment, area, *rest = address.path.strip("/").split("/")
    if rest:
        return number == 1  # one record or one plan
    asked = QueryDict(address.query)
    if area == "submissions":
        return number == Submission.objects.filter(environment=environment, state=asked["state"]).count()
    wanted = record_filters.read(asked, environment)
    return number == listing.build(Environment(environment), wanted, "", "").fitting


def _counted_by_standing(facts: Facts, said: Said) -> bool:
    """The counts agree with the pages of the records."""
    return {word: int(number) for number, word in re.findall(r"(\d+) ([a-z ]+)", said.text)} == said.value


def _not(judge: Judge) -> Judge:
    return lambda facts, said: not judge(facts, said)


def _as_said(facts: Facts, said: Said) -> bool:
    return bool(said.value)


JUDGES: dict[str, Judge] = {
    "Redox said no": _redox_said_no,
    "quoted as Redox's yes": _quoted_yes,
    "Redox wrote": _redox_wrote,
    "accepted by Redox": _accepted_by_redox,
    "listed as accepted by Redox": _accepted_by_redox,
    "listed as rejected by Redox": _redox_said_no,
    "listed as shown by a Query": directory.shows_what_was_sent,
    "Active as before its change": _active_as_before,
    "Active as in the last message": _active_as_in_message,
    "no message accepted": _no_message_accepted,
    "Redox said that the OID is not there": _said_not_there,
    "no clear answer": _no_clear_answer,
    "unknown": _unknown,
    "not executed": _not_executed,
    "did not reach Redox": _did_not_reach,
    "nothing was sent": directory.nothing_was_sent,
    "never sent": directory.never_sent,
    "saved here and not sent": directory.saved_not_sent,
    "accepted with effect": directory.accepted_with_effect,
    "the directory shows what was sent": directory.shows_what_was_sent,
    "the directory showed it": directory.directory_showed_it,
    "the directory did not show it": directory.directory_did_not_show_it,
    "the directory shows it now": directory.was_there,
    "the directory does not show it now": _not(directory.was_there),
    "the directory showed this value": directory.showed_value,
    "never read": directory.never_read,
    "read": _not(directory.never_read),
    "somebody changed the directory": directory.somebody_changed_it,
    "a difference is shown on the record": directory.difference_shown,
    "a difference is shown in the list": directory.difference_shown,
    "a difference is shown on home": directory.difference_shown,
    "a difference is shown on its page": directory.difference_shown,
    "compared as equal": directory.compared_as_equal,
    "may have arrived": directory.may_have_arrived,
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
