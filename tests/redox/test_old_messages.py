"""Reading old messages: where they are found in a text, their values, and why some are not used."""

import json
from dataclasses import replace

import pytest

from organizations.redox.environment import ORGANIZATION_ROUTING, RedoxEnvironment
from organizations.redox.messages import build_message
from organizations.redox.old_messages.read import read_old_messages
from organizations.redox.old_messages.results import (
    MOST_BYTES,
    MOST_MESSAGES,
    UNKNOWN,
    Candidate,
    GivenText,
    Problem,
    ProblemKind,
    Result,
)
from tests.redox.old_messages_samples import (
    HOW_TO_ANSWER,
    HOW_TO_NEW,
    HOW_TO_UPDATE,
    OID,
    PARENT,
    body,
    collection,
    filled,
    message,
    numbered,
    request,
)
from tests.redox.test_messages import FACILITY, MY_COMPANY

HOW_TO = (
    f"{HOW_TO_NEW}\n\n2. If the request is successful, you don't have to do more.\n{HOW_TO_ANSWER}\n{HOW_TO_UPDATE}\n"
)


def read(text: str | bytes, environment: str = "staging") -> tuple[Result, ...]:
    return read_old_messages([GivenText(text)], environment)


def only_candidate(text: str) -> Candidate:
    (result,) = read(text)
    assert isinstance(result, Candidate), result
    return result


def only_problem(text: str | bytes) -> Problem:
    (result,) = read(text)
    assert isinstance(result, Problem), result
    return result


class TestHowTo:
    @pytest.mark.parametrize("form", [str, numbered])
    @pytest.mark.parametrize(("text", "oid"), [(HOW_TO_NEW, "[Your OID here]"), (HOW_TO_UPDATE, "[Your OID here].1")])
    def test_the_placeholders_of_its_examples_are_named(self, form, text, oid):
        problem = only_problem(form(text))
        assert problem.kind is ProblemKind.PLACEHOLDER
        assert problem.sentence == (
            f"A placeholder was never filled in: OID '{oid}', PartOf '[Your base OID here]'. Replace it with the value."
        )

    @pytest.mark.parametrize(("form", "lines"), [(str, (1, 87)), (numbered, (2, 174))])
    def test_its_examples_with_oids_are_two_candidates(self, form, lines):
        new, answer, update = read(form(filled(HOW_TO)))
        assert isinstance(new, Candidate)
        assert isinstance(update, Candidate)
        assert (new.event, new.record) == ("New", replace(MY_COMPANY, oid=OID))
        assert (update.event, update.record) == ("Update", replace(FACILITY, oid=f"{OID}.1"))
        assert new.source == f"curl command 1, line {lines[0]}"
        assert update.source == f"curl command 2, line {lines[1]}"
        assert new.warnings == update.warnings == ("The Authorization header was left out.",)
        assert isinstance(answer, Problem)
        assert (answer.kind, answer.is_skipped) == (ProblemKind.ANSWER, True)


