"""The history's pages: filters, paging by sequence, one entry, files."""

import datetime
import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from organizations.models import Action, AuditEntry, Organization, clock
from organizations.presentation import audit_filters
from organizations.presentation.audit_filters import GROUPS
from organizations.services import audit, delivery, organizations
from tests import factories
from tests.factories import BASE, acting
from tests.views.history import PORTAL, add, edited


def text(client: Client, query: str = "") -> str:
    answer = client.get(f"/audit/{query}")
    assert answer.status_code == 200, answer.status_code
    page = answer.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split())


def single(query: str = "") -> str:
    """The address of single entries instead of stories."""
    return f"{query or '?'}&show=entries"


def listed(client: Client, query: str = "") -> list[int]:
    answer = client.get(f"/audit/{single(query)}")
    assert answer.status_code == 200, answer.status_code
    return [int(number) for number in re.findall(r'aria-label="Entry (\d+)"', answer.content.decode())]


def actions(client: Client, query: str) -> list[str]:
    """What is listed, the oldest first."""
    return list(
        AuditEntry.objects.filter(sequence__in=listed(client, query))
        .order_by("sequence")
        .values_list("action", flat=True)
    )


@pytest.fixture
def add_at(db, monkeypatch) -> Callable[[datetime.datetime], None]:
    """Adds an entry that the database's clock says was made then."""

    def added(moment: datetime.datetime) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(clock, "now", lambda: moment)
            add()

    return added


@pytest.fixture
def north(editor) -> Organization:
    return factories.organization(f"{BASE}.1", user=editor, name="Lakeside North")


@pytest.fixture
def viewer(client_of) -> Client:
    client: Client = client_of("viewer")
    return client


def test_each_action_can_be_found_and_belongs_to_one_group():
    grouped = [action for _, actions in GROUPS.values() for action in actions]
    assert sorted(grouped) == sorted(Action)


def test_an_entry_is_one_line_with_time_sentence_environment_and_number(north, viewer, editor):
    page = text(viewer, single())
    [entry] = AuditEntry.objects.all()
    sentence = rf"Editor One \({editor.username}\) added Lakeside North in STAGING\. STAGING {entry.sequence}"
    assert re.search(rf"Today, \w+ \d+ \d\d:\d\d:\d\d {sentence}", page)
    assert "1 entry" in page


def test_a_story_opens_to_its_entries_and_its_line_holds_no_link(north, viewer, editor):
    sent = factories.submission(north, user=editor)
    page = viewer.get("/audit/").content.decode()
    [summary] = re.findall(r'<summary class="row-of">.*?</summary>', page)
    assert "2 entries" in summary
    assert "<a " not in summary
    assert re.findall(r'aria-label="Entry (\d+)"', page) == ["1", "2"]
    assert f'<a href="/staging/submissions/{sent.pk}/">Open submission {sent.pk}</a>' in page
    assert "<details open>" not in page
    assert "<details open>" in viewer.get(f"/audit/?submission={sent.pk}").content.decode()


def test_single_entries_are_one_link_away_and_every_other_link_keeps_them(north, viewer, editor):
    page = viewer.get("/audit/?what=edits").content.decode()
    assert '<a href="?what=edits&amp;show=entries">Show single entries</a>' in page
    page = viewer.get("/audit/?what=edits&show=entries").content.decode()
    assert '<a href="?what=edits">Show stories</a>' in page
    assert '<input type="hidden" name="show" value="entries">' in page
    for kept in ('class="chip" href="?show=entries"', 'href="?what=edits&amp;times=utc&amp;show=entries"'):
        assert kept in page


def test_each_filter_has_a_label_and_its_error_stands_below_it(viewer):
    page = viewer.get("/audit/?to=tomorrow").content.decode()
    form = page[page.index('class="labelled"') : page.index("</form>", page.index('class="labelled"'))]
    controls = re.findall(r'<(?:input|select) class="form-\w+"[^>]* id="(\w+)"', form)
    assert controls == ["record", "who", "what", "outcome", "environment", "since", "until"]
    assert re.findall(r'<label for="(\w+)">', form) == controls
    assert re.search(r'id="until"[^>]*aria-describedby="until_error"><p class="error" id="until_error">', form)


def test_the_newest_comes_first(viewer):
    add(3)
    assert listed(viewer) == [3, 2, 1]


