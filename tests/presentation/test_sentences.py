"""Each entry of the history as one sentence: the exact words, and nothing harmful from what others wrote."""

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.models import Action, AuditEntry
from organizations.presentation import sentence_templates, sentences
from organizations.services.audit import canonical_json


def entry(action: Action, **facts: Any) -> AuditEntry:
    body = {
        "actor": {"id": 1, "name": "Editor One"},
        "object": {"type": "organization", "id": "7", "name": "Lakeside North"},
        "environment": "production",
    }
    at = datetime.datetime(2027, 3, 9, 20, 3, tzinfo=datetime.UTC)
    return AuditEntry(
        sequence=48_102, at=at, action=action, environment="production", body=canonical_json(body | facts)
    )


def change(label: str, before: str, after: str) -> dict[str, str]:
    return {"field": label.lower(), "label": label, "before": before, "after": after}


PLAN = {"object": {"type": "plan", "id": "7", "name": "plan 7"}, "plan": 7}
WORKER = {"actor": {"id": None, "name": "Worker 1"}}
REPEATED = {"times": 7, "since": "2001-05-04T19:03:05+00:00"}
UPDATE = {"submission": 412, "event": "Update", "intent": "update", "attempt": 1}


TWIN = {"name": "Lakeside Twin", "oid": "1.2.3", "environment": "staging"}


