"""Each entry of the history as one sentence: the exact words, with text of other people escaped."""

import datetime
from typing import Any

from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from organizations.models import Action, AuditEntry
from organizations.services.audit.audit import canonical_json
from organizations.text import sentence_templates, sentences

A = Action


def entry(action: Action, **facts: Any) -> AuditEntry:
    body = {
        "actor": {"id": 1, "name": "Ed"},
        "object": {"type": "organization", "id": "7", "name": "Pier"},
        "environment": "production",
    }
    at = datetime.datetime(2027, 3, 9, 20, 3, tzinfo=datetime.UTC)
    return AuditEntry(
        sequence=48_102, at=at, action=action, environment="production", body=canonical_json(body | facts)
    )


def change(label: str, before: str, after: str) -> dict[str, str]:
    return {"field": label.lower(), "label": label, "before": before, "after": after}


WORKER = {"actor": {"id": None, "name": "Worker 1"}}
UPDATE = {"submission": 4, "event": "Update", "intent": "update", "attempt": 1}
PLAN = {"object": {"type": "plan", "id": "7", "name": "plan 7"}, "plan": 7}
ANNA = {"type": "person", "id": "8", "name": "anna"}
RIGHT = {"object": {"type": "right", "id": "edit_records", "name": "/"}}
TWIN = {"name": "Twin", "oid": "1.2.3", "environment": "staging"}
REPEATED = {"times": 7, "since": "2001-05-04T19:03:05+00:00"}
SINCE = "7 times since May 4, 2001, 14:03:05 CDT."
SEARCH = {"object": {"type": "environment", "id": "production", "name": "PRODUCTION"}}
SEARCHED = "Ed searched the directory of PRODUCTION for"
ZIP, CITY = change("ZIP", "1", "2"), change("City", "3", "4")
NOTHING = "Nothing was sent."
TAKEN_OVER = "Ed took over Pier from the directory of PRODUCTION, as the portal read it there."
ASKED = "Ed asked the directory of PRODUCTION for Pier"
NOT_ASKED = "Ed tried to ask the directory of PRODUCTION for Pier. It could not be asked"


def details(**values: Any) -> dict[str, Any]:
    return {"details": values}


def prepared(**values: Any) -> dict[str, Any]:
    return details(prepared_from=TWIN | values)


