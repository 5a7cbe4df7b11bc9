"""The portal that malformed requests are sent to: people of every role, records in every state, all forms.

Needs settings; import it after `prepare`.
"""

import time
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve, reverse

from benchmarks import filling
from benchmarks.made_up import oid_of
from benchmarks.malformed_requests import Form, Places
from organizations.models import AuditEntry, Candidate, Environment, Organization, PlanKind, Submission, User
from organizations.permissions import ROLES
from organizations.services.accounts import sessions as session_rules
from organizations.services.actors import person
from organizations.services.outbox import plans
from organizations.services.review import plan_draft
from organizations.services.review.plan_draft import ChosenRecords

HOST = "127.0.0.1"
PASSWORD = "only-for-the-measurement"
ANONYMOUS, NO_ROLE, EVERY_ROLE = "nobody", "no role", "every role"
RECORDS, ENTRIES = 21, 150
_LONGEST_RUN = 24 * 60 * 60  # seconds; the run restores sessions, so the time of their last use stays
# Paths that the resolver does not know, and wrong ones.
OTHERS = {
    "static": ("/static/portal.css", "/static/none.css", "/static/../manage.py", "/static/%00", "/static/"),
    "health": ("/health/live", "/health/ready", "/health/", "/health/live/"),
    "unknown": ("/none/", "/none", "//", "/.env", "/staging/", "/staging/organizations", "*", "/x" * 3000),
}  # fmt: skip
_NUMBERS = ("0", "-1", "1.5", "%EF%BC%97", str(2**31), str(2**63), "9" * 400, "%00", "%ED%A0%80", "7654321")
_WRONG = {
    "environment": ("STAGING", "development", "%00", "staging%0A", "x" * 3000),
    "oid": ("2.999.7654321", "3.1", "2..1", "1", "2." + "1" * 62, "2." + "1" * 63, "2.1" * 40, "2%D9%A4.1", "%3Cx%3E"),
}  # fmt: skip


def make(pages: int | None) -> Places:
    """Fill the empty database, and return the places for requests. Forms are read from `pages` pages of each URL."""
    filling.create_people()
    _people()
    filling.fill(0, RECORDS, ENTRIES)
    _plan()
    right = {name: tuple(_right(name, parts)) for name, parts in addresses().items()}
    wrong = {name: tuple(_wrong(name, parts)) for name, parts in addresses().items()}
    forms, queries = _forms({name: paths[:pages] for name, paths in right.items()})
    return Places(
        paths=right | OTHERS,
        wrong_paths=wrong,
        forms={name: tuple(each) for name, each in forms.items()},
        queries={name: tuple(sorted(each)) for name, each in queries.items()},
        cookies=sessions(),
        most_rights=EVERY_ROLE,
        session_cookie=settings.SESSION_COOKIE_NAME,
        csrf_cookie=settings.CSRF_COOKIE_NAME,
        host=HOST,
    )


def _people() -> None:
    """A person for each role, one without a role, and one with every role."""
    for role in (*ROLES, NO_ROLE, EVERY_ROLE):
        user = User(username=role.replace(" ", "-"), first_name=role.capitalize(), last_name="One")
        user.set_password(PASSWORD)
        user.save()
        user.groups.set(Group.objects.all() if role == EVERY_ROLE else Group.objects.filter(name=role))


def _plan() -> None:
    """A plan that waits, of records that were never sent."""
    actor = person(User.objects.get(username="every-role"))
    never = Organization.objects.filter(environment="staging", last_submission=None, presence="never")
    chosen = ChosenRecords(Environment.STAGING, PlanKind.SEND, tuple(never.values_list("pk", flat=True)[:1]))
    draft = plan_draft.draft_plan(chosen, actor=actor)
    ticked = frozenset(question.key for question in draft.questions)
    plans.make_plan(
        chosen, sha256=draft.sha256, ticked=ticked, reason="Test", typed=str(draft.number_to_type), actor=actor
    )