def test_pages_go_on_by_sequence_so_that_new_entries_shift_nothing(viewer):
    add(120)
    page = viewer.get("/audit/?show=entries").content.decode()
    assert listed(viewer) == list(range(120, 70, -1))
    assert 'href="?show=entries&amp;before=71"' in page
    add(5)
    assert listed(viewer, "?before=71") == list(range(70, 20, -1))
    assert listed(viewer, "?before=21") == list(range(20, 0, -1))
    assert "These are the oldest." in text(viewer, "?before=21")


@pytest.mark.parametrize("before", ["x", "-1", "9" * 400, "²", "1 OR 1=1", "\x00"])
def test_a_sequence_that_is_none_shows_the_newest(viewer, before):
    add(2)
    assert listed(viewer, f"?before={before}") == [2, 1]


def test_who_narrows_to_one_person_or_to_the_portal_itself(north, viewer, editor):
    other = factories.UserFactory(role="editor", first_name="Editor", last_name="Two")
    edited(north, other, name="Lakeside Quay")
    add()
    assert actions(viewer, f"?who={editor.pk}") == ["organization.created"]
    assert actions(viewer, f"?who={other.pk}") == ["organization.edited"]
    assert actions(viewer, "?who=portal") == ["settings.seen"]
    assert "Person: Editor Two" in text(viewer, f"?who={other.pk}")


def test_what_narrows_to_a_group_of_actions(north, viewer, editor):
    edited(north, editor, name="Lakeside Quay")
    add()
    assert actions(viewer, "?what=edits") == ["organization.created", "organization.edited"]
    assert actions(viewer, "?what=connection") == ["settings.seen"]


def test_environment_and_outcome_narrow(practice, editor, client_of):
    for environment in ("staging", "production"):
        made = factories.organization(f"{BASE}.1", user=editor, environment=environment)
        factories.submission(made, user=editor)
    assert delivery.deliver_next("staging", actor=PORTAL)
    practice.behaviour = "says-no-xml"
    assert delivery.deliver_next("production", actor=PORTAL)
    client = client_of("viewer")
    assert set(actions(client, "?environment=production&what=submissions")) == {"submission.made"}
    assert actions(client, "?outcome=accepted") == ["attempt.outcome"]
    assert "Redox accepted" in text(client, "?outcome=accepted")
    assert listed(client, "?outcome=rejected&environment=staging") == []


def test_a_record_is_found_under_every_name_and_oid_it_ever_had(north, viewer, editor):
    record = edited(north, editor, name="Harbor Point")
    record = edited(record, editor, oid=f"{BASE}.77")
    factories.organization(f"{BASE}.2", user=editor, name="Mill Valley")
    everything = ["organization.created", "organization.edited", "organization.edited"]
    for typed in ("Lakeside North", "harbor POINT", f"{BASE}.1", f"{BASE}.77", f"urn:oid:{BASE}.77."):
        assert actions(viewer, f"?record={typed}") == everything, typed


def test_a_whole_oid_does_not_find_what_lies_below_it_and_part_of_one_does(north, viewer, editor):
    factories.organization(f"{BASE}.1.5", user=editor, part_of_oid=north.oid)
    assert len(listed(viewer, f"?record={BASE}.1")) == 1
    assert len(listed(viewer, "?record=99999.1.1.1.1.1")) == 2


def test_the_name_of_who_acted_does_not_count_as_a_record(north, viewer):
    assert listed(viewer, "?record=Editor One") == []
    edited(north, factories.UserFactory(role="editor", first_name="Zoë", last_name="Lakeside"), name="Clínica Peñón")
    assert listed(viewer, "?record=Zoe") == []
    assert listed(viewer, "?record=clinica penon") == listed(viewer, "?record=north") == [2, 1]
    assert listed(viewer, "?record='") == []


def test_a_withdrawn_record_is_still_found(north, viewer, editor):
    organizations.withdraw(north.pk, north.version, actor=acting(editor))
    assert actions(viewer, "?record=Lakeside North") == ["organization.created", "organization.withdrawn"]


CHICAGO_MAY_1 = datetime.datetime(2027, 5, 1, 5, 0, tzinfo=datetime.UTC)  # midnight in Chicago


