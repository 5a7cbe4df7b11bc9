"""No secret in an old message reaches a candidate, a problem or the text that is shown again."""

import json
import shlex
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from organizations.redox.old_messages.read import read_old_messages
from organizations.redox.old_messages.redact import PLACEHOLDER, redacted
from organizations.redox.old_messages.results import Candidate, GivenText
from tests.redox.old_messages_samples import HOW_TO_NEW, body, collection, filled, message, request

BODY = body()


def double_quoted(text: str) -> str:
    return '"' + "".join(f"\\{each}" if each in '"\\$`' else each for each in text) + '"'


def curl(*options: str) -> str:
    return f"curl -X POST x {' '.join(options)} -d '{BODY}'"


def single(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def keyed(name: str, secret: str) -> str:
    return json.dumps({"key": name, "value": secret})


def postman(secret: str) -> str:
    auth = {"type": "bearer", "bearer": [{"key": "token", "value": secret, "type": "string"}]}
    header = [{"key": "Authorization", "value": f"Bearer {secret}"}, {"value": secret, "key": "x-api-key"}]
    item = request("Create", BODY)
    item["request"] |= {"auth": {"type": "basic", "basic": {"username": "a", "password": secret}}, "header": header}
    variables = [{"key": name, "value": secret} for name in ("apiKey", "secret", "access_token", "refreshToken")]
    return collection(item, auth=auth, variable=variables)


def token_request(secret: str) -> str:
    return json.dumps({"apiKey": secret, "secret": secret, "client_assertion": secret, "n": 1})


PLACES: dict[str, Callable[[str], str]] = {
    "header in single quotes": lambda secret: curl("-H", single(f"Authorization: Bearer {secret}")),
    "header in other single quotes": lambda secret: curl("--header", shlex.quote(f"Authorization: {secret}")),
    "header in double quotes": lambda secret: curl("-H", double_quoted(f"authorization: Bearer {secret}")),
    "cookie header": lambda secret: curl("-H", double_quoted(f"Cookie: a=b; c={secret}")),
    "api key header": lambda secret: curl("-H", single(f"X-Api-Key: {secret}")),
    "other key header": lambda secret: curl("-H", single(f"X-Redox-Key: {secret}")),
    "JWT beside a message": lambda secret: json.dumps(message() | {"jwt": secret, "credentials": {"a": secret}}),
    "user": lambda secret: curl("-u", shlex.quote(f"name:{secret}")),
    "long user": lambda secret: curl("--user", double_quoted(f"name:{secret}")),
    "attached user": lambda secret: curl(f"-sSu{single(f'name:{secret}')}"),
    "user with equals": lambda secret: curl(f"--user={single(secret)}"),
    "user on the next line": lambda secret: curl("-u \\\n", single(secret)),
    "cookie": lambda secret: curl("-b", single(f"session={secret}")),
    "long cookie": lambda secret: curl("--cookie", double_quoted(f"session={secret}")),
    "body in single quotes": lambda secret: f"curl -d {single(token_request(secret))} x",
    "body in double quotes": lambda secret: f"curl -d {double_quoted(token_request(secret))} x",
    "form": lambda secret: f"curl --data-urlencode {single(f'client_assertion={secret}')} x",
    "variable of the shell": lambda secret: f"ACCESS_TOKEN={shlex.quote(secret)}\n{curl()}",
    "exported variable": lambda secret: f"export REDOX_SECRET={double_quoted(secret)}\n{curl()}",
    "JSON": token_request,
    "JSON beside a message": lambda secret: json.dumps(message() | {"accessToken": secret, "secret": {"a": [secret]}}),
    "JSON in an organization": lambda secret: body(Endpoints=[{"Address": "https://a.example", "token": secret}]),
    "JSON of letters alone": lambda secret: json.dumps({"secret": secret}, ensure_ascii=False),
    "broken JSON": lambda secret: f'{{"Meta": {{"secret": {json.dumps(secret)}, }} "a"',
    "how-to": lambda secret: filled(HOW_TO_NEW).replace('Bearer [access token]"', double_quoted(secret)[1:]),
    "Postman": postman,
    "Postman without an end": lambda secret: postman(secret)[:-10],
    "Postman body": lambda secret: collection(request("Token", token_request(secret))),
    "Postman environment": lambda secret: f'{{"name": "a", "values": [{keyed("token", secret)}]}}',
}
# A marker at both ends: other parts of the text must not hold the same characters by chance.
secrets = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1, max_size=20).map(
    lambda text: f"zq7{text}7qz"
)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=20)
@given(secret=secrets)
@example(secret="zq7'\"'7qz")
@example(secret='zq7\\"7qz')
@example(secret="zq7\n7qz")
@example(secret="zq7[{#}]//7qz")
@example(secret="zq7 -d '{7qz")
def test_a_secret_is_in_no_output(place: str, secret: str) -> None:
    text = PLACES[place](secret)
    results = read_old_messages([GivenText(text)], "staging")
    shown = redacted(text)
    outputs = [
        shown,
        repr(results),
        str(results),
        repr(GivenText(text)),
        *map(repr, read_old_messages([GivenText(shown)], "staging")),
    ]
    for written in {"zq7", "7qz", secret, json.dumps(secret)[1:-1], shlex.quote(secret)[1:-1]}:
        assert [output for output in outputs if written in output] == []
    assert PLACEHOLDER in shown


