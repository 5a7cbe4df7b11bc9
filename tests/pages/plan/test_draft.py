"""The draft of a plan: it offers what can be done now, and says why the other records stay and until when."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from django.utils.html import strip_tags

from organizations.models import Environment, Organization, PlanKind, State, Submission, User, clock
from organizations.pages.plan import draft as shown
from organizations.pages.plan import overwritten
from organizations.pages.review import values
from organizations.services.delivery import heartbeat
from organizations.services.records import directory_state
from organizations.services.review import plan_draft
from organizations.services.review.blockers import BlockerKind
from organizations.services.review.plan_draft import ChosenRecords
from tests import factories
from tests.breakers import stop_environment
from tests.factories import BASE, as_actor
from tests.views.history import save_edit

pytestmark = pytest.mark.django_db


@pytest.fixture
def region(editor):
    """An accepted region with three accepted clinics."""
    top = factories.accept(factories.organization(user=editor, name="West Region"))
    below = [
        factories.accept(factories.organization(f"{BASE}.{place}", user=editor, part_of_oid=BASE, name=name))
        for place, name in enumerate(("Sparta", "Tomah", "Hudson"), start=1)
    ]
    return [top, *below]


@pytest.fixture
def running_worker(unreachable_redox):
    """The portal is connected, and a worker runs."""
    heartbeat.record_heartbeat("Worker", clock.now())


def create_submission(organization: Organization, user: User, **values: object) -> Submission:
    """An open submission of a changed record."""
    submission = factories.submission(save_edit(organization, user, aliases=("Alias",)), user=user)
    factories.change_submission(submission, **values)
    return submission


def page_of(root: Organization, user: User, kind: PlanKind = PlanKind.DEACTIVATE) -> shown.DraftContent:
    root = Organization.objects.get(pk=root.pk)
    return shown.draft_content(
        plan_draft.draft_plan(plan_draft.choose_branch(root, kind), actor=as_actor(user)), root=root
    )


def reasons_by_name(page: shown.DraftContent) -> dict[str, str]:
    return {each.organization.name: each.why for each in page.kept}


class TestDeactivating:
    def test_all_records_that_can_be_deactivated_are_offered_and_counted(self, region, editor):
        page = page_of(region[0], editor)
        assert page.summary == "STAGING, 4 records can be deactivated now"
        assert page.send_label == "Deactivate 4 records in STAGING"
        assert (page.because, page.kept) == ("", ())

    def test_only_what_can_be_deactivated_is_offered(self, region, editor):
        for organization in region[1:3]:
            create_submission(organization, editor, state=State.UNKNOWN, attempt=1)
        page = page_of(region[0], editor)
        assert page.summary.startswith("STAGING, 1 of 4 records ")
        assert page.send_label == "Deactivate 1 record in STAGING"
        assert page.because == "West Region stays active, because Sparta and Tomah below it stay active."
        assert reasons_by_name(page)["West Region"] == "Sparta and Tomah below it stay active."
        assert [(each.organization.name, each.word.key) for each in page.kept] == [
            ("Tomah", "unknown"),
            ("Sparta", "unknown"),
            ("West Region", "active"),
        ]

    @pytest.mark.usefixtures("running_worker")
    def test_the_time_of_the_next_query_comes_from_the_submission(self, region, editor):
        later = clock.now() + datetime.timedelta(minutes=8)
        submission = create_submission(region[1], editor, state=State.UNKNOWN, attempt=1, not_before=later)
        reason = reasons_by_name(page_of(region[0], editor))["Sparta"]
        assert f">Submission {submission.pk}</a> must end first. The portal asks at <time" in reason
        assert later.strftime("%Y-%m-%dT%H:%M:%SZ") in reason

    @pytest.mark.usefixtures("running_worker")
    def test_while_the_environment_is_stopped_no_time_is_promised(self, region, editor):
        later = clock.now() + datetime.timedelta(minutes=8)
        create_submission(region[1], editor, state=State.UNKNOWN, attempt=1, not_before=later)
        stop_environment("staging", "No credential", actor=as_actor(editor))
        asks = reasons_by_name(page_of(region[0], editor))["Sparta"].partition("The portal asks")[2]
        assert ("<time" in asks, "is stopped" in asks) == (False, True)

    def test_a_change_of_a_record_that_stays_makes_another_plan(self, region, editor):
        """The button also confirms which records stay active, so another such record makes another plan."""
        submission = create_submission(region[1], editor, state=State.UNKNOWN, attempt=1)
        before = page_of(region[0], editor).draft
        factories.change_submission(submission, state=State.REJECTED, ended_at=clock.now())
        create_submission(region[1], editor, state=State.UNKNOWN, attempt=1)
        after = page_of(region[0], editor).draft
        assert [review.sha256 for review in after.reviews] == [review.sha256 for review in before.reviews]
        assert after.sha256 != before.sha256

    def test_a_submission_that_can_be_cancelled_is_linked(self, region, editor):
        submission = create_submission(region[1], editor)
        reason = reasons_by_name(page_of(region[0], editor))["Sparta"]
        assert f'<a href="/staging/submissions/{submission.pk}/">Cancel it</a> or wait.' in reason
        Submission.objects.filter(pk=submission.pk).update(attempt=1, may_have_been_sent=True)
        assert "Cancel it" not in reasons_by_name(page_of(region[0], editor))["Sparta"]

    @pytest.mark.parametrize(
        ("state", "says"), [(State.NEEDS_PERSON, "It needs a decision."), (State.SENDING, "It is being sent now.")]
    )
    def test_the_reason_follows_from_the_state(self, region, editor, state, says):
        create_submission(region[1], editor, state=state, attempt=1)
        assert says in reasons_by_name(page_of(region[0], editor))["Sparta"]

    def test_the_root_itself_can_stay_active(self, region, editor):
        submission = create_submission(region[0], editor)
        page = page_of(region[0], editor)
        assert page.summary.startswith("STAGING, 3 of 4 records ")
        assert page.because.startswith(f"West Region stays active. Submission {submission.pk} ")

    def test_an_inactive_record_is_not_said_to_stay_active(self, editor):
        inactive = factories.accept(factories.organization(user=editor), active=False)
        draft = plan_draft.draft_plan(
            ChosenRecords(Environment(inactive.environment), PlanKind.DEACTIVATE, (inactive.pk,)),
            actor=as_actor(editor),
        )
        page = shown.draft_content(draft)
        assert (page.all, page.kept, [each.kinds for each in page.not_active]) == (
            1,
            (),
            [frozenset({BlockerKind.NOTHING_TO_CHANGE})],
        )

    def test_without_anything_to_deactivate_nobody_is_asked_to_wait(self, editor):
        new = factories.organization(user=editor)
        submission = create_submission(new, editor)
        chosen = ChosenRecords(Environment(new.environment), PlanKind.DEACTIVATE, (new.pk,))
        (left,) = shown.draft_content(plan_draft.draft_plan(chosen, actor=as_actor(editor))).not_active
        reason = strip_tags(left.why)
        assert reason.startswith(f"Submission {submission.pk} is open.")

    def test_leaving_out_another_record_makes_another_plan(self, region, editor):
        before = page_of(region[0], editor)
        create_submission(region[1], editor, state=State.UNKNOWN, attempt=1)
        after = page_of(region[0], editor)
        assert before.draft.sha256 != after.draft.sha256
        news = shown.changes_since(after, before.planned, before.left)
        assert news == "Stays active now: Sparta and West Region."
        assert shown.changes_since(before, after.planned, after.left) == "New in it: Sparta and West Region."

    def test_counterparts_and_saved_changes_stay_unchanged(self, region, editor):
        other = factories.accept(factories.organization("2.999.1", user=editor, environment="production"))
        Organization.objects.filter(pk=other.pk).update(staging_record=region[1])
        Organization.objects.filter(pk=region[2].pk).update(city="Middleton")
        page = page_of(region[0], editor)
        assert page.counterparts_sentence == "1 of these records is active there too. Nothing is sent to PRODUCTION."
        assert page.stays_saved == ("1 saved change of Tomah (City) is not sent. It stays saved.",)


class TestOverwriting:
    def read(self, organization: Organization, name: str, **values: Any) -> None:
        row = Organization.objects.get(pk=organization.pk)
        directory_state.store_reading(row, replace(row.record(), name=name, **values), clock.now())

    def test_each_overwritten_value_has_a_checkbox_below_its_record(self, region, editor):
        for organization in region[1:3]:
            Organization.objects.filter(pk=organization.pk).update(name="Same Name")
            factories.accept(organization)
            self.read(organization, "Other Name", active=False)
        page = page_of(region[0], editor)
        assert [group.organization for group in page.overwrites] == [region[2], region[1]]
        values = [value for group in page.overwrites for value in group.values]
        assert [(value.label, value.directory, value.sent) for value in values] == [
            ("Name", "Other Name", "Same Name")
        ] * 2
        assert len({value.key for value in values}) == page.to_tick == 2
        assert page.asked == ()

    def test_a_missing_tick_is_named_with_its_record(self, region, editor):
        self.read(region[1], "Other Name")
        draft = page_of(region[0], editor).draft
        (question,) = draft.questions
        page = shown.draft_content(draft, missing=[question.key])
        ((anchor, problem),) = page.box_errors
        assert (anchor, problem.startswith("Sparta, Name: ")) == (f"id_tick-{question.key}", True)

    def test_the_values_of_the_directory_can_be_taken_instead(self, region, editor):
        self.read(region[1], "Other Name")
        (group,) = page_of(region[0], editor).overwrites
        assert (group.step, group.url) == (
            "Take the directory’s value",
            f"/staging/organizations/{BASE}.1/differences/",
        )

    def test_a_value_that_cannot_be_taken_leads_to_the_edit(self, editor):
        organization = factories.organization(user=editor)
        long_name = "N" * 1000
        directory_state.mark_present(organization, replace(organization.record(), name=long_name), clock.now())
        self.read(organization, long_name)
        (group,) = page_of(organization, editor, PlanKind.SEND).overwrites
        assert (group.step, group.url) == ("Edit", f"/staging/organizations/{BASE}/edit/")

    def test_many_records_with_overwritten_parents_take_one_query(self, region, editor, django_assert_num_queries):
        for organization in region[1:]:
            self.read(organization, organization.name, part_of_oid="2.999.7")
        draft = page_of(region[0], editor).draft
        with django_assert_num_queries(1):
            overwritten_values = overwritten.overwritten_records(draft, (), ())
        assert [value.sent for group in overwritten_values for value in group.values] == [f"West Region ({BASE})"] * 3

    def test_a_record_without_saved_changes_is_not_said_to_be_equal(self, region, editor):
        self.read(region[1], "Other Name")
        page = page_of(region[0], editor, PlanKind.SEND)
        reasons = {each.why: [record.name for record in each.records] for each in page.unchanged}
        assert reasons[plan_draft.DIRECTORY_DIFFERS] == ["Sparta"]
        assert "Sparta" not in reasons[plan_draft.NOTHING_DIFFERS]


class TestValues:
    def plan(self, organizations: list[Organization], user: User) -> shown.DraftContent:
        ids = tuple(each.pk for each in organizations)
        return shown.draft_content(
            plan_draft.draft_plan(ChosenRecords(Environment.STAGING, PlanKind.SEND, ids), actor=as_actor(user))
        )

    def test_each_change_has_the_value_before_and_after_and_who_saved_it(self, region, editor):
        save_edit(region[1], editor, name="Sparta East")
        (row,) = self.plan(region, editor).rows
        ((change,), overwritten) = row.moves
        assert (change.label, change.accepted, change.sent) == ("Name", "Sparta", "Sparta East")
        assert change.by.startswith("Editor One, ")
        assert (row.before.partition(" ")[0], overwritten) == ("Accepted", ())

    def test_an_overwritten_value_of_the_directory_is_shown(self, region, editor):
        save_edit(region[1], editor, aliases=("East",))
        row = Organization.objects.get(pk=region[1].pk)
        directory_state.store_reading(row, replace(region[1].record(), name="By hand"), clock.now())
        (moved,) = self.plan(region, editor).rows
        (move,) = moved.moves.overwritten
        assert (move.label, move.directory.text, move.sent) == ("Name", "By hand", "Sparta")

    def test_a_first_registration_shows_all_its_values_without_previous_ones(self, editor):
        (row,) = self.plan([factories.organization(user=editor, name="Sparta")], editor).rows
        values, overwritten = row.moves
        assert ("Name", "", "Sparta") in {(each.label, each.accepted, each.sent) for each in values}
        assert (row.what, overwritten, row.before) == ("first registration", (), "")

    def test_the_names_of_all_parents_take_one_query(self, region, editor, django_assert_num_queries):
        for organization in region[1:3]:
            save_edit(organization, editor, part_of_oid=region[3].oid)
        chosen = ChosenRecords(Environment.STAGING, PlanKind.SEND, tuple(each.pk for each in region))
        reviews = plan_draft.draft_plan(chosen, actor=as_actor(editor)).reviews
        with django_assert_num_queries(1):
            moves = values.moves_of_messages("staging", reviews)
        assert [change.sent for each in moves for change in each.changed] == [f"Hudson ({BASE}.3)"] * 2


def test_a_warning_about_several_messages_says_each_of_them(region, editor, approver):
    for organization in region[1:]:
        save_edit(organization, editor, aliases=("North",))
    ids = tuple(organization.pk for organization in region[1:])
    page = shown.draft_content(
        plan_draft.draft_plan(ChosenRecords(Environment.STAGING, PlanKind.SEND, ids), actor=as_actor(approver))
    )
    texts = [asked.question.text for asked in page.asked if asked.question.key.startswith("others")]
    assert [text.partition(" made by others")[0] for text in texts] == ["Each of these messages also sends 1 change"]


def test_a_plan_says_which_records_it_leaves_out(editor):
    top = factories.organization(user=editor, name="Top")
    factories.organization(f"{BASE}.1", user=editor, part_of_oid=BASE, name="Below")
    other = factories.organization(f"{BASE}.2", user=editor, name="Other")
    Organization.objects.filter(pk=top.pk).update(destination_known=False)
    ids = tuple(Organization.objects.values_list("pk", flat=True))
    page = shown.draft_content(
        plan_draft.draft_plan(ChosenRecords(Environment(other.environment), PlanKind.SEND, ids), actor=as_actor(editor))
    )
    assert page.summary == "STAGING, 1 of 3 records can be sent now: 1 New"
    assert page.send_label == "Send 1 record to STAGING"
    assert ">Enter the destination ID</a>" in reasons_by_name(page)["Top"]
    assert "Send Top first." in reasons_by_name(page)["Below"]


class TestSentAlone:
    """The first message to a record that was registered outside the portal is sent alone."""

    def test_the_draft_names_the_first_message_and_those_that_wait(self, editor: User) -> None:
        records = [factories.stated_organization(f"{BASE}.{number}", user=editor) for number in (1, 2, 3)]
        sentence = content_of(records, editor).sent_alone
        assert sentence.startswith("Lakeside 1 is sent first: Redox has accepted no message yet to a record")
        assert "Waiting until it is accepted: Lakeside 2 and Lakeside 3." in sentence

    def test_a_plan_of_one_first_message_does_not_mention_waiting(self, editor: User) -> None:
        new = factories.organization(f"{BASE}.2", user=editor)
        records = [factories.stated_organization(f"{BASE}.1", user=editor), new]
        assert content_of(records, editor).sent_alone == ""

    def test_the_draft_names_a_first_message_that_is_already_being_sent(self, editor: User) -> None:
        first = factories.submission(factories.stated_organization(f"{BASE}.1", user=editor), user=editor)
        records = [factories.stated_organization(f"{BASE}.{number}", user=editor) for number in (2, 3)]
        sentence = content_of(records, editor).sent_alone
        assert sentence.startswith(f"Submission {first.pk} of Lakeside 1 must be accepted first")
        assert sentence.endswith("Waiting until then: Lakeside 2 and Lakeside 3.")


def content_of(records: list[Organization], user: User, kind: PlanKind = PlanKind.SEND) -> shown.DraftContent:
    chosen = ChosenRecords(Environment.STAGING, kind, tuple(each.pk for each in records))
    return shown.draft_content(plan_draft.draft_plan(chosen, actor=as_actor(user)))
