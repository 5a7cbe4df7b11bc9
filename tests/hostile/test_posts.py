"""Posts that no form of the portal sends: other fields, incomplete lists, broken bodies, stale tokens."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.urls import reverse

from organizations.forms.typed import Typed
from organizations.models import Organization, Submission
from organizations.views.expired_session import NOTICE
from orgportal.middleware import clean_requests
from tests import factories
from tests.factories import BASE, PASSWORD
from tests.hostile.typed import MARKUP, URL_ENCODED, Input, post, query, stored
from tests.views.typing import edit_url, inputs_of, record_inputs

NEW = reverse("organization-new", args=["staging"])

# Names of columns and internal values, with harmful values.
INTERNAL: Mapping[str, Input] = {
    **dict.fromkeys(("id", "pk", "approver", "submitter", "oid_key", "edited_by", "staging_record"), "1"),
    "presence": "present",
    "presence_basis": "accepted",
    "confirmed": "{}",
    "confirmed_active": "false",
    "confirmed_version": "99",
    "active": "false",
    "state": "accepted",
    "message": "{}",
    "attempt": "9",
    "message_sha256": "0" * 64,
    "wanted_hash": "0" * 64,
    "authors": "[]",
    "search_text": "x",
    "environment": "production",
    "carried": '{"Type": 1}',
    "signed_in_by": "nobody",
}


def test_a_record_ignores_inputs_that_its_form_does_not_have(client, editor):
    inner = {name: value for name, value in INTERNAL.items() if name not in ("state", "oid")}
    assert post(client, NEW, {**inner, **record_inputs(factories.record())}).status_code == 302
    organization = Organization.objects.get()
    assert (organization.record(), organization.environment, organization.version) == (factories.record(), "staging", 1)
    assert (organization.presence, organization.confirmed, organization.carried, organization.edited_by) == (
        "never",
        "",
        {},
        editor,
    )
    assert (organization.staging_record, organization.confirmed_active) == (None, None)
    assert post(client, edit_url(organization), {**inner, **inputs_of(organization, name="Renamed")}).status_code == 302
    saved = Organization.objects.get()
    assert (saved.record(), saved.environment, saved.version) == (factories.record(name="Renamed"), "staging", 2)
    assert (saved.presence, saved.confirmed, saved.carried, saved.active) == ("never", "", {}, True)


def test_a_submission_ignores_inputs_except_reason_and_ticks(client, editor, organization):
    page = client.get(edit_url(organization, "review")).context
    inputs = {"sha256": page["review"].sha256, "seen": "0", "version": "1", "reason": "Test"}
    inputs |= {"tick": [question.key for question in page["content"].questions]}
    assert post(client, edit_url(organization, "review"), {**INTERNAL, **inputs}).status_code == 302
    submission = Submission.objects.get()
    assert bytes(submission.message) == page["review"].message
    assert (submission.state, submission.environment, submission.attempt) == ("queued", "staging", 0)
    assert (submission.submitter, submission.approver, submission.authors) == (editor, None, [editor.pk])


# Lists -------------------------------------------------------------------------------------------------------

TOTALS: tuple[Input, ...] = (
    "", "0", "2", "-1", "1e3", "\x00", "\uff11", str(2**64), "9" * 5_000, ["1", "2"], ["1", "1"], MARKUP
)  # fmt: skip


@pytest.mark.parametrize("prefix", ["contacts", "identifiers"])
def test_a_list_with_a_wrong_number_of_lines_is_refused(client, prefix):
    inputs: dict[str, Input] = {**record_inputs(factories.record())}
    inputs |= {"identifiers-TOTAL_FORMS": "1", "identifiers-0-value": "LSC-014", "identifiers-0-kind": "FACID"}
    before = stored()
    for total in TOTALS:
        typed = Typed.from_post(QueryDict(query(inputs | {f"{prefix}-TOTAL_FORMS": total})))
        assert (list(typed.incomplete), len(typed.contacts), len(typed.identifiers)) == ([prefix], 1, 1), total
    missing = {name: value for name, value in inputs.items() if not name.startswith(prefix)}
    for incomplete in (missing, inputs | {f"{prefix}-TOTAL_FORMS": MARKUP}):
        response = post(client, NEW, incomplete)
        assert response.status_code == 422
        assert f"Some of the {prefix} did not arrive" in response.content.decode()
    assert stored() == before
    assert post(client, NEW, inputs).status_code == 302


def test_other_management_values_of_a_list_are_ignored(client):
    inputs: dict[str, Input] = {**record_inputs(factories.record())}
    inputs |= {"contacts-INITIAL_FORMS": "9" * 5_000, "contacts-MAX_NUM_FORMS": "-1", "contacts-MIN_NUM_FORMS": "\x00"}
    inputs |= {
        "contacts-0-DELETE": "on",
        "contacts-0-ORDER": "x",
        "contacts-0-id": "1",
        "contacts-__prefix__-name": "x",
    }
    assert post(client, NEW, inputs).status_code == 302
    assert Organization.objects.get().record() == factories.record()


def test_a_line_with_an_invalid_index_is_refused_or_ignored(client):
    inputs: dict[str, Input] = {**record_inputs(factories.record())}
    for place in ("-1", "1", "00", "999", "1000", "9" * 5_000, "\uff11", "0\x00"):
        typed = Typed.from_post(QueryDict(query(inputs | {f"contacts-{place}-name": "Smuggled"})))
        assert typed.incomplete or "Smuggled" not in repr(typed), place
    response = post(client, NEW, inputs | {"contacts-9999-name": "Smuggled", "contacts--1-name": "Smuggled"})
    assert response.status_code == 422
    assert not Organization.objects.exists()


def test_more_lines_than_allowed_are_refused(client):
    lines = {f"contacts-{place}-{name}": "Desk" for place in range(40) for name in ("purpose", "name")}
    before = stored()
    response = post(client, NEW, record_inputs(factories.record()) | lines | {"contacts-TOTAL_FORMS": "40"})
    assert response.status_code == 422
    assert "At most 20 contacts can be kept." in response.content.decode()
    many = {f"contacts-{place}-name": "Desk" for place in range(1_100)}
    assert post(client, NEW, record_inputs(factories.record()) | many).status_code == 400
    assert stored() == before


# Bodies ------------------------------------------------------------------------------------------------------

BOUNDARY = b"----made-up"
PART = b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="name"'


def bodies() -> Iterator[tuple[str, str, bytes]]:
    multipart = f"multipart/form-data; boundary={BOUNDARY.decode()}"
    yield "JSON", "application/json", b'{"name": "x", "act": "save"}'
    yield "XML", "text/xml", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    yield "no type", "", b"name=x&act=save"
    yield "nonsense type", "\x7f;;;=", b"name=x"
    yield "no boundary", "multipart/form-data", PART
    yield "empty boundary", "multipart/form-data; boundary=", PART
    yield "long boundary", f"multipart/form-data; boundary={'x' * 5_000}", PART
    yield "boundary in other letters", "multipart/form-data; boundary=\u00e9\u00e9", PART
    yield "no body", multipart, b""
    yield "head without end", multipart, PART
    yield "part without end", multipart, PART + b"\r\n\r\nLakeside"
    yield "NUL in a name", multipart, PART.replace(b'"name"', b'"na\x00me"') + b"\r\n\r\nx\r\n--" + BOUNDARY + b"--"
    yield (
        "broken base64",
        multipart,
        PART + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n=\xff\r\n--" + BOUNDARY + b"--",
    )
    yield "a file", multipart, PART + b'; filename="../../x\x00.html"\r\n\r\n<script>\r\n--' + BOUNDARY + b"--"
    yield (
        "no name",
        multipart,
        b"--" + BOUNDARY + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n--" + BOUNDARY + b"--",
    )
    yield "only separators", URL_ENCODED, b"&&&===;;%%%&\x00=\xff&" + b"=" * 1_000
    yield "too many inputs", URL_ENCODED, b"a=1&" * 2_000
    yield "too large", URL_ENCODED, b"name=" + b"x" * 3_000_000


def test_a_body_that_is_not_a_form_changes_nothing(client, organization):
    before = stored()
    everywhere = ("NUL in a name", "a file")  # one way reads all bodies
    others = (edit_url(organization), edit_url(organization, "review"), edit_url(organization, "deactivate"))
    for name, kind, body in bodies():
        for address in (reverse("account"), *(others if name in everywhere else ())):
            response = client.post(address, body, content_type=kind)
            # An unknown button shows the form again.
            assert response.status_code in (200, 400, 409, 422), (name, address)
            assert b"Traceback" not in response.content
    assert stored() == before


CHARSETS = ("utf-7", "utf-16", "unicode_escape", "hex", "\u00e9", "x" * 200)
TYPES = (
    *(f"text/plain; charset={charset}" for charset in CHARSETS),
    "multipart/form-data; charset=utf-7",
    "application/x-www-form-urlencoded; charset=utf-16",
    "text/plain; charset*=utf-8''%00",
    "text/plain; charset*=nonsense''x",
    "text/plain; a*=nonsense''x",
    f"text/plain; a={'x' * 20_000}",
)


def response_to(client: Client, path: str, text: str, **head: str) -> Any:
    """The response to a request with this header, as the web server passes it on."""
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    environ = {**RequestFactory().get(path, QUERY_STRING=text).environ, "HTTP_COOKIE": cookies, **head}
    return clean_requests(lambda environ, _: client.handler(environ))(environ, None)


def test_no_request_header_chooses_the_charset(client, organization):
    for kind in TYPES:
        answer = response_to(client, reverse("organizations", args=["staging"]), "q=%5Cud800+2bAAA-", CONTENT_TYPE=kind)
        assert answer.status_code == 200, kind
        assert organization.oid.encode() not in answer.content


def test_a_cookie_with_a_null_character_is_ignored(client):
    for name in ("orgportal-session", "orgportal-csrf", "messages"):
        answer = response_to(
            client, reverse("home"), "", HTTP_COOKIE=f'{name}="\\000\\000\\000\\000\\000\\000\\000\\000\\000"'
        )
        assert answer.status_code == 302


def test_forged_cookies_sign_nobody_in(db):
    for text in ("x", "x" * 10_000, "\u00e9", "'; --", '"\\377\\376"', "a:b:c", "=;=;", "{}"):
        client, strict = Client(), Client(enforce_csrf_checks=True)
        for name in ("orgportal-session", "orgportal-csrf", "messages"):
            client.cookies[name] = strict.cookies[name] = text
        assert client.get(reverse("home")).status_code == 302
        inputs = {"username": "x", "password": "y", "csrfmiddlewaretoken": text}
        assert post(strict, reverse("sign-in"), inputs).status_code == 403


# Tokens and redirects ----------------------------------------------------------------------------------------


def test_without_a_token_the_record_form_is_shown_again_filled(editor, organization):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(editor)
    inputs: dict[str, Input] = {**record_inputs(factories.record(name=f"Typed {MARKUP}"), version=1)}
    tokens: tuple[Input, ...] = ("a" * 64, f"\x00{MARKUP}", ["a" * 64, "b"], [])
    before = stored()
    for address, token in ((edit_url(organization), ""), *((NEW, token) for token in tokens)):
        response = post(strict, address, inputs | {"csrfmiddlewaretoken": token})
        assert response.status_code == 422
        assert NOTICE in response.content.decode()
        assert response.context["form"].main["name"].value() == f"Typed {MARKUP}"
        assert MARKUP not in response.content.decode()
    assert stored() == before


def test_input_kept_without_a_sign_in_is_escaped(db, organization):
    inputs = {**record_inputs(factories.record()), "name": f"{MARKUP}\x00\u202e", f'"><i {MARKUP}': "x", "empty": ""}
    response = post(Client(), edit_url(organization), inputs)
    assert response.status_code == 403
    assert MARKUP not in response.content.decode()
    assert dict(response.context["fields"]) == inputs


ELSEWHERE: tuple[str | bytes, ...] = (
    "//evil.example", "///evil.example", "https://evil.example/", "http:evil.example", "/\\evil.example",
    "\\\\evil.example", "javascript:alert(1)", "/\t/evil.example", "\x00/", " //evil.example", "http://[", "//[",
    "/" + "x" * 10_000, "https://testserver@evil.example/", "https:///evil.example", "data:text/html,x", b"\xed\xa0",
)  # fmt: skip


@pytest.mark.usefixtures("long_addresses")
def test_signing_in_never_redirects_to_another_site(editor):
    browser = Client()
    browser.force_login(editor)
    for wanted in ELSEWHERE:
        assert browser.get(reverse("sign-in"), QUERY_STRING=query({"next": wanted}))["Location"] == "/", wanted


def test_a_redirect_cannot_add_a_header(editor):
    inputs = {"username": editor.username, "password": PASSWORD, "next": "/help/\r\nSet-Cookie: x=1\r\n\r\n\x00\u202e"}
    response = post(Client(), reverse("sign-in"), inputs)
    assert response.status_code == 302
    assert response["Location"].isascii()
    assert response["Location"].isprintable()
    assert "x" not in response.cookies


def test_a_referer_never_redirects_to_another_site(organization):
    for url in ("http://[", "//evil.example//evil.example", "\u00e9\u202e", "x" * 10_000, "?next=//evil.example"):
        fragment = Client().get(reverse("home"), headers={"HX-Request": "true", "HX-Current-URL": url})
        posting = Client().post(reverse("sign-out"), headers={"Referer": url})
        for answer in (fragment["HX-Redirect"], posting["Location"]):
            assert answer.startswith("/sign-in/?next=")


def test_an_unknown_host_is_refused(client):
    for host in ("evil.example", "testserver@evil.example", "testserver:x", "[", "\u00e9", "x" * 5_000, ""):
        assert client.get(reverse("home"), headers={"Host": host}).status_code == 400


def test_unknown_buttons_and_invalid_versions_save_nothing(client, organization):
    before = stored()
    for act in ("remove-contacts-99", "remove-contacts--1", f"add-\x00{MARKUP}", "theirs"):
        response = post(client, edit_url(organization), record_inputs(factories.record(), act=act, version=1))
        assert response.status_code == 200
        assert MARKUP not in response.content.decode()
    for version in ("", "9" * 5_000):
        inputs = record_inputs(factories.record(name="Overtaken")) | {
            "record": str(organization.pk),
            "version": version,
        }
        assert post(client, edit_url(organization), inputs).status_code == 409
        theirs = inputs | {"theirs": version, "choice-name": "x\x00", f"choice-{MARKUP}": "mine"}
        response = post(client, edit_url(organization), theirs)
        assert response.status_code in (409, 422)
        assert MARKUP not in response.content.decode()
        assert post(client, edit_url(organization, "discard"), {"version": version}).status_code == 409
    assert stored() == before
    assert organization.oid == BASE
