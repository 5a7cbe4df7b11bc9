"""The history: its pages, one entry, and the raw bytes of an entry."""

import datetime
import re
from html import unescape
from urllib.parse import parse_qs

import pytest
from django.http import QueryDict

from organizations.models import Action, AuditEntry, User, clock
from organizations.pages.audit import history_page
from organizations.pages.audit import page as pages
from organizations.pages.audit.page import AuditPage
from organizations.pages.filter_controls import NothingFits
from organizations.pages.submission import page as submission_page
from organizations.queries import audit_filters, story_pages
from organizations.services.audit import audit as history
from organizations.views.access import sequence_before
from tests import factories
from tests.factories import BASE
from tests.page_text import compact, html_of_page, text_of_page
from tests.views.history import PORTAL, add_entries, save_edit
from tests.views.pages import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def page(user: User, query: str = "", before: int | None = None) -> AuditPage:
    return pages.build(user, *audit_filters.read(QueryDict(query)), before=before)


def nothing_fits(audit_page: AuditPage) -> NothingFits:
    assert audit_page.audit.nothing is not None
    return audit_page.audit.nothing


def sequences_on(audit_page: AuditPage) -> list[int]:
    return [row.sentence.sequence for day in audit_page.audit.days for row in day.rows]


# One page ----------------------------------------------------------------------------------------------------


def test_a_viewer_reads_and_sees_who_can_export(client_of, north, editor):
    add_entries()
    answer = client_of("viewer").get("/audit/?show=entries&before=2")
    text = text_of(answer)
    assert text.startswith("Audit | orgportal ")
    sentence = rf"Editor One \({editor.username}\) added Lakeside North in STAGING\. STAGING 1 "
    assert re.search(rf"2 entries .*Today, \w+ \d+ \d\d:\d\d:\d\d {sentence}", text)
    assert answer.content.decode().count('disabled aria-describedby="block-reason"') == 2
    assert "You cannot export the history. Auditors can: nobody yet." in text


def test_an_auditor_can_export_the_filtered_entries(client_of):
    html = client_of("auditor").get("/audit/?what=edits").content.decode()
    assert re.findall(r'href="(/audit/export/[^"]*)"', html) == [
        f"/audit/export/?what=edits&amp;format={form}" for form in ("csv", "json")
    ]


def test_a_story_unfolds_its_entries_and_its_line_has_no_link(north, editor):
    sent = factories.submission(north, user=editor)
    html = html_of_page(page(editor))
    [summary] = re.findall(r'<summary class="row-of">.*?</summary>', html)
    assert ("2 entries" in summary, "<a " in summary) == (True, False)
    assert re.findall(r'aria-label="Entry (\d+)"', html) == ["1", "2"]
    assert f'<a href="/staging/submissions/{sent.pk}/">Open submission {sent.pk}</a>' in html
    assert "<details open>" not in html
    of_submission = html_of_page(page(editor, f"submission={sent.pk}&environment=staging"))
    assert "<details open>" in of_submission
    assert re.search(rf'<a class="chip" href="\?environment=staging">Submission {sent.pk} ', of_submission)
    assert f'<input type="hidden" name="submission" value="{sent.pk}">' in of_submission
    link = f'<a href="/audit/?submission={sent.pk}">All entries of this submission</a>'
    assert link in html_of_page(submission_page.build(sent, editor), "staging")


def test_a_link_shows_single_entries_and_other_links_keep_that_view(editor):
    assert page(editor, "what=edits").audit.other_view == ("Show single entries", "?what=edits&show=entries")
    single = page(editor, "what=edits&show=entries")
    assert single.audit.other_view == ("Show stories", "?what=edits")
    assert [url for _, url in single.audit.chips] == ["?show=entries"]
    assert [(word, url) for word, url, _ in single.audit.times] == [
        ("Chicago", "?what=edits&show=entries"),
        ("UTC", "?what=edits&times=utc&show=entries"),
    ]
    assert '<input type="hidden" name="show" value="entries">' in html_of_page(single)


def test_new_entries_do_not_shift_the_next_page(editor):
    add_entries(120)
    first = page(editor, "show=entries")
    assert sequences_on(first) == list(range(120, 70, -1))
    assert (first.audit.older_url, first.audit.newest_url) == ("?show=entries&before=71", "")
    add_entries(5)
    assert sequences_on(page(editor, "show=entries", before=71)) == list(range(70, 20, -1))
    last = page(editor, "show=entries", before=21)
    assert sequences_on(last) == list(range(20, 0, -1))
    assert (last.audit.older_url, last.audit.newest_url) == ("", "?show=entries")
    assert "These are the oldest entries." in text_of_page(last)
    assert nothing_fits(page(editor, before=1)).text == "There are no older entries."


@pytest.mark.parametrize("before", ["x", "-1", "9" * 400, "²", "1 OR 1=1", "\x00", ""])
def test_an_invalid_entry_number_shows_the_newest_entries(rf, before):
    assert sequence_before(rf.get("/", {"before": before})) is None
    assert sequence_before(rf.get("/", {"before": "71"})) == 71