@pytest.fixture
def first_of_may(add_at) -> None:
    """Four entries round the first of May in Chicago: one second before it, its first, its last, and one after it."""
    day, second = datetime.timedelta(days=1), datetime.timedelta(seconds=1)
    for at in (CHICAGO_MAY_1 - second, CHICAGO_MAY_1, CHICAGO_MAY_1 + day - second, CHICAGO_MAY_1 + day):
        add_at(at)


def test_both_ends_of_the_range_belong_to_it_in_the_zone_that_is_shown(first_of_may, viewer):
    assert listed(viewer, "?from=2027-05-01&to=2027-05-01") == [3, 2]
    assert listed(viewer, "?from=2027-05-01") == [4, 3, 2]
    assert listed(viewer, "?to=2027-04-30") == [1]
    assert "Both ends of the range belong to it." in text(viewer, "?from=2027-05-01&to=2027-05-01")
    assert "From: May 1, 2027" in text(viewer, "?from=2027-05-01")


def test_in_utc_the_days_are_those_of_utc(first_of_may, viewer):
    assert listed(viewer, "?from=2027-05-01&to=2027-05-01&times=utc") == [2, 1]
    assert re.findall(r"\d\d:00:00", text(viewer, single("?times=utc"))) == ["05:00:00", "05:00:00"]
    assert re.findall(r"\d\d:00:00", text(viewer, single())) == ["00:00:00", "00:00:00"]


def test_days_in_which_the_clock_changes_are_whole(add_at, viewer):
    # In Chicago March 14, 2027 has 23 hours.
    start = datetime.datetime(2027, 3, 14, 6, 0, tzinfo=datetime.UTC)
    for hours in (-0.01, 0, 22.99, 23):
        add_at(start + datetime.timedelta(hours=hours))
    assert listed(viewer, "?from=2027-03-14&to=2027-03-14") == [3, 2]


def test_the_story_of_a_submission_begins_with_the_edits_that_it_carried(viewer, north, editor):
    other = factories.organization(f"{BASE}.2", user=editor, name="Lakeside South")
    edited(north, editor, name="Lakeside North Shore")
    sent = factories.submission(north, user=editor)
    factories.submission(other, user=editor)
    edited(north, editor, name="Lakeside North Beach")
    told = ["organization.created", "organization.edited", "submission.made"]
    assert actions(viewer, f"?submission={sent.pk}") == told
    page = viewer.get(f"/audit/?submission={sent.pk}&environment=staging").content.decode()
    assert re.search(rf'<a class="chip" href="\?environment=staging">Submission {sent.pk} ', page)
    assert f'<input type="hidden" name="submission" value="{sent.pk}">' in page
    link = f'<a href="/audit/?submission={sent.pk}">All entries of this submission</a>'
    assert link in viewer.get(f"/staging/submissions/{sent.pk}/").content.decode()
    assert "No entry fits." in text(viewer, "?submission=999999999999999999")


@pytest.mark.parametrize("number", ["x", "9" * 30, "-1", "²", "\x00"])
def test_what_is_not_the_number_of_a_submission_is_said(viewer, number):
    answer = viewer.get("/audit/", {"submission": number})
    assert answer.status_code == 422
    assert "is not the number of a submission." in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "anchor", "fault"),
    [
        ("?from=2027-02-31", "since", "'2027-02-31' is not a date. Give year, month and day, such as 2027-03-31."),
        ("?to=tomorrow", "until", "'tomorrow' is not a date."),
        ("?from=0001-01-01", "since", "'0001-01-01' is not a date."),
        ("?to=9999-12-31", "until", "'9999-12-31' is not a date."),
        ("?from=2027-05-02&to=2027-05-01", "until", "The last day lies before the first."),
        ("?who=999999", "who", "There is no such choice."),
        ("?who=1 OR 1=1", "who", "There is no such choice."),
        ("?what=everything", "what", "There is no such choice."),
        ("?environment=test", "environment", "There is no such choice."),
        ("?outcome=%00", "outcome", "There is no such choice."),
        ("?record=a+b+c+d+e+f+g+h+i+j+k", "record", "Enter at most 10 words."),
    ],
)
def test_what_cannot_be_meant_is_said_and_never_ignored(viewer, query, anchor, fault):
    add()
    answer = viewer.get(f"/audit/{query}")
    page = answer.content.decode().replace("&#x27;", "'")
    assert answer.status_code == 422
    assert fault in page
    assert f'<a href="#{anchor}">' in page
    assert f'id="{anchor}"' in page
    assert "<title>Error: Audit | orgportal</title>" in page
    assert 'aria-label="Entry' not in page