QUOTED = body().replace('"', '\\"')
FORMS = {
    "data": (f"curl --data '{body()}' x", "curl command 1, line 1"),
    "data-raw": (f"curl --data-raw '{body()}' x", "curl command 1, line 1"),
    "data-binary": (f"curl --data-binary '{body()}' x", "curl command 1, line 1"),
    "json": (f"curl --json '{body()}' x", "curl command 1, line 1"),
    "attached": (f"curl -sSd'{body()}' x", "curl command 1, line 1"),
    "equals": (f"curl --data='{body()}' x", "curl command 1, line 1"),
    "double": (f'curl -d "{QUOTED}" x', "curl command 1, line 1"),
    "ansi": (f"curl -d $'{body(Name='X')}' x".replace('"X"', '"Lakeside\\x20Clinics"'), "curl command 1, line 1"),
    "continued": (f"\n\n$ curl \\\n -X POST x \\\n -d '{body()}'\n", "curl command 1, line 3"),
    "windows": (f'curl.exe -X POST x ^\n -d "{QUOTED}"', "curl command 1, line 1"),
    "path": (f"/usr/bin/curl -d '{body()}' x", "curl command 1, line 1"),
    "heredoc": (f"curl -d @- x <<'END'\n{body()}\nEND\n", "curl command 1, line 1"),
    "heredoc with tabs": (f"curl -d @- x <<-END\n{body()}\n\tEND\necho done", "curl command 1, line 1"),
    "here string": (f"curl -d @- x <<< '{body()}'", "curl command 1, line 1"),
    "cat": (f"cat <<END | curl -d @- x\n{body()}\nEND\n", "curl command 1, line 1"),
    "echo": (f"echo '{body()}' |\n curl -d @- x", f"curl command 1, line {body().count('\n') + 2}"),
    "substitution": (f'curl -d "$(cat <<END\n{body()}\nEND\n)" x', "curl command 1, line 1"),
    "in a substitution": (f"ANSWER=$(curl -s -d '{body()}' x)\necho $ANSWER", "curl command 1, line 1"),
    "condition": (f"#!/bin/sh\nif curl -d '{body()}' x; then echo it\\'s done; fi", "curl command 1, line 2"),
    "variable": (f"BODY='{body()}'\ncurl -d \"$BODY\" x", "variable BODY, line 1"),
    "variable of a heredoc": (f"BODY=$(cat <<'E'\n{body()}\nE\n)\ncurl -d \"${{BODY}}\" x", "variable BODY, line 1"),
    "file of the script": (f"cat > b.json <<E\n{body()}\nE\ncurl -d @b.json x", "text of cat, line 2"),
    "json file": (body(), "message 1, line 1"),
    "comments and commas": (f"// mine\n{body().replace('}', ',} # end\n')}", "message 1, line 2"),
    "list": (f"[\n{body()},\n]", "message 1, line 2"),
    "postman": (collection({"name": "Sites", "item": [request("Create", body())]}), "Sites / Create"),
    "postman from its API": (f'{{"collection": {collection(request("Create", body()))}}}', "Create"),
}


@pytest.mark.parametrize(("text", "source"), FORMS.values(), ids=FORMS)
def test_a_message_is_found_in_this_form(text, source):
    candidate = only_candidate(text)
    assert candidate.source == source
    assert (candidate.event, candidate.environment, candidate.record.name) == ("New", "staging", "Lakeside Clinics")
    assert (candidate.record.oid, candidate.record.part_of_oid) == (OID, PARENT)
    assert candidate.record.destination_id == "fcda220c-f449-534e-9ae4-3fd21f7b0fed"
    assert candidate.warnings == candidate.replaces == ()


def test_a_message_of_the_portal_gives_its_record_with_endpoints_type_and_other_keys():
    environment = RedoxEnvironment(name="production", routing_id=ORGANIZATION_ROUTING["production"])
    carried = (("Endpoints", '[{"Address":"https://a.example","Port":443.0}]'), ("Type", '{"Value":"Connection"}'))
    record = replace(FACILITY, carried=carried)
    (result,) = read(build_message(record, "Update", environment), "production")
    assert isinstance(result, Candidate)
    assert (result.event, result.environment, result.record) == ("Update", "production", record)
    with_more = message(Region="Lakes")
    assert dict(only_candidate(json.dumps(with_more)).record.carried) == {"Region": '"Lakes"'}


def test_several_messages_one_after_the_other_keep_their_order():
    text = f"{body('1.2.3')} {body('1.2.4')},\n[{body('1.2.5')}]\ncurl -d '{body('1.2.6')}' x\n{body('1.2.7')}"
    results = read(text)
    assert [one.record.oid for one in results if isinstance(one, Candidate)] == [
        "1.2.3",
        "1.2.4",
        "1.2.5",
        "1.2.6",
        "1.2.7",
    ]
    assert [one.source.partition(",")[0] for one in results] == [
        "message 1",
        "message 2",
        "message 3",
        "curl command 1",
        "message 4",
    ]