SECRET = "zq7secretvalue7qz"
LONG = f"{SECRET}.{SECRET}"
SECRET_NAMES = (
    "passphrase",
    "passcode",
    "pass",
    "userPass",
    "db_pass",
    "pwd",
    "user_pwd",
    "userPwd",
    "pin",
    "userPin",
    "sid",
    "session",
    "sessionId",
    "JSESSIONID",
    "creds",
    "sharedKey",
    "signing_key",
    "encryptionKey",
    "masterKey",
    "accountKey",
    "hmac",
    "hmac_key",
    "signature",
    "x-signature",
    "connectionString",
    "privateKey",
    "client_secret",
    "jwt",
    "credentials",
    "bearer",
)
ENDPOINTS: list[tuple[object, str]] = [
    ({"Address": f"https://user:{SECRET}@a.example/"}, "Address"),
    ({"Address": f"https://a.example/?a=1&access_token={SECRET}"}, "Address"),
    ({"header": [f"Authorization: {SECRET}", "Accept: text/plain"]}, "header"),
    ({"header": [f"X-Api-Key: {SECRET}"]}, "header"),
    ({"header": [{"name": "Authorization", "value": SECRET}]}, "value"),
    ({"extension": [{"key": "apiKey", "value": {"text": SECRET}}]}, "value"),
    ({"extension": [{"valueString": f"Bearer {LONG}"}]}, "valueString"),
    ({"extension": [{"valueString": f"eyJ{LONG}"}]}, "valueString"),
    ({"Address": f"https://a.example/?sv=1&sig={SECRET}"}, "Address"),
    ({"Address": redacted(f"https://user:{SECRET}@a.example/")}, "Address"),
    *(({name: SECRET}, name) for name in SECRET_NAMES),
]


@pytest.mark.parametrize(("endpoint", "name"), ENDPOINTS, ids=repr)
def test_a_secret_under_a_harmless_name_is_left_out_and_named(endpoint: object, name: str) -> None:
    (result,) = read_old_messages([GivenText(body(Endpoints=[endpoint]))], "staging")
    assert isinstance(result, Candidate)
    assert SECRET not in repr(result)
    assert f"The value of '{name}' in the message was left out." in result.warnings


@pytest.mark.parametrize(
    "name", ["Compass", "bypass", "Spin", "pinned", "side", "signatureAlgorithm", "passive", "sigma"]
)
def test_a_value_under_a_name_that_resembles_a_secret_is_kept(name: str) -> None:
    (result,) = read_old_messages([GivenText(body(Endpoints=[{name: SECRET}]))], "staging")
    assert SECRET in repr(result)


@pytest.mark.parametrize("name", ["Basic Health of Wisconsin", "Bearer Clinic", "Token Creek: North", "Secretary: 2"])
def test_a_name_that_resembles_a_secret_is_kept(name: str) -> None:
    (result,) = read_old_messages([GivenText(body(Name=name))], "staging")
    assert isinstance(result, Candidate)
    assert result.record.name == name


LEFT_OUT = {
    "header in single quotes": ["The Authorization header was left out."],
    "cookie header": ["The Cookie header was left out."],
    "api key header": ["The X-Api-Key header was left out."],
    "user": ["The user and password of -u were left out."],
    "long user": ["The user and password of --user were left out."],
    "cookie": ["The cookies were left out."],
    "JSON beside a message": [
        "The value of 'accessToken' in the message was left out.",
        "The value of 'secret' in the message was left out.",
    ],
    "JSON in an organization": ["The value of 'token' in the message was left out."],
    "Postman": [
        "The authorization of the Postman request was left out.",
        "The Authorization header was left out.",
        "The x-api-key header was left out.",
    ],
}


@pytest.mark.parametrize("place", LEFT_OUT)
def test_a_candidate_says_which_secret_was_left_out(place: str) -> None:
    (result,) = read_old_messages([GivenText(PLACES[place]("zq7"))], "staging")
    assert isinstance(result, Candidate)
    assert list(result.warnings) == LEFT_OUT[place]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"curl -X PUT -H 'Accept: a' -d '{BODY}' x", f"curl -X PUT -H 'Accept: a' -d '{BODY}' x"),
        ('"secret": null, "token": {{token}}, "Name": "x"', '"secret": null, "token": {{token}}, "Name": "x"'),
        ("-H \u201cAuthorization: Bearer a\u201d -d x", "-H \u201cAuthorization: [left out]\u201d -d x"),
        ("https://a:b@c/d?access_token=e&f=g", "https://[left out]@c/d?access_token=[left out]&f=g"),
        ("-d 'grant_type=a&client_assertion=b&c=d'", "-d 'grant_type=a&client_assertion=[left out]&c=d'"),
        ('{"auth":{"type":"noauth"},"a":1}', '{"auth":"[left out]","a":1}'),
        ('pm.environment.set("token", "a"); x', 'pm.environment.set("token", "[left out]"); x'),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\nd", "[left out]\nd"),
        ("It is eyJhbGciOi.eyJpc3Mi.c2ln here", "It is [left out] here"),
    ],
)
def test_only_secrets_are_blanked(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_a_redacted_command_is_still_read() -> None:
    text = curl("-H", double_quoted("Authorization: Bearer a"), "-u", "b:c")
    assert isinstance(read_old_messages([GivenText(redacted(text))], "staging")[0], Candidate)