def test_times_are_in_the_selected_time_zone(editor, monkeypatch):
    moment = datetime.datetime(2027, 5, 1, 4, 30, tzinfo=datetime.UTC)
    monkeypatch.setattr(clock, "now", lambda: moment)
    add_entries()
    days = [page(editor, f"{query}show=entries").audit.days[0] for query in ("times=utc&", "")]
    assert [(day.rows[0].clock, "May 1" in day.label) for day in days] == [("04:30:00", True), ("23:30:00", False)]


def test_above_a_limit_entries_are_not_counted(editor, monkeypatch):
    monkeypatch.setattr(story_pages, "MOST_READ", 6)
    monkeypatch.setattr(history_page, "MOST_COUNTED", 5)
    add_entries(6)
    assert page(editor, "what=connection").audit.summary == "more than 5 entries"
    assert page(editor).audit.summary == "6 entries"


def test_if_nothing_matches_the_page_names_the_filter_to_remove(north, editor):
    save_edit(north, editor, name="Lakeside Quay")
    audit_page = page(editor, f"who={editor.pk}&environment=production")
    text = "No entry matches. Without 'Environment: PRODUCTION' there are 2."
    assert nothing_fits(audit_page) == (text, f"?who={editor.pk}", "Remove it")
    assert "there are 2. Remove it" in text_of_page(audit_page)
    none = nothing_fits(page(editor, "record=nobody&environment=production&who=portal"))
    assert (none.text, none.url, none.step) == ("No entry matches.", "?", "Remove all")


def test_an_invalid_filter_is_422_and_shows_no_entry(client, north):
    answer = client.get("/audit/?to=tomorrow")
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Error: Audit | orgportal</title>" in html
    assert ('aria-label="Entry' in html, "/audit/export/" in html) == (False, False)


def test_each_filter_has_a_label_and_its_error_below_it(editor):
    query = "who=x&what=x&outcome=x&environment=x&from=x&to=x&record=a+b+c+d+e+f+g+h+i+j+k&submission=x"
    audit_page = page(editor, query)
    html = html_of_page(audit_page)
    form = html.partition('class="labelled"')[2].partition("</form>")[0]
    names = ["record", "who", "what", "outcome", "environment", "since", "until"]
    assert re.findall(r'<(?:input|select) class="form-\w+"[^>]* id="(\w+)"', form) == names
    assert re.findall(r'<label for="(\w+)">', form) == names
    assert re.findall(r'<p class="error" id="(\w+)_error">', form) == names
    assert sorted(re.findall(r'aria-describedby="(\w+)_error"', form)) == sorted(names)
    assert sorted(re.findall(r'<a href="#(\w+)">', html)) == sorted(names)
    assert dict(audit_page.problems)[""]  # of the submission, which has no field
    # An invalid filter has no chip and is left out of links.
    assert parse_qs(audit_page.audit.filters.address().removeprefix("?")).keys() == {"record"}


def test_the_page_says_that_the_range_includes_both_days(north, editor):
    assert "The range includes both days." in text_of_page(page(editor, "from=2020-01-01&to=2190-01-01"))
    assert "Both ends" not in text_of_page(page(editor, "from=2020-01-01"))


# One entry ---------------------------------------------------------------------------------------------------


def test_an_entry_shows_everything_stored(north, editor):
    save_edit(north, editor, name="Lakeside Quay")
    entry = AuditEntry.objects.get(action=Action.ORGANIZATION_EDITED)
    html = html_of_page(pages.build_entry(entry))
    for text in (entry.hash, entry.previous_hash, "<del>Lakeside North</del>", "<ins>Lakeside Quay</ins>"):
        assert text in html
    assert f'href="/staging/organizations/{BASE}.1/"' in html
    assert f'rel="prev" href="/audit/{entry.sequence - 1}/"' in html
    assert 'rel="next"' not in html
    body = html.partition('aria-label="Bytes of the entry">')[2]
    assert bytes(entry.body).decode() in unescape(body)


def test_raw_bytes_are_shown_as_text_and_downloaded_unchanged(client):
    raw = b"\x00\xff<script>alert(1)</script>\xe2\x80\xae"
    with history.atomic(PORTAL) as log:
        log.log(Action.ATTEMPT_LATE, raw=raw, submission=1, environment="staging", attempt=1)
    html = compact(client.get("/audit/1/").content.decode())
    assert ("<script>alert" in html, "\\u202E" in html) == (False, True)
    assert '<figure class="foreign"><figcaption class="px-3">The response as received, byte for byte<' in html
    answer = client.get("/audit/1/raw/")
    assert answer.content == raw
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="entry-1.bin"'
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_an_entry_that_does_not_exist_is_not_found(client):
    add_entries()
    assert client.get("/audit/1/raw/").status_code == 404  # this entry has no raw bytes
    for number in ("0", "2", "9" * 30):
        assert f"The history has no entry {number}." in text_of(client.get(f"/audit/{number}/"))
