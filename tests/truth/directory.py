"""The judges of claims about open messages and about the content of the directory."""

import datetime
import json

from tests.truth.claims import Said
from tests.truth.facts import Facts, folded_shown_texts, is_no, record_of, sent_record, shown_texts
from tests.truth.history import texts

# What was sent


def nothing_was_sent(facts: Facts, said: Said) -> bool:
    return said.submission is None or not facts.arrived(said.submission)


def never_sent(facts: Facts, said: Said) -> bool:
    return not any(map(facts.arrived, facts.of_record(said.oid)))


def saved_not_sent(facts: Facts, said: Said) -> bool:
    """False if every value of the claim was in a message that took effect after the last acceptance."""
    if not said.oid:
        return True  # a line of home that counts many records
    fields = _changed_fields(facts, said.oid)
    since = facts.organization(said.oid).confirmed_submission_id or 0
    sent = [texts(sent_record(each)) for each in facts.of_record(said.oid) if each.pk > since and facts.arrived(each)]
    return any(all(each.get(key, "") != value for each in sent) for key, value in fields.items())


def _changed_fields(facts: Facts, oid: str) -> dict[str, str]:
    """The fields in which the saved values differ from the baseline, with the saved value."""
    wanted, compared = texts(facts.wanted(oid)), facts.organization(oid).baseline_record()
    old = texts(compared) if compared else {}
    return {key: value for key, value in wanted.items() if old.get(key, "") != value and not key.startswith("carried.")}


# What the directory has


def accepted_with_effect(facts: Facts, said: Said) -> bool:
    submission = said.about()
    if submission.pk in facts.history.decisions or facts.applied(submission):
        return True
    sent = shown_texts(sent_record(submission))
    there = facts.content_at(submission.oid, submission.created_at)
    later = [each for each in facts.world.contents if each.oid == submission.oid and each.at > submission.created_at]
    contents = [each.organization for each in (there, *later) if each is not None and each.organization is not None]
    return any(shown_texts(record_of(json.dumps(each), submission.oid)) == sent for each in contents)


def shows_what_was_sent(facts: Facts, said: Said) -> bool:
    submission = said.about()
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


def directory_showed_it(facts: Facts, said: Said) -> bool:
    return any(reading.record is not None for reading in facts.readings(said.oid))


def directory_did_not_show_it(facts: Facts, said: Said) -> bool:
    return any(reading.record is None for reading in facts.readings(said.oid))


def was_there(facts: Facts, said: Said) -> bool:
    return facts.content_at(said.oid, said.value) is not None


def showed_value(facts: Facts, said: Said) -> bool:
    found = facts.readings(said.oid)
    newest = found[-1].record if found else None
    return newest is not None and (said.value.seen == "" or said.value.seen in texts(newest).values())


def never_read(facts: Facts, said: Said) -> bool:
    return not facts.readings(said.oid)


def somebody_changed_it(facts: Facts, said: Said) -> bool:
    """Something other than the message in flight changed the directory after the last acceptance.

    Where a person decided that a message arrived, against what the directory shows, the difference is that person's.
    """
    organization, reading = facts.organization(said.oid), facts.newest_reading(said.oid)
    accepted, last = organization.confirmed_submission, organization.last_submission
    if accepted is not None and accepted.pk in facts.history.decisions:
        seen = facts.readings(said.oid)[-1].record
        return seen is None or folded_shown_texts(seen) != folded_shown_texts(sent_record(accepted))
    if reading is None or accepted is None:
        return False
    of_record = [each for each in facts.world.contents if each.oid == said.oid and each.at < reading.at]
    newest = of_record[-1] if of_record else None
    if newest is None or newest.sha256 == accepted.message_sha256 or not facts.applied(accepted):
        return False
    return not (last is not None and last.is_open and newest.sha256 == last.message_sha256)


def difference_shown(facts: Facts, said: Said) -> bool:
    """The reading differs from what was accepted, or taken from the directory since."""
    if said.value:
        return True
    organization, reading = facts.organization(said.oid), facts.newest_reading(said.oid)
    accepted, last = organization.baseline_record(), organization.last_submission
    if reading is None or accepted is None or said_not_valid_since(facts, said.oid, reading.at):
        return True
    if reading.record is None:
        return False
    shown = folded_shown_texts(reading.record)
    is_our_own = last is not None and last.is_open and shown == folded_shown_texts(sent_record(last))
    return is_our_own or shown == folded_shown_texts(accepted)


def said_not_valid_since(facts: Facts, oid: str, moment: datetime.datetime) -> bool:
    """Whether Redox said later that the OID is not in the directory. Then no value differs."""
    replies = [reply for submission in facts.of_record(oid) for reply in facts.replies(submission)]
    return any(b"is not valid" in reply.exchange.body for reply in replies if reply.at > moment)


def compared_as_equal(facts: Facts, said: Said) -> bool:
    """The page shows the values as equal, and does not say that only their meaning is the same."""
    return said.value.equal is not True or said.value.means_same or said.value.sent == said.value.seen


def may_have_arrived(facts: Facts, said: Said) -> bool:
    """A byte was sent, or a worker died, and Redox did not reject every attempt."""
    replies = facts.all_replies(said.about())
    may_have_left = any(reply.exchange.sent or not reply.was_read for reply in replies)
    return may_have_left and not all(reply.was_read and is_no(reply) for reply in replies)