@pytest.mark.parametrize(
    ("action", "facts", "text"),
    [
        (Action.ORGANIZATION_CREATED, {}, "Editor One added Lakeside North in PRODUCTION."),
        (
            Action.ORGANIZATION_CREATED,
            {"details": {"prepared_from": TWIN | {"values": "accepted", "submission": 388}}},
            "Editor One added Lakeside North in PRODUCTION, prepared from Lakeside Twin in STAGING (submission 388).",
        ),
        (
            Action.ORGANIZATION_CREATED,
            {"details": {"prepared_from": TWIN | {"values": "earlier"}}},
            (
                "Editor One added Lakeside North in PRODUCTION, prepared from Lakeside Twin in STAGING, "
                "as it was before its last change."
            ),
        ),
        (
            Action.ORGANIZATION_CREATED,
            {"details": {"prepared_from": TWIN | {"values": "saved"}}},
            "Editor One added Lakeside North in PRODUCTION, prepared from Lakeside Twin in STAGING.",
        ),
        (
            Action.ORGANIZATION_LINKED,
            {"details": {"counterpart": TWIN}},
            "Editor One linked Lakeside North with Lakeside Twin, 1.2.3 in STAGING.",
        ),
        (
            Action.ORGANIZATION_UNLINKED,
            {"details": {"counterpart": TWIN}},
            "Editor One removed the link of Lakeside North with Lakeside Twin, 1.2.3 in STAGING.",
        ),
        (
            Action.ORGANIZATION_UNLINKED,
            {"details": {"counterpart": TWIN, "is_withdrawn": True}},
            "Editor One removed the link of Lakeside North with Lakeside Twin, 1.2.3 in STAGING, which was withdrawn.",
        ),
        (
            Action.ORGANIZATION_EDITED,
            {"changes": [change("ZIP", "53704", "53703")]},
            "Editor One changed ZIP from 53704 to 53703 on Lakeside North.",
        ),
        (
            Action.ORGANIZATION_EDITED,
            {"changes": [change("ZIP", "53704", ""), change("City", "", "Madison")]},
            "Editor One removed ZIP 53704, set City to Madison on Lakeside North.",
        ),
        (
            Action.ORGANIZATION_EDITED,
            {"changes": [change("Contact 1, Mobile phone", "1", "2"), change("Contact 2, Purpose", "", "Night")]},
            (
                "Editor One changed Mobile phone of contact 1 from 1 to 2, set Purpose of contact 2 to Night on"
                " Lakeside North."
            ),
        ),
        (
            Action.ORGANIZATION_EDITED,
            {"changes": [change(f"Field {number}", "a", "b") for number in range(6)]},
            (
                "Editor One changed Field 0 from a to b, changed Field 1 from a to b, changed Field 2 from a to b, "
                "changed Field 3 from a to b and 2 more fields on Lakeside North."
            ),
        ),
        (
            Action.ENVIRONMENT_HELD,
            {"reason": "too many requests", "details": {"until": "2020-01-09T20:03:10+00:00"}},
            "PRODUCTION waits until Jan 9, 2020, 14:03:10 CST: too many requests. Sending resumes automatically.",
        ),
        (
            Action.ORGANIZATION_DISCARDED,
            {"changes": [change("ZIP", "1", "2"), change("City", "3", "4")]},
            "Editor One discarded 2 saved changes on Lakeside North: ZIP, City.",
        ),
        (
            Action.SUBMISSION_MADE,
            UPDATE
            | {
                "changes": [change("ZIP", "1", "2"), change("City", "3", "4")],
                "reason": "New switchboard",
                "details": {"approval": "No approval was required."},
            },
            'Editor One sent submission 412: 2 fields. Reason: "New switchboard". No approval was required.',
        ),
        (
            Action.SUBMISSION_MADE,
            UPDATE | {"event": "New", "intent": "create"},
            "Editor One sent submission 412: registration.",
        ),
        (
            Action.SUBMISSION_MADE,
            UPDATE | {"intent": "deactivate"},
            "Editor One sent submission 412: Active true to false.",
        ),
        (Action.SUBMISSION_MADE, UPDATE, "Editor One sent submission 412: the same values again."),
        (
            Action.ATTEMPT_OUTCOME,
            UPDATE | {"outcome": "accepted", "detail": "Organization has been updated successfully."},
            (
                "Redox accepted submission 412 (Update of Lakeside North, PRODUCTION): "
                '"Organization has been updated successfully."'
            ),
        ),
        (
            Action.ATTEMPT_OUTCOME,
            UPDATE | {"outcome": "not_sent", "detail": "connection refused"},
            "Attempt 1 of submission 412 did not reach Redox: connection refused. Nothing was sent.",
        ),
        (
            Action.ATTEMPT_OUTCOME,
            UPDATE | {"outcome": "rejected", "http_status": 403},
            "Redox rejected submission 412 (Update of Lakeside North, PRODUCTION): HTTP 403, without a text.",
        ),
        (
            Action.ATTEMPT_RESPONSE,
            UPDATE | {"http_status": 200, "raw_bytes": 91},
            "A response to attempt 1 of submission 412 was stored: HTTP 200, 91 bytes.",
        ),
        (
            Action.ATTEMPT_RESPONSE,
            UPDATE | {"exchange": {"fault_text": "no route"}},
            "No response came to attempt 1 of submission 412: no route.",
        ),
        (
            Action.SUBMISSION_ASKED,
            {"submission": 412, "details": {"asked": True, "found": True}},
            (
                "Editor One asked the directory of PRODUCTION for Lakeside North because of submission 412. "
                "It showed this OID."
            ),
        ),
        (
            Action.SUBMISSION_SETTLED,
            WORKER | {"submission": 412, "reason": "the settings changed", "details": {"state": "needs_person"}},
            'Submission 412 needs a decision. Reason: "the settings changed".',
        ),
        (
            Action.SUBMISSION_ASKED,
            UPDATE | {"http_status": 200, "detail": "The answer was not understood.", "details": {"asked": False}},
            (
                "Editor One asked the directory of PRODUCTION for Lakeside North because of submission 412. "
                "The answer decides nothing: The answer was not understood."
            ),
        ),
        (
            Action.SUBMISSION_ASKED,
            UPDATE | {"http_status": 200, "detail": '{"Meta": {}}', "details": {"asked": False}},
            (
                "Editor One asked the directory of PRODUCTION for Lakeside North because of submission 412. "
                "The answer decides nothing: it was not understood."
            ),
        ),
        (
            Action.ORGANIZATION_ASKED,
            {"details": {"asked": False, "cause": "Redox waits until 14:08."}},
            (
                "Editor One tried to ask the directory of PRODUCTION for Lakeside North. "
                "It could not be asked: Redox waits until 14:08."
            ),
        ),
        (
            Action.ORGANIZATION_ASKED,
            {"exchange": {"sent": True}, "details": {"asked": False, "cause": "no whole answer within 8 seconds"}},
            (
                "Editor One asked the directory of PRODUCTION for Lakeside North. "
                "No answer came: no whole answer within 8 seconds."
            ),
        ),
        (
            Action.ORGANIZATION_ASKED,
            {"http_status": 401, "exchange": {"sent": True}, "details": {"asked": False, "cause": "key not found"}},
            (
                "Editor One tried to ask the directory of PRODUCTION for Lakeside North. "
                "It could not be asked: key not found."
            ),
        ),
        (
            Action.ORGANIZATION_TAKEN,
            {"changes": [change("City", "Madison", "Middleton"), change("ZIP", "53704", "")], "reason": "ticket 7"},
            (
                "Editor One saved what the directory shows on Lakeside North: City from Madison to Middleton, "
                'ZIP from 53704 to none. Nothing was sent. Reason: "ticket 7".'
            ),
        ),
        (
            Action.PLAN_MADE,
            PLAN | {"reason": "ticket 7", "details": {"news": 3, "updates": 1, "deactivated": 0}},
            'Editor One made plan 7, to be sent to PRODUCTION: 3 New, 1 Update. Reason: "ticket 7".',
        ),
        (
            Action.PLAN_PAUSED,
            PLAN | {"actor": {"id": None, "name": "Worker 1"}, "reason": "submission 412 is unknown"},
            'Plan 7 was paused by Worker 1. Reason: "submission 412 is unknown".',
        ),
        (Action.PLAN_GONE_ON, PLAN, "Editor One resumed plan 7."),
        (
            Action.PLAN_STOPPED,
            PLAN | {"details": {"cancelled": 2}},
            "Editor One stopped plan 7: 2 submissions cancelled.",
        ),
        (
            Action.PERMISSION_REFUSED,
            {"object": {"type": "right", "id": "edit_records", "name": "/"}},
            "Editor One was refused: they cannot edit records.",
        ),
        (
            Action.PERMISSION_REFUSED,
            {"object": {"type": "right", "id": "edit_records", "name": "/"}, "details": REPEATED},
            "Editor One was refused: they cannot edit records. 7 times since May 4, 2001, 14:03:05 CDT.",
        ),
        (
            Action.PERSON_REFUSED,
            {
                "object": {"type": "person", "id": "", "name": "anna"},
                "reason": "wrong name or password",
                "details": REPEATED | {"times": 1},
            },
            "A sign-in as anna was refused: wrong name or password. That was at May 4, 2001, 14:03:05 CDT.",
        ),
        (
            Action.PERSON_REFUSED,
            {"object": {"type": "person", "id": "", "name": "anna"}, "reason": "wrong name or password"},
            "A sign-in as anna was refused: wrong name or password.",
        ),
        (
            Action.PERSON_REFUSED,
            {"object": {"type": "person", "id": "", "name": ""}, "reason": "too many wrong tries", "details": REPEATED},
            "Sign-ins as different people were refused: too many wrong tries. 7 times since May 4, 2001, 14:03:05 CDT.",
        ),
        (
            Action.PERSON_REFUSED,
            {"object": {"type": "password", "id": "7", "name": "anna"}, "reason": "wrong old password"},
            "A change of the password of anna was refused: wrong old password.",
        ),
        (
            Action.PERSON_CHANGED,
            {
                "actor": {"id": 7, "name": "Boss One", "username": "boss"},
                "object": {"type": "person", "id": "8", "name": "anna", "display": "Anna Two"},
                "reason": "groups",
                "details": {"given": ["approver", "auditor"], "taken": ["viewer"]},
            },
            "Boss One (boss) changed the account Anna Two (anna): groups. Given: approver, auditor. Taken: viewer.",
        ),
        (
            Action.PERSON_CHANGED,
            {
                "object": {"type": "person", "id": "8", "name": "anna", "display": "Old X"},
                "reason": "last_name",
                "details": {"was": "Per Son", "now": "Old X"},
            },
            'Editor One changed the account Old X (anna): last_name. Name changed from "Per Son" to "Old X".',
        ),
        (
            Action.EXPORT_MADE,
            {"object": {"type": "export", "id": "", "name": "organizations as CSV"}, "details": {"rows": 1}},
            "Editor One exported organizations as CSV: 1 row.",
        ),
    ],
)
def test_the_sentence_is_in_its_exact_words(action: Action, facts: dict[str, Any], text: str) -> None:
    assert sentences.tell(entry(action, **facts)).text == text