def sessions() -> dict[str, str]:
    """A new session of each person, by role; "" for nobody signed in."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    keys = {ANONYMOUS: ""}
    for role in (*ROLES, NO_ROLE, EVERY_ROLE):
        user = User.objects.get(username=role.replace(" ", "-"))
        session = store()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session["signed_in_by"] = "password"
        session[session_rules.USED] = int(time.time()) + _LONGEST_RUN
        session.save()
        keys[role] = session.session_key
    return keys


def addresses() -> dict[str, tuple[str, ...]]:
    """Every named address with the names of its parts."""
    return dict(_walk(get_resolver("orgportal.urls").url_patterns))


def _walk(patterns: list[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns)
        elif isinstance(each, URLPattern) and each.name:
            yield each.name, tuple(each.pattern.converters)


def _right(name: str, parts: tuple[str, ...]) -> Iterator[str]:
    """The paths of existing rows."""
    yield from (reverse(name, kwargs=values) for values in _existing(parts))


def _wrong(name: str, parts: tuple[str, ...]) -> Iterator[str]:
    """The paths with one malformed part each."""
    sample = _existing(parts)[0]
    address = reverse(name, kwargs=sample)
    for part in parts:
        for wrong in _WRONG.get(part, _NUMBERS):
            yield address.replace(f"/{sample[part]}/", f"/{wrong}/")
    yield address.removesuffix("/") or "//"


def _candidates() -> Iterator[dict[str, Any]]:
    for each in Candidate.objects.select_related("take_over").order_by("pk")[:2]:
        yield {"environment": each.take_over.environment, "list_number": each.take_over_id, "oid": each.oid}


def _existing(parts: tuple[str, ...]) -> list[dict[str, Any]]:
    rows: Any
    if "list_number" in parts:
        rows = [*_candidates(), {"environment": "staging", "oid": "2.999", "list_number": 1}]
    elif "oid" in parts:
        rows = Organization.objects.order_by("pk").values("environment", "oid")
    elif "number" in parts:
        rows = [{"environment": each.environment, "number": each.pk} for each in Submission.objects.order_by("pk")]
    elif "plan" in parts:
        rows = [{"environment": "staging", "plan": 1}]
    elif "sequence" in parts:
        with_bytes = AuditEntry.objects.exclude(raw=None).values_list("sequence", flat=True)[:3]
        rows = [{"sequence": each} for each in (*with_bytes, 1)]
    elif "person" in parts:
        rows = [{"person": each} for each in list(User.objects.order_by("pk").values_list("pk", flat=True))[-3:]]
    else:
        rows = [{"environment": each.value} for each in Environment]
    return [{part: row[part] for part in parts} for row in rows]


type _FoundForm = tuple[str, str, list[tuple[str, str]]]
"""Method, action, inputs."""


class _Inputs(HTMLParser):
    """All forms of a page, with all their inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_FoundForm] = []
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: text or "" for name, text in attributes}
        if tag == "form":
            self.forms.append((values.get("method", "get").lower(), values.get("action", ""), []))
        elif tag == "select":
            self._select = values.get("name", "")
            self._add(self._select, "")
        elif tag == "option" and self._select and "selected" in values:
            self._add(self._select, values.get("value", ""))
        elif tag == "textarea":
            self._area = values.get("name", "")
            self._add(self._area, "")
        elif tag in ("input", "button") and values.get("name"):
            self._add(values["name"], values.get("value", "on"))

    def handle_data(self, data: str) -> None:
        if self._area:
            name, text = self.forms[-1][2].pop()
            self.forms[-1][2].append((name, text + data))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""

    def _add(self, name: str, text: str) -> None:
        if self.forms:
            self.forms[-1][2].append((name, text))


_SIGN_IN = (("username", "editor"), ("password", PASSWORD), ("next", ""))
# Pages whose form depends on the query.
_QUERIES = {
    "plan-new": (
        "?record=3&record=5&record=7&record=9",
        f"?branch={oid_of(0)}",
        f"?branch={oid_of(0)}&kind=deactivate",
    ),
    "organization-new": ("", f"?below={oid_of(0)}", f"?like={oid_of(2)}"),
}


def _forms(paths: dict[str, tuple[str, ...]]) -> tuple[dict[str, list[Form]], dict[str, set[str]]]:
    """The forms on the pages of a person with every role, and the query parameters, by the URL that they go to."""
    client = Client(SERVER_NAME=HOST)
    client.force_login(User.objects.get(username="every-role"))
    forms: dict[str, list[Form]] = {"sign-in": [Form("/sign-in/", _SIGN_IN)]}
    queries: dict[str, set[str]] = {}
    pages = [(path, query) for name, each in paths.items() for path in each for query in _QUERIES.get(name, ("",))]
    for path, query in pages:
        for method, action, inputs in _forms_of(client.get(path + query)):
            target = action or path + query
            name = _name_of(urlsplit(target).path or path)
            if method == "post":
                forms.setdefault(name, []).append(Form(target, tuple(inputs)))
            else:
                queries.setdefault(name, set()).update(each for each, _ in inputs)
    return forms, queries


def _forms_of(answer: Any) -> list[_FoundForm]:
    if answer.status_code != 200 or answer.streaming or "html" not in answer.get("Content-Type", ""):
        return []
    page = _Inputs()
    page.feed(answer.content.decode())
    return page.forms


def _name_of(path: str) -> str:
    try:
        return resolve(path, "orgportal.urls").view_name
    except Resolver404:
        return "unknown"