def test_the_last_message_about_an_organization_counts_and_names_the_earlier_ones():
    update = body(Name="Lakeside", meta={"EventType": "Update"})
    results = read(f"{body()}\n{body('1.2.3')}\n{body()}\n{update}")
    other, last = results
    assert isinstance(other, Candidate)
    assert isinstance(last, Candidate)
    assert (other.record.oid, last.record.oid) == ("1.2.3", OID)
    assert (last.event, last.record.name, last.source.partition(",")[0]) == ("Update", "Lakeside", "message 4")
    assert [source.partition(",")[0] for source in last.replaces] == ["message 1", "message 3"]


def test_variables_that_the_collection_itself_defines_are_replaced_except_secrets():
    variables = [
        {"key": "oid", "value": OID},
        {"key": "parent", "value": PARENT, "type": "string"},
        {"key": "active", "value": "true"},
        {"key": "name", "value": "{{oid}}"},
        {"key": "apiKey", "value": "a"},
        {"key": "hidden", "value": "b", "type": "secret"},
        {"key": "address", "value": "https://c:d@e.example"},
        {"key": "off", "value": "f", "disabled": True},
        {"key": "empty", "value": ""},
    ]
    aliases = ["{{ name }}", *(f"{{{{{name}}}}}" for name in ("apiKey", "hidden", "address", "off", "empty", "other"))]
    part_of = {"Identifier": {"Value": "{{parent}}"}}
    raw = body("{{oid}}", PartOf=part_of, Active="ACTIVE", Aliases=aliases).replace('"ACTIVE"', "{{active}}")
    record = only_candidate(collection(request("Create", raw), variable=variables)).record
    assert (record.oid, record.part_of_oid, record.active) == (OID, PARENT, True)
    assert record.aliases == ("{{oid}}", *aliases[1:])


OTHER_ID = "0b1d6f9c-6a58-4e5b-9a0e-0d6a7b8c9d10"
NONE_TAKEN = "Old messages name different destination IDs for this OID, so none of them is taken over."


@pytest.mark.parametrize(
    ("earlier", "later", "destination_id", "warnings"),
    [
        (
            {"Endpoints": ["a"]},
            {"DestinationID": OTHER_ID},
            "",
            [", with another destination ID.", ", with Endpoints.", NONE_TAKEN],
        ),
        ({"DestinationID": OTHER_ID}, {"DestinationID": ""}, "", [", with a destination ID."]),
        ({"DestinationID": ""}, {"DestinationID": OTHER_ID}, OTHER_ID, []),
        ({"DestinationID": OTHER_ID.upper()}, {"DestinationID": OTHER_ID}, OTHER_ID, []),
        (
            {"Endpoints": ["a"]},
            {"Endpoints": ["b"], "DestinationID": ""},
            "",
            [", with a destination ID.", ", with other Endpoints."],
        ),
    ],
)
def test_what_only_an_earlier_message_about_an_organization_has_is_named(earlier, later, destination_id, warnings):
    (last,) = read(f"{body(**earlier)}\n{body(**later)}\n{body(**later)}")
    assert isinstance(last, Candidate)
    assert last.record.destination_id == destination_id
    place = "This OID is in message 1, line 1 too"
    expected = [each if each == NONE_TAKEN else f"{place}{each}" for each in warnings]
    assert list(last.warnings) == expected


def test_files_are_named_and_can_hold_the_body_of_a_command():
    script = GivenText("curl -d @sites/one.json x\ncurl -d @two.json x", "send.sh")
    results = read_old_messages([script, GivenText(body().encode("utf-16"), "one.json")], "staging")
    assert [(type(one), one.source) for one in results] == [
        (Problem, "send.sh: curl command 2, line 2"),
        (Candidate, "one.json: message 1, line 1"),
    ]
    assert isinstance(results[0], Problem)
    assert results[0].sentence == "The body is in the file two.json. Give that file too."