@pytest.mark.parametrize("outcome", sentence_templates.OUTCOMES)
def test_each_outcome_links_its_submission(outcome: str) -> None:
    told = sentences.tell(entry(Action.ATTEMPT_OUTCOME, **UPDATE, outcome=outcome))
    assert '<a href="/production/submissions/412/">submission 412</a>' in told.sentence


@pytest.mark.parametrize("action", Action.values)
def test_every_action_has_a_sentence_even_with_the_fewest_facts(action: Action) -> None:
    bare = AuditEntry(sequence=1, action=action, body=canonical_json({"actor": {"id": None, "name": "Worker 1"}}))
    assert sentences.tell(bare).text.endswith(".")


def test_every_sentence_has_a_known_icon(settings: Any) -> None:
    symbols = (settings.BASE_DIR / "static" / "icons.svg").read_text()
    known = [*sentence_templates.TEMPLATES.values(), *sentence_templates.OUTCOMES.values()]
    assert [words.icon for words in known if f'id="i-{words.icon}"' not in symbols] == []


@given(st.text(alphabet="<>&\"'\u202e\x00\x07a", max_size=20))
def test_what_people_and_redox_wrote_is_never_markup(text: str) -> None:
    facts = UPDATE | {"outcome": "rejected", "detail": text, "object": {"name": text}}
    markup = sentences.tell(entry(Action.ATTEMPT_OUTCOME, **facts)).sentence
    rest = markup.replace('<a href="/production/submissions/412/">', "").replace("</a>", "")
    assert not set(rest) & {"<", ">", "\u202e", "\x00", "\x07"}
    assert '"' not in rest.replace("&quot;", "")