@pytest.mark.usefixtures("long_addresses")
@pytest.mark.parametrize(
    "typed", ["%00", "%E2%80%AE", "a" * 10_000, "<script>alert(1)</script>", "'; DROP TABLE x", "%25_"]
)
def test_hostile_words_find_nothing_and_stay_text(viewer, typed):
    add()
    answer = viewer.get(f"/audit/?record={typed}")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


@given(st.text(max_size=30))
def test_no_text_is_a_date_that_breaks_the_range(typed):
    filters, faults = audit_filters.read(QueryDict(urlencode({"to": typed})))
    assert str(audit_filters.narrowed(filters).query)
    assert (filters.until is None and typed.strip() != "") == bool(faults)


def test_a_chip_takes_its_filter_away_and_leaves_the_others(north, viewer, editor):
    page = viewer.get(f"/audit/?who={editor.pk}&what=edits&times=utc").content.decode()
    assert f'class="chip" href="?who={editor.pk}&amp;times=utc"' in page
    assert 'class="chip" href="?what=edits&amp;times=utc"' in page


def test_where_nothing_fits_the_page_names_the_filter_to_drop(north, viewer, editor):
    edited(north, editor, name="Lakeside Quay")
    page = text(viewer, f"?who={editor.pk}&environment=production")
    assert "No entry fits. Without &#x27;Environment: PRODUCTION&#x27; there are 2. Remove it" in page
    assert "No entry fits." in text(viewer, "?record=nobody&outcome=accepted&environment=production&who=portal")


@pytest.mark.slow
def test_beyond_a_thousand_the_page_does_not_count(viewer):
    add(1001)
    assert "more than 1,000 entries" in text(viewer, "?what=connection")
    assert "1,001 entries" in text(viewer)


def test_without_the_right_to_export_the_button_says_who_may(viewer):
    page = viewer.get("/audit/").content.decode()
    assert page.count('disabled aria-describedby="why-not"') == 2
    assert "You cannot export the history. Auditors can: nobody yet." in page
    assert viewer.get("/audit/export/").status_code == 403


def test_an_entry_shows_all_that_is_stored(north, viewer, editor):
    edited(north, editor, name="Lakeside Quay")
    entry = AuditEntry.objects.get(action=Action.ORGANIZATION_EDITED)
    page = viewer.get(f"/audit/{entry.sequence}/").content.decode()
    assert entry.hash in page
    assert entry.previous_hash in page
    assert "<del>Lakeside North</del>" in page
    assert "<ins>Lakeside Quay</ins>" in page
    assert f'href="/staging/organizations/{BASE}.1/"' in page
    assert f'rel="prev" href="/audit/{entry.sequence - 1}/"' in page
    assert 'rel="next"' not in page
    body = page[page.index('aria-label="Bytes of the entry">') :]
    assert bytes(entry.body).decode() in body.replace("&quot;", '"').replace("&#x27;", "'")
    assert client_get_raw(viewer, entry.sequence).status_code == 404


def client_get_raw(client: Client, sequence: int):
    return client.get(f"/audit/{sequence}/raw/")


def test_the_raw_bytes_are_shown_as_text_and_come_back_as_they_are(viewer):
    raw = b"\x00\xff<script>alert(1)</script>\xe2\x80\xae"
    with audit.recorded(PORTAL) as history:
        history.add(Action.ATTEMPT_LATE, raw=raw, submission=1, environment="staging", attempt=1)
    page = viewer.get("/audit/1/").content.decode()
    assert "<script>alert" not in page
    assert "\\u202E" in page
    assert '<figure class="foreign"><figcaption class="px-3">The response as received, byte for byte<' in page
    answer = client_get_raw(viewer, 1)
    assert answer.content == raw
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="entry-1.bin"'
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_an_entry_that_does_not_exist_is_not_found(viewer):
    for number in ("0", "1", "9" * 30):
        answer = viewer.get(f"/audit/{number}/")
        assert answer.status_code == 404
        assert f"The history has no entry {number}." in answer.content.decode()