PRODUCTION = ORGANIZATION_ROUTING["production"]
DOCUMENT = "ec745338-8849-43ad-a7ce-4bc5bf1d8b89"
TYPOGRAPHIC = (
    "is a typographic quotation mark, as web pages and word processors write it; replace all of them with plain ones."
)
PROBLEMS = {
    "nothing": (
        "We don't use curl here.",
        ProblemKind.NOTHING,
        "No message was found: neither a curl command with a body, nor JSON, nor a Postman collection.",
    ),
    "not JSON": (
        '{"Meta": {\n  "DataModel" "Organization"}}',
        ProblemKind.NOT_JSON,
        "It is not JSON. Line 2, column 15: a colon is missing.",
    ),
    "not JSON in a command": (
        "curl \\\n -d '{\n\"Meta\": nothing}' x",
        ProblemKind.NOT_JSON,
        "It is not JSON. Line 3, column 9: a value is missing or is not JSON.",
    ),
    "a name twice": (
        '{"Meta": {},\n "Meta": {}}',
        ProblemKind.NOT_JSON,
        "It is not JSON. Line 2, column 2: an object has the same name twice.",
    ),
    "the end is missing": (
        '{"Meta": {',
        ProblemKind.NOT_JSON,
        "It is not JSON. Line 1, column 11: the text ends before the message ends.",
    ),
    "smart quotes": ("{\u201cMeta\u201d: {}}", ProblemKind.SMART_QUOTES, f"Line 1, column 2: \u201c {TYPOGRAPHIC}"),
    "too deep": (
        '{"a":' * 51 + "1" + "}" * 51,
        ProblemKind.TOO_DEEP,
        "Line 1, column 251: it is nested more than 50 levels deep.",
    ),
    "unclosed": ("curl -d '{", ProblemKind.UNCLOSED, "Line 1, column 9: a quotation mark ' has no second one."),
    "variable of the shell": (
        f"curl -d '{body(Name='N').replace('N', '\'"$NAME"\'', 1)}' x",
        ProblemKind.SHELL_VARIABLE,
        "The body has $NAME, which only the shell can replace. Replace it with its value.",
    ),
    "body of another command": (
        "make_body | curl -d @- x",
        ProblemKind.BODY_ELSEWHERE,
        "The body is in what another command prints.",
    ),
    "two bodies": (
        "curl -d '{}' -d '{}' x",
        ProblemKind.SEVERAL_BODIES,
        "The command has 2 bodies. A message has one.",
    ),
    "token": (
        'curl -d \'{"apiKey": "a", "secret": "b"}\' x',
        ProblemKind.TOKEN_REQUEST,
        "This is a request for an access token. It was skipped.",
    ),
    "grant type": (
        '{"grant_type": "client_credentials"}',
        ProblemKind.TOKEN_REQUEST,
        "This is a request for an access token. It was skipped.",
    ),
    "refresh token": (
        '{"apiKey": "a", "refreshToken": "b"}',
        ProblemKind.TOKEN_REQUEST,
        "This is a request for an access token. It was skipped.",
    ),
    "a secret": (
        '{"Name": "x", "secret": "b"}',
        ProblemKind.NOT_A_MESSAGE,
        "This is not a message to Redox: it has no Meta.",
    ),
    "not a message": ("{}", ProblemKind.NOT_A_MESSAGE, "This is not a message to Redox: it has no Meta."),
    "other models": (
        '{"Meta": {"DataModel": "Scheduling"}} {"Meta": {"DataModel": "Scheduling"}}',
        ProblemKind.OTHER_MODEL,
        "2 messages of other data models were skipped: 'Scheduling' (2).",
    ),
    "Query": (
        body(meta={"EventType": "Query"}),
        ProblemKind.QUERY,
        "This is a Query, which registers nothing. It was skipped.",
    ),
    "other event": (
        body(meta={"EventType": "Delete"}),
        ProblemKind.OTHER_EVENT,
        "Its EventType is 'Delete', neither New nor Update.",
    ),
    "other directory": (
        body().replace("Carequality", "CommonWell"),
        ProblemKind.OTHER_DIRECTORY,
        "Its Directory is not Carequality.",
    ),
    "no organization": (
        json.dumps(message() | {"Organizations": []}),
        ProblemKind.NO_ORGANIZATION,
        "The message contains no organization.",
    ),
    "two organizations": (
        json.dumps(message() | {"Organizations": message()["Organizations"] * 2}),
        ProblemKind.SEVERAL_ORGANIZATIONS,
        "The message contains 2 organizations. Redox accepts one per message. Split it.",
    ),
    "other environment": (
        body(meta={"Destinations": [{"ID": PRODUCTION.upper()}]}),
        ProblemKind.OTHER_ENVIRONMENT,
        "This message is for PRODUCTION. You are taking over records of STAGING.",
    ),
    "other purpose": (
        body(meta={"Destinations": [{"ID": DOCUMENT}]}),
        ProblemKind.OTHER_PURPOSE,
        "Its destination has another purpose in Redox's table: Search for a clinical summary/document, STAGING.",
    ),
    "unknown destination": (
        body(meta={"Destinations": [{"ID": "nowhere"}]}),
        ProblemKind.UNKNOWN_DESTINATION,
        "Its destination 'nowhere' is not a routing ID for organizations.",
    ),
    "two destinations": (
        body(meta={"Destinations": [{"ID": DOCUMENT}, {"ID": PRODUCTION}]}),
        ProblemKind.UNKNOWN_DESTINATION,
        "The message has 2 destinations. A message has one.",
    ),
    "placeholder of Postman": (
        collection(request("Create", body("{{oid}}").replace("true", "{{active}}"))),
        ProblemKind.PLACEHOLDER,
        "A placeholder was never filled in: OID '{{oid}}', Active '{{active}}'. Replace it with the value.",
    ),
    "placeholder of the destination": (
        body(meta={"Destinations": [{"ID": "{{ID}}"}]}),
        ProblemKind.PLACEHOLDER,
        "A placeholder was never filled in: routing ID (Meta.Destinations) '{{ID}}'. Replace it with the value.",
    ),
    "no OID": (
        body(Identifiers=[{"ID": "7", "IDType": "FACID"}]),
        ProblemKind.NO_OID,
        "The organization has no OID: no identifier with the IDType OID.",
    ),
    "bad OID": (
        body("2.16.840.01"),
        ProblemKind.BAD_OID,
        "The OID cannot be read. Part 4 of the OID begins with 0. Remove the leading zero.",
    ),
    "Active is missing": (
        body(Active=None),
        ProblemKind.NOT_READABLE,
        'It does not say whether the organization is active. Add "Active": true or "Active": false.',
    ),
    "no name": (body(Name=" "), ProblemKind.NOT_READABLE, "The organization has no name."),
    "another shape": (body(Contacts={}), ProblemKind.NOT_READABLE, "It cannot be read: Contacts is not a list."),
    "half a character": (
        body(Name="X").replace("X", "\\ud800"),
        ProblemKind.NOT_READABLE,
        "It contains a character that cannot be stored.",
    ),
    "Postman version 1": (
        '{"requests": [], "order": []}',
        ProblemKind.POSTMAN,
        "This is a Postman collection of version 1. Export it as Collection v2.1.",
    ),
    "Postman environment": (
        '{"name": "Staging", "values": []}',
        ProblemKind.POSTMAN,
        "This is a Postman environment. It has variables, but no requests. Give the collection.",
    ),
    "Postman without bodies": (
        collection({"name": "Get"}),
        ProblemKind.POSTMAN,
        "This Postman collection has no request with a body of type raw.",
    ),
    "not a text": (b"PK\x03\x04\0\0", ProblemKind.NOT_TEXT, "This file is not a text."),
    "too large": (
        "x" * (MOST_BYTES + 1),
        ProblemKind.TOO_LARGE,
        "The text and the files have more than 5 MB. Give them in several parts.",
    ),
    "too many": (
        "{}" * (MOST_MESSAGES + 1),
        ProblemKind.TOO_MANY,
        "There are more than 1,000 messages. Give them in several parts.",
    ),
}