SHOWN = "Submission 412 is accepted: the directory showed what was sent"


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (WORKER | {"details": {"state": "accepted", "evidence": "query"}}, f"{SHOWN}."),
        (
            WORKER | {"details": {"state": "accepted", "evidence": "both"}},
            (
                "Submission 412 is accepted: Redox answered with a success in words that it does not document, and the "
                "directory showed what was sent."
            ),
        ),
        (WORKER | {"details": {"state": "accepted"}}, f"{SHOWN}, or something equivalent."),
        (
            {"details": {"state": "accepted", "evidence": "person", "verdict": "arrived"}},
            "Editor One decided that submission 412 arrived; it is accepted.",
        ),
        ({"details": {"state": "accepted"}}, "Editor One decided that submission 412 arrived; it is accepted."),
        (
            {"details": {"state": "queued", "verdict": "send_again"}},
            "Editor One decided that submission 412 did not arrive; the same message is sent again.",
        ),
        (
            {"details": {"state": "rejected", "verdict": "give_up"}},
            "Editor One decided that submission 412 did not arrive and gave it up; it is rejected.",
        ),
        (
            {"details": {"state": "rejected", "verdict": "ours"}},
            "Editor One decided that the OID of Lakeside North is ours, with other values; submission 412 is rejected.",
        ),
        (
            {"details": {"state": "rejected", "verdict": "foreign"}},
            (
                "Editor One decided that the OID of Lakeside North belongs to another organization; "
                "submission 412 is rejected."
            ),
        ),
        ({"details": {"state": "rejected"}}, "Editor One decided that submission 412 is rejected."),
        (WORKER | {"details": {"state": "queued"}}, "Submission 412 is sent again, the very same bytes."),
        (WORKER | {"details": {"state": "unknown"}}, "It is unknown whether submission 412 took effect."),
    ],
)
def test_what_settled_a_submission_names_its_evidence(facts: dict[str, Any], text: str) -> None:
    told = sentences.tell(entry(Action.SUBMISSION_SETTLED, submission=412, **facts))
    assert told.text == text
    assert ("is-yes" in told.tone) == ("accepted" in text)


def test_an_error_text_is_not_cut() -> None:
    text = "No subscriptions. " * 40
    told = sentences.tell(entry(Action.ATTEMPT_OUTCOME, outcome="rejected", detail=text, http_status=403, **UPDATE))
    assert text in told.text


def test_long_values_are_cut_and_marked_as_before_and_after() -> None:
    told = sentences.tell(entry(Action.ORGANIZATION_EDITED, changes=[change("Name", "a" * 500, "b")]))
    assert f"<del>{'a' * 120}…</del> to <ins>b</ins>" in told.sentence


def test_a_web_page_instead_of_an_answer_is_named_and_not_recited() -> None:
    page = "<html><head><title>504 Gateway Time-out</title></head></html>"
    told = sentences.tell(entry(Action.ATTEMPT_OUTCOME, outcome="unknown", detail=page, http_status=504, **UPDATE))
    assert told.text == (
        "No clear answer came to attempt 1 of submission 412 (Update of Lakeside North, PRODUCTION): a web page came "
        "instead of an answer, HTTP 504. It may or may not have taken effect."
    )
