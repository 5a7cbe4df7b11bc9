"""The home page: what its reader can act on first, and quiet when that is nothing."""

import datetime
import re
from pathlib import Path

from django.test import Client

from organizations.models import Environment, Organization, State, Submission, User, Worker, clock
from organizations.practice import PracticeDirectory
from organizations.redox.environment import GATEWAY_OID
from organizations.services import delivery, organizations, plans, submissions
from organizations.services.actors import system
from tests import bulk, factories
from tests.factories import BASE, acting


def text(client: Client) -> str:
    """The page as somebody reads it: without markup and with single blanks."""
    page = client.get("/").content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split())


def sent(user: User, number: int, name: str, environment: str = "staging") -> Submission:
    made = factories.organization(f"{BASE}.{number}", user=user, name=name, environment=environment)
    return factories.submission(made, user=user)


def deliver(practice: PracticeDirectory, behaviour: str, environment: str = "staging") -> None:
    practice.behaviour = behaviour
    assert delivery.deliver_next(environment, actor=system("Worker test"))


def put(submission: Submission, **values: object) -> None:
    """Into a state that takes long to come about."""
    Submission.objects.filter(pk=submission.pk).update(**values)


def minutes_ago(minutes: float) -> datetime.datetime:
    return clock.now() - datetime.timedelta(minutes=minutes)


def test_before_anything_was_sent_it_shows_the_first_steps(client_of):
    page = text(client_of("viewer"))
    assert "For you 0 You can read everything here. You cannot edit, send or decide, so nothing waits for you." in page
    assert "Nothing needs you. Nothing has been sent yet. Your first record in 7 steps" in page
    assert "Five things to try" not in page


def test_quiet_it_says_what_was_accepted_last_and_what_was_never_compared(practice, editor, client_of):
    sent(editor, 1, "Lakeside North")
    deliver(practice, "answers")
    page = text(client_of(user=editor))
    assert "You cannot" not in page
    assert re.search(r"For you 0 Nothing needs you\. Last accepted: Lakeside North , STAGING , \d\d:\d\d \.", page)
    assert "The directory has never been read for 1 registered record." in page
    assert "in sync" not in page
    assert "Records 1 active" in page


def test_what_needs_somebody_stands_in_the_order_of_its_weight(practice, editor, client_of):
    changed = sent(editor, 6, "Lakeside Pier")
    deliver(practice, "answers")
    for number, behaviour, name in ((1, "says-no-xml", "Lakeside East"), (2, "applies-then-504", "Harbor Point")):
        sent(editor, number, name)
        deliver(practice, behaviour)
    put(sent(editor, 3, "Mill Valley"), state=State.NEEDS_PERSON, state_reason="It was there before.")
    put(sent(editor, 4, "Quarry Road"), state=State.AWAITING)
    record = Organization.objects.get(pk=changed.organization_id)
    organizations.edit(
        record.pk,
        record.version,
        factories.record(record.oid, name="Lakeside Quay"),
        stands_for="",
        actor=acting(editor),
    )
    page = text(client_of("approver"))
    for_you, waiting = "For you 2 You can act on these now.", "Waiting for others 3"
    unknown = "Unknown Harbor Point, New STAGING The portal finds out. The message left at"
    person = "Needs a decision Mill Valley, New STAGING It was there before. Only you can decide."
    rejected = "Rejected Lakeside East, New STAGING Rejected by Redox: &quot;Parsing XML request error!&quot;"
    awaiting = "Awaiting approval 1 submission STAGING An approver acts next. Nothing has been sent."
    changes = "Changes not sent 1 record saved by others STAGING Editor One saved this."
    places = [page.index(line) for line in (for_you, person, rejected, waiting, awaiting, unknown, changes)]
    assert places == sorted(places)