SENTENCES: list[tuple[Action, dict[str, Any], str]] = [
    (A.ORGANIZATION_CREATED, {}, "Ed added Pier in PRODUCTION."),
    (
        A.ORGANIZATION_CREATED,
        prepared(values="accepted", submission=388),
        "Ed added Pier in PRODUCTION, prepared from Twin in STAGING (submission 388).",
    ),
    (
        A.ORGANIZATION_CREATED,
        prepared(values="earlier"),
        "Ed added Pier in PRODUCTION, prepared from Twin in STAGING, as it was before its last change.",
    ),
    (A.ORGANIZATION_LINKED, details(counterpart=TWIN), "Ed linked Pier with Twin, 1.2.3 in STAGING."),
    (
        A.ORGANIZATION_UNLINKED,
        details(counterpart=TWIN, is_withdrawn=True),
        "Ed removed the link of Pier with Twin, 1.2.3 in STAGING, which was withdrawn.",
    ),
    (
        A.ORGANIZATION_EDITED,
        {"changes": [change("ZIP", "53704", ""), change("City", "", "Madison")]},
        "Ed removed ZIP 53704, set City to Madison on Pier.",
    ),
    (
        A.ORGANIZATION_EDITED,
        {"changes": [change("Contact 1, Mobile phone", "1", "2"), change("Contact 2, Purpose", "", "Night")]},
        "Ed changed Mobile phone of contact 1 from 1 to 2, set Purpose of contact 2 to Night on Pier.",
    ),
    (
        A.ORGANIZATION_EDITED,
        {"changes": [ZIP, CITY] * 3},
        f"Ed changed {', changed '.join(['ZIP from 1 to 2', 'City from 3 to 4'] * 2)} and 2 more fields on Pier.",
    ),
    (
        A.ENVIRONMENT_PAUSED,
        {"reason": "too many requests"} | details(until="2020-01-09T20:03:10+00:00"),
        "PRODUCTION waits until Jan 9, 2020, 14:03:10 CST: too many requests. Sending resumes automatically.",
    ),
    (A.ORGANIZATION_DISCARDED, {"changes": [ZIP, CITY]}, "Ed discarded 2 saved changes on Pier: ZIP, City."),
    (
        A.SUBMISSION_MADE,
        UPDATE | {"changes": [ZIP, CITY], "reason": "New desk"} | details(approval="No approval was required."),
        'Ed submitted submission 4: 2 fields. Reason: "New desk". No approval was required.',
    ),
    (A.SUBMISSION_MADE, UPDATE | {"event": "New", "intent": "create"}, "Ed submitted submission 4: registration."),
    (A.SUBMISSION_MADE, UPDATE | {"intent": "deactivate"}, "Ed submitted submission 4: Active = false."),
    (A.SUBMISSION_MADE, UPDATE, "Ed submitted submission 4: the same values again."),
    (
        A.ATTEMPT_OUTCOME,
        UPDATE | {"outcome": "accepted", "detail": "It has been updated."},
        'Redox accepted submission 4 (Update of Pier, PRODUCTION): "It has been updated."',
    ),
    (
        A.ATTEMPT_OUTCOME,
        UPDATE | {"outcome": "not_sent", "detail": "connection refused"},
        "Attempt 1 of submission 4 did not reach Redox: connection refused. Nothing was sent.",
    ),
    (
        A.ATTEMPT_OUTCOME,
        UPDATE | {"outcome": "rejected", "http_status": 403},
        "Redox rejected submission 4 (Update of Pier, PRODUCTION): HTTP 403, without a text.",
    ),
    (
        A.ATTEMPT_RESPONSE,
        UPDATE | {"http_status": 200, "raw_bytes": 91},
        "A response to attempt 1 of submission 4 was stored: HTTP 200, 91 bytes.",
    ),
    (
        A.ATTEMPT_RESPONSE,
        UPDATE | {"exchange": {"fault_text": "no route"}},
        "No response came to attempt 1 of submission 4: no route.",
    ),
    (
        A.SUBMISSION_ASKED,
        UPDATE | details(asked=True, found=True),
        f"{ASKED} because of submission 4. It showed this OID.",
    ),
    (
        A.SUBMISSION_ASKED,
        UPDATE | {"http_status": 200, "detail": "It was cut."} | details(asked=False),
        f"{ASKED} because of submission 4. The answer proves nothing: It was cut.",
    ),
    (
        A.SUBMISSION_ASKED,
        UPDATE | {"http_status": 200, "detail": '{"Meta": {}}'} | details(asked=False),
        f"{ASKED} because of submission 4. The answer proves nothing: the portal did not understand it.",
    ),
    (
        A.ORGANIZATION_ASKED,
        details(asked=False, cause="Redox waits until 14:08."),
        f"{NOT_ASKED}: Redox waits until 14:08.",
    ),
    (
        A.ORGANIZATION_ASKED,
        {"exchange": {"sent": True}} | details(asked=False, cause="no whole answer within 8 seconds"),
        f"{ASKED}. No answer came: no whole answer within 8 seconds.",
    ),
    (
        A.ORGANIZATION_ASKED,
        {"http_status": 401, "exchange": {"sent": True}} | details(asked=False, cause="key not found"),
        f"{NOT_ASKED}: key not found.",
    ),
    (
        A.ORGANIZATION_ASKED,
        details(asked=True, found=True, search=True),
        "Ed searched the directory of PRODUCTION and found Pier. It showed this OID.",
    ),
    (
        A.ORGANIZATION_TAKEN,
        {"changes": [CITY, change("ZIP", "5", "")], "reason": "X"},
        f'Ed saved what the directory shows on Pier: City from 3 to 4, ZIP from 5 to none. {NOTHING} Reason: "X".',
    ),
    (A.ORGANIZATION_SEEN, {}, "The directory of PRODUCTION was asked for Pier and showed it."),
    (
        A.ORGANIZATION_SEEN,
        details(take_over=3),
        TAKEN_OVER,
    ),
    (
        A.ORGANIZATION_SEEN,
        details(take_over=3) | {"record": {"carried": [["Endpoints", "[]"]]}},
        f"{TAKEN_OVER} Its Endpoints are from an old message, because a Query does not show them.",
    ),
    (A.DIRECTORY_ASKED, details(asked=True, found=True), f"{ASKED}. It showed this OID."),
    (A.TAKE_OVER_BEGUN, details(count=40), "Ed began to take over 40 organizations in PRODUCTION."),
    (
        A.TAKE_OVER_BEGUN,
        details(kind="scan"),
        "Ed began to search the whole directory of PRODUCTION for organizations of ours.",
    ),
    (A.TAKE_OVER_STOPPED, details(kind="scan"), "Ed stopped the search through the directory of PRODUCTION."),
    (
        A.DIRECTORY_SCANNED,
        details(read=12300, found=61, part=1),
        "The directory of PRODUCTION was searched to the end of its list. 12,300 organizations read, 61 of ours.",
    ),
    (
        A.DIRECTORY_SCANNED,
        {"detail": "HTTP 502"} | details(read=1, found=0, part=1),
        "The search through the directory of PRODUCTION ended early: HTTP 502. 1 organization read, 0 of ours.",
    ),
    (
        A.DIRECTORY_SCANNED,
        details(part=2),
        "More organizations that the search through the directory of PRODUCTION found.",
    ),
    (
        A.DIRECTORY_SCANNED,
        details(part=0, absent=["2.999.1"] * 1000),
        "The directory of PRODUCTION does not have 1,000 OIDs that the search asked about.",
    ),
    (
        A.TAKE_OVER_STOPPED,
        details(count=1),
        "Ed stopped a take-over. The directory was not asked about 1 organization.",
    ),
    (
        A.TAKE_OVER_DESTINATIONS,
        details(count=2),
        "Ed entered the destination IDs of 2 organizations that are being taken over in PRODUCTION.",
    ),
    (A.TAKE_OVER_CHOSEN, details(count=37), "Ed chose 37 organizations to become records in PRODUCTION."),
    (
        A.PLAN_MADE,
        PLAN | {"reason": "ticket 7"} | details(news=3, updates=1, deactivated=0),
        'Ed made plan 7, to be sent to PRODUCTION: 3 New, 1 Update. Reason: "ticket 7".',
    ),
    (
        A.PLAN_PAUSED,
        PLAN | WORKER | {"reason": "submission 4 is unknown"},
        'Plan 7 was paused by Worker 1. Reason: "submission 4 is unknown".',
    ),
    (A.PLAN_RESUMED, PLAN | {"reason": "Ada paused it"}, "Ed resumed plan 7. It was paused: Ada paused it."),
    (A.PLAN_STOPPED, PLAN | details(cancelled=2), "Ed stopped plan 7: 2 submissions cancelled."),
    (A.PERMISSION_REFUSED, RIGHT | {"details": REPEATED}, f"Ed was refused: they cannot edit records. {SINCE}"),
    (
        A.PERSON_REFUSED,
        {"object": ANNA, "reason": "wrong name or password", "details": REPEATED | {"times": 1}},
        "A sign-in as anna was refused: wrong name or password. That was at May 4, 2001, 14:03:05 CDT.",
    ),
    (
        A.PERSON_REFUSED,
        {"object": ANNA | {"name": ""}, "reason": "too many wrong tries", "details": REPEATED},
        f"Sign-ins as different people were refused: too many wrong tries. {SINCE}",
    ),
    (
        A.PERSON_REFUSED,
        {"object": ANNA | {"type": "password"}, "reason": "wrong old password"},
        "A change of the password of anna was refused: wrong old password.",
    ),
    (
        A.PERSON_CHANGED,
        {"actor": {"id": 7, "name": "Boss One", "username": "boss"}, "object": ANNA | {"display": "Anna Two"}}
        | {"reason": "groups"}
        | details(given=["approver", "auditor"], taken=["viewer"]),
        "Boss One (boss) changed the account Anna Two (anna): groups. Given: approver, auditor. Taken: viewer.",
    ),
    (
        A.PERSON_CHANGED,
        {"object": ANNA | {"display": "Old X"}, "reason": "last_name"} | details(was="Per Son", now="Old X"),
        'Ed changed the account Old X (anna): last_name. Name changed from "Per Son" to "Old X".',
    ),
    (
        A.DIRECTORY_SEARCHED,
        SEARCH | details(answered=True, received=40, ours_not_here=4, filters={"state": "WI", "name": "Lakeside"}),
        (
            f"{SEARCHED} name Lakeside, state WI: 40 organizations, 4 of them ours and not in the portal,"
            " and there may be more."
        ),
    ),
    (
        A.DIRECTORY_SEARCHED,
        SEARCH | details(answered=True, received=1, whole=True, index=100, filters={"active": False, "zip_code": "1"}),
        f"{SEARCHED} ZIP 1, Active false, from number 101 on: 1 organization.",
    ),
    (
        A.DIRECTORY_SEARCHED,
        SEARCH | {"detail": "Gateway Time-out."} | details(answered=False, filters={}),
        f"{SEARCHED} everything: no answer came, Gateway Time-out.",
    ),
    (
        A.EXPORT_MADE,
        {"object": {"type": "export", "id": "", "name": "organizations as CSV"}} | details(rows=1),
        "Ed exported organizations as CSV: 1 row.",
    ),
]