@pytest.mark.parametrize(("text", "kind", "sentence"), PROBLEMS.values(), ids=PROBLEMS)
def test_each_problem_has_its_own_sentence(text, kind, sentence):
    problem = only_problem(text)
    assert (problem.kind, problem.sentence) == (kind, sentence)


def test_every_kind_of_problem_is_tested():
    tested = {kind for _, kind, _ in PROBLEMS.values()} | {ProblemKind.ANSWER}
    assert set(ProblemKind) - tested == set()


SCRIPT = f"""#!/bin/bash
# Don't run this twice
TOKEN=$(curl -s "$URL/auth" -d '{{"apiKey":"k","secret":"s"}}' | jq -r .accessToken)
send() {{
  curl -sS "$URL" -H "Authorization: Bearer $TOKEN" -d @- <<EOF
{json.dumps(message("1.2.3"))}
EOF
}}
for site in a b; do
  curl -d "@$site.json" $URL
done
curl -X GET $URL # it's only a look
if ! curl --data-binary '{json.dumps(message("1.2.4"))}' "$URL"; then echo "It's bad"; exit 1; fi
ANSWER="$(curl -d '{json.dumps(message("1.2.5"))}' x)"
"""


def test_a_script_is_read_and_not_run():
    assert [(one.source, one.record.oid if isinstance(one, Candidate) else one.kind) for one in read(SCRIPT)] == [
        ("curl command 1, line 3", ProblemKind.TOKEN_REQUEST),
        ("curl command 2, line 5", "1.2.3"),
        ("curl command 3, line 10", ProblemKind.BODY_ELSEWHERE),
        ("curl command 5, line 13", "1.2.4"),
        ("curl command 6, line 14", "1.2.5"),
    ]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (body(meta={"Destinations": None}), "The message names no destination, so its environment is not known."),
        (body(Contacts=[{"Name": "{{who}}"}]), "Contacts.1.Name still contains the variable '{{who}}'."),
        (body(PartOf=None), "The organization names no parent (PartOf)."),
        (
            json.dumps(message() | {"Action": "Update"}),
            "Its EventType is New, but its Action is 'Update'. The EventType counts.",
        ),
    ],
)
def test_unusual_content_gets_a_warning(text, warning):
    candidate = only_candidate(text)
    assert candidate.warnings == (warning,)
    assert candidate.environment == (UNKNOWN if "destination" in warning else "staging")


def test_a_null_destination_id_means_none_and_a_missing_one_means_not_known():
    assert only_candidate(body(DestinationID=None)).record.destination_known
    without = message()
    del without["Organizations"][0]["DestinationID"]
    candidate = only_candidate(json.dumps(without))
    assert not candidate.record.destination_known
    assert candidate.warnings == ("The message contains no DestinationID, so the destination ID is not known.",)


def test_a_routing_id_of_the_settings_names_its_environment():
    own = "0b1f9a52-0d2c-4f0e-9d0a-3f8f3f9f2a11"
    text = GivenText(body(meta={"Destinations": [{"ID": own.upper()}]}))
    (candidate,) = read_old_messages([text], "production", {own: "production"})
    assert isinstance(candidate, Candidate)
    assert candidate.environment == "production"