def test_each_line_opens_what_it_counts(practice, editor, client_of):
    rejected = sent(editor, 1, "Lakeside East")
    deliver(practice, "says-no-xml")
    factories.organization(f"{BASE}.2", user=editor)
    client = client_of(user=editor)
    urls = re.findall(r'<a class="what" href="([^"]+)"', client.get("/").content.decode())
    assert urls == [
        f"/staging/submissions/{rejected.pk}/",
        f"/staging/organizations/?open_work=changes_not_sent&amp;saved_by={editor.pk}&amp;view=list",
    ]
    for url in urls:
        assert client.get(url.replace("&amp;", "&")).status_code == 200


def test_many_of_one_kind_are_one_line_with_the_oldest_age(editor, client_of):
    for number in range(1, 8):
        put(sent(editor, number, f"Lakeside {number}"), state=State.UNKNOWN, state_at=minutes_ago(10 * number))
    page = text(client_of(user=editor))
    assert "Waiting for others 1" in page
    assert "Unknown 7 records STAGING The portal finds out. oldest 1 hour" in page


def test_of_one_kind_the_oldest_comes_first(editor, client_of):
    for number, age in ((1, 5), (2, 50), (3, 20)):
        put(sent(editor, number, f"Lakeside {number}"), state=State.UNKNOWN, state_at=minutes_ago(age))
    page = text(client_of(user=editor))
    assert re.findall(r"Lakeside (\d), New", page[: page.index("Sent by you")]) == ["2", "3", "1"]


def counterparts(user: User, number: int) -> tuple[Submission, Submission]:
    """A submission of a record in STAGING and one of its counterpart in PRODUCTION."""
    staging, production = (sent(user, number, f"Lakeside {number}", environment) for environment in Environment)
    Organization.objects.filter(pk=production.organization_id).update(staging_record=staging.organization_id)
    return staging, production


def test_counterparts_are_one_line_with_a_link_on_each_mark(editor, client_of):
    submissions_of_both = counterparts(editor, 1)
    for each in submissions_of_both:
        put(each, state=State.NEEDS_PERSON, state_reason="It was there before.")
    client = client_of("approver")
    [line] = re.findall(r"<li>.*?Needs a decision.*?</li>", client.get("/").content.decode(), re.DOTALL)
    assert re.findall(r'<a class="env env-(\w+)" href="([^"]+)" aria-label="([^"]+)"', line) == [
        (
            each.environment,
            f"/{each.environment}/submissions/{each.pk}/",
            f"Lakeside 1, New in {each.environment.upper()}",
        )
        for each in submissions_of_both
    ]
    assert line.count("Lakeside 1, New</b>") == 1
    assert "For you 1 " in text(client)


def test_what_is_being_sent_says_since_when(editor, client_of):
    put(sent(editor, 1, "Lakeside West"), state=State.SENDING, state_at=minutes_ago(0.3))
    assert re.search(r"Sending Lakeside West \d+ , New STAGING for 1\d seconds", text(client_of(user=editor)))
    assert "Under way 1 sending Records 1 not registered" in text(client_of("viewer"))


def test_sent_by_you_are_the_last_five_of_seven_days_and_of_nobody_else(editor, client_of):
    for number in range(1, 8):
        sent(editor, number, f"Lakeside {number}")
    put(Submission.objects.order_by("-id")[0], created_at=minutes_ago(8 * 24 * 60))
    mine = text(client_of(user=editor))
    yours = mine[mine.index("Sent by you, last 7 days") :]
    assert re.findall(r"Queued Lakeside (\d)", yours) == ["6", "5", "4", "3", "2"]
    assert "Sent by you" not in text(client_of("editor"))


def test_both_environments_say_how_they_are(db, client_of):
    page = text(client_of("viewer"))
    for environment in Environment:
        sentence = f"No credential is set for {environment.label}. You can prepare records; nothing can be sent."
        assert sentence in page
    assert page.count("See what is missing") == 2
    assert page.count("Checked never Last accepted nothing yet Records none Workers 0") == 2


def test_a_connected_environment_shows_its_check_and_the_worker(practice, client_of):
    now = clock.now()
    Worker.objects.create(name="one", release="1", settings_fingerprint="f", started_at=now, seen_at=now)
    page = text(client_of("viewer"))
    assert "Nobody has checked it since the portal started" in page
    assert re.search(r"Worker 1, seen \d\d:\d\d", page)