def test_each_sentence_has_its_exact_words() -> None:
    texts = [sentences.sentence_of(entry(action, **facts)).text for action, facts, _ in SENTENCES]
    assert texts == [text for _, _, text in SENTENCES]


def test_each_outcome_links_its_submission() -> None:
    for outcome in sentence_templates.OUTCOMES:
        sentence = sentences.sentence_of(entry(A.ATTEMPT_OUTCOME, **UPDATE, outcome=outcome))
        assert '<a href="/production/submissions/4/">submission 4</a>' in sentence.sentence


def test_every_action_has_a_sentence_with_the_fewest_facts() -> None:
    for action in Action.values:
        bare = AuditEntry(sequence=1, action=action, body=canonical_json(WORKER))
        assert sentences.sentence_of(bare).text.endswith(".")


def test_every_sentence_has_a_known_icon() -> None:
    symbols = (django_settings.BASE_DIR / "static" / "icons.svg").read_text()
    templates = [*sentence_templates.TEMPLATES.values(), *sentence_templates.OUTCOMES.values()]
    assert [words.icon for words in templates if f'id="i-{words.icon}"' not in symbols] == []


@settings(max_examples=50)
@given(st.text(alphabet="<>&\"'\u202e\x00\x07a", max_size=20))
def test_text_of_people_and_redox_is_escaped(text: str) -> None:
    facts = UPDATE | {"outcome": "rejected", "detail": text, "object": {"name": text}}
    markup = sentences.sentence_of(entry(A.ATTEMPT_OUTCOME, **facts)).sentence
    rest = markup.replace('<a href="/production/submissions/4/">', "").replace("</a>", "")
    assert not set(rest) & {"<", ">", "\u202e", "\x00", "\x07"}
    assert '"' not in rest.replace("&quot;", "")


