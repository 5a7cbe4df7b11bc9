"""The page of a roll-call over HTTP: the page, its export, and the button that fills a take-over with its OIDs."""

import csv
import io
from html.parser import HTMLParser

import pytest

from organizations.models import Action, AuditEntry, TakeOver
from tests import factories
from tests.factories import BASE

pytestmark = pytest.mark.one_database

ROLL_CALL, TAKE_OVER = "/staging/directory/roll-call/", "/staging/directory/take-over/"
ABSENT = [f"{BASE}.{number}" for number in range(100, 1_000)]


class HiddenInputs(HTMLParser):
    """The hidden inputs of a page by their names."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            self.values[given["name"] or ""] = given["value"] or ""


def test_a_list_is_looked_up_and_leads_to_a_take_over_with_all_its_oids(client, editor):
    factories.organization(user=editor, name="Lakeside North")
    before = AuditEntry.objects.count()
    page = client.post(ROLL_CALL, {"lines": "\n".join([BASE, *ABSENT])})
    assert page.status_code == 200
    text = page.content.decode()
    assert "Lakeside North" in text
    oids = HiddenInputs(text).values["oids"]
    begin = client.post(TAKE_OVER, {"oids": oids, "fill": "1"})
    assert begin.status_code == 200
    assert begin.context["form"]["oids"].value().split() == ABSENT
    assert (AuditEntry.objects.count(), TakeOver.objects.count()) == (before, 0)


def test_the_export_has_a_line_for_each_line_and_an_entry_in_the_history(client, editor):
    factories.organization(user=editor)
    answer = client.post(ROLL_CALL, {"lines": f"2.999.1\n{BASE}", "act": "export"})
    assert answer["Content-Disposition"] == 'attachment; filename="roll-call.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode().removeprefix("\ufeff"))))
    assert [row["Entered"] for row in rows] == ["2.999.1", BASE]
    entry = AuditEntry.objects.get(action=Action.EXPORT_MADE)
    assert entry.facts["details"]["rows"] == 2


def test_a_refused_list_is_shown_again_with_its_error(client):
    answer = client.post(ROLL_CALL, {"lines": " \n"})
    assert answer.status_code == 422
    assert 'href="#id_lines"' in answer.content.decode()