def test_the_demonstration_offers_five_things_to_try(client_of, settings, tmp_path: Path):
    settings.DEMO, settings.DEMO_BEHAVIOUR_FILE = True, str(tmp_path / "behaviour")
    client = client_of("editor")
    page = client.get("/").content.decode()
    tour = page[page.index('id="five"') : page.index("</section>", page.index('id="five"'))]
    assert tour.count("<li>") == 5
    assert "Waiting times are shortened" in tour
    assert page.index('id="five"') > page.index('id="quiet"')  # the work comes first
    for url in re.findall(r'href="([^"]+)"', tour):
        assert client.get(url.replace("&amp;", "&")).status_code == 200


def test_the_tour_leads_to_a_location_that_can_be_closed(practice, editor, client_of, settings, tmp_path: Path):
    settings.DEMO, settings.DEMO_BEHAVIOUR_FILE = True, str(tmp_path / "behaviour")
    parent, leaf, never_sent = (
        factories.organization(oid, user=editor, part_of_oid=part_of, name=name)
        for oid, part_of, name in (
            (f"{BASE}.1", GATEWAY_OID, "Lakeside North"),
            (f"{BASE}.1.2", f"{BASE}.1", "Lakeside Pier"),
            (f"{BASE}.1.1", f"{BASE}.1", "Lakeside Dock"),
        )
    )
    Organization.objects.update(stands_for="location")
    for made in (parent, leaf):
        factories.submission(made, user=editor)
        deliver(practice, "answers")
    client = client_of(user=editor)
    page = client.get("/").content.decode().partition('id="five"')[2]
    [url] = re.findall(r'Open <a href="(/staging/organizations/[^"]+)">Lakeside Pier</a>', page)
    assert client.get(f"{url}deactivate/").status_code == 200
    assert never_sent.name not in page


def test_text_of_redox_stays_text(editor, client_of):
    hostile = "<script>alert(1)</script>\u202e"
    made = sent(editor, 1, "Lakeside 1")
    wanted = Organization.objects.get(pk=made.organization_id).wanted_hash
    put(made, state=State.REJECTED, detail=hostile + "x" * 10_000, wanted_hash=wanted)
    page = client_of(user=editor).get("/").content.decode()
    assert "<script>alert" not in page
    assert "\\u202E" in page
    assert "x" * 200 not in page


def test_what_needs_a_person_costs_no_query_a_line(client_of, editor, django_assert_max_num_queries):
    bulk.records(10)
    for number in range(1, 5):
        put(sent(editor, 900 + number, f"Lakeside {number}"), state=State.UNKNOWN)
    client = client_of(user=editor)
    with django_assert_max_num_queries(22):
        assert client.get("/").status_code == 200


def test_without_a_role_the_page_says_whom_to_ask(client_of):
    answer = client_of("").get("/")
    assert answer.status_code == 403
    assert "You cannot read records and history." in answer.content.decode()


def test_after_a_cancel_the_record_still_waits_to_be_sent(editor, client_of):
    submissions.cancel(sent(editor, 1, "Lakeside 1").pk, actor=acting(editor))
    assert "Changes not sent 1 record" in text(client_of(user=editor))


def test_a_paused_plan_needs_somebody_until_its_end(client_of, editor: User) -> None:
    made = [factories.organization(f"{BASE}.{number}", user=editor) for number in (1, 2)]
    plan = factories.plan(made, user=editor)
    client = client_of(user=editor)
    assert "Paused" not in text(client)
    plans.pause(plan.pk, actor=acting(editor))
    assert f"Paused Plan {plan.pk}, 2 records STAGING Editor One paused it." in text(client)
    assert f'href="/staging/plans/{plan.pk}/"' in client.get("/").content.decode()
    Submission.objects.update(state=State.ACCEPTED, evidence="answer")
    assert f"Plan {plan.pk}" not in text(client)