SHOWN = "Submission 4 is accepted: the directory showed what was sent"
DECIDED = "Ed decided that"
OTHER_WORDS = "Redox answered with a success in words that it does not document"
SETTLED: list[tuple[dict[str, Any], str]] = [
    (WORKER | details(state="accepted", evidence="query"), f"{SHOWN}."),
    (
        WORKER | details(state="accepted", evidence="both"),
        f"Submission 4 is accepted: {OTHER_WORDS}, and the directory showed what was sent.",
    ),
    (WORKER | details(state="accepted"), f"{SHOWN}, or something equivalent."),
    (details(state="accepted", verdict="arrived"), f"{DECIDED} submission 4 arrived; it is accepted."),
    (details(state="accepted"), f"{DECIDED} submission 4 arrived; it is accepted."),
    (
        details(state="queued", verdict="send_again"),
        f"{DECIDED} submission 4 did not arrive; the same message is sent again.",
    ),
    (
        details(state="rejected", verdict="give_up"),
        f"{DECIDED} submission 4 did not arrive, and that it is not sent again; it is rejected.",
    ),
    (
        details(state="rejected", verdict="ours"),
        f"{DECIDED} the OID of Pier is ours, with other values; submission 4 is rejected.",
    ),
    (
        details(state="rejected", verdict="foreign"),
        f"{DECIDED} the OID of Pier belongs to another organization; submission 4 is rejected.",
    ),
    (details(state="rejected"), f"{DECIDED} submission 4 is rejected."),
    (WORKER | details(state="queued"), "Submission 4 is sent again with the same bytes."),
    (WORKER | details(state="unknown"), "It is unknown whether submission 4 took effect."),
    (
        WORKER | {"reason": "the settings changed"} | details(state="needs_person"),
        'Submission 4 needs a decision. Reason: "the settings changed".',
    ),
]


def test_the_end_of_a_submission_names_its_evidence() -> None:
    texts = [sentences.sentence_of(entry(A.SUBMISSION_SETTLED, submission=4, **facts)) for facts, _ in SETTLED]
    assert [each.text for each in texts] == [text for _, text in SETTLED]
    assert ["is-yes" in each.tone for each in texts] == ["accepted" in text for _, text in SETTLED]


def test_an_error_text_is_not_cut() -> None:
    text = "No subscriptions. " * 40
    sentence = sentences.sentence_of(
        entry(A.ATTEMPT_OUTCOME, outcome="rejected", detail=text, http_status=403, **UPDATE)
    )
    assert text in sentence.text


def test_long_values_are_cut_and_marked_as_before_and_after() -> None:
    sentence = sentences.sentence_of(entry(A.ORGANIZATION_EDITED, changes=[change("Name", "a" * 500, "b")]))
    assert f"<del>{'a' * 120}…</del> to <ins>b</ins>" in sentence.sentence


def test_a_web_page_instead_of_an_answer_is_named_and_not_quoted() -> None:
    page = "<html><head><title>504 Gateway Time-out</title></head></html>"
    sentence = sentences.sentence_of(
        entry(A.ATTEMPT_OUTCOME, outcome="unknown", detail=page, http_status=504, **UPDATE)
    )
    assert sentence.text == (
        "No clear answer came to attempt 1 of submission 4 (Update of Pier, PRODUCTION): a web page came "
        "instead of an answer, HTTP 504. It may or may not have taken effect."
    )
