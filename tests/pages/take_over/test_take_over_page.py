"""The page of a take-over: the groups of its organizations, the values of each, and the worker's progress."""

from dataclasses import replace
from typing import Any

import pytest

from organizations.models import Candidate, CandidateState, TakeOver, TakeOverKind, TakeOverState, User
from organizations.models.take_over import PROBE
from organizations.oid import Oid
from organizations.pages.take_over import page as take_over_page
from organizations.pages.take_over.page import Entered, TakeOverPage
from organizations.pages.take_over.rows import CandidateRow, values_of
from organizations.records import ContactRecord, OrganizationRecord, canonical
from organizations.redox.environment import GATEWAY_OID
from organizations.redox.paging import Position
from organizations.services.directory import take_over
from organizations.services.directory.take_over import NewCandidate
from tests import factories
from tests.factories import BASE, DESTINATION, as_actor
from tests.page_text import html_of_page, text_of_page

pytestmark = pytest.mark.django_db

OTHER = "2.16.840.1.113883.3.6147.458.77777.1.1.1.1"


def shown(oid: str, **values: Any) -> OrganizationRecord:
    return factories.record(oid, **{"name": f"Lakeside {oid[-1]}"} | values)


def page_of(run: TakeOver, user: User, **entered: Any) -> TakeOverPage:
    run.refresh_from_db()
    return take_over_page.build(run, user, number=None, entered=Entered(**entered))


def rows_of(run: TakeOver, user: User) -> dict[str, CandidateRow]:
    return {row.candidate.oid: row for _, row in page_of(run, user).rows}


def test_groups_that_a_person_can_act_on_come_first(editor: User) -> None:
    factories.organization(f"{BASE}.4", user=editor)
    seen = {f"{BASE}.3": None, OTHER: shown(OTHER), f"{BASE}.4": None, f"{BASE}.1": shown(f"{BASE}.1")}
    run = factories.take_over(user=editor, seen=seen)
    page = page_of(run, editor)
    headings = [(group.heading, row.candidate.oid) for group, row in page.rows if group]
    assert headings == [
        ("Can be taken over", f"{BASE}.1"),
        ("Not ours", OTHER),
        ("Not in the directory", f"{BASE}.3"),
        ("In the portal already", f"{BASE}.4"),
    ]
    assert page.choosable == 1


def test_an_oid_that_became_a_record_meanwhile_is_in_the_portal(editor: User) -> None:
    run = factories.take_over(user=editor, seen={f"{BASE}.1": shown(f"{BASE}.1")})
    factories.organization(f"{BASE}.1", user=editor)
    page = page_of(run, editor)
    assert page.choosable == 0
    (row,) = rows_of(run, editor).values()
    assert (row.group, row.record_url, row.form) == ("here", f"/staging/organizations/{BASE}.1/", None)


def test_a_destination_id_of_the_list_that_a_record_does_not_have_is_said_not_to_be_saved(editor: User) -> None:
    another = DESTINATION.replace("d", "e")
    has = {"1": (DESTINATION, True), "2": (another, True), "3": ("", True), "4": ("", False)}
    for end, (destination_id, is_known) in has.items():
        factories.organization(f"{BASE}.{end}", user=editor, destination_id=destination_id, destination_known=is_known)
    given = [NewCandidate(f"{BASE}.{end}", f"line {end}", DESTINATION, "dashboard") for end in has]
    given.append(NewCandidate(factories.organization(f"{BASE}.5", user=editor).oid))
    run = take_over.begin("staging", given, kind=TakeOverKind.OIDS, base_oids=[BASE], actor=as_actor(editor))
    rows = rows_of(run, editor).values()
    assert [row.remark.removeprefix("The destination ID of this list was not saved. ") for row in rows] == [
        "",
        "The record has another one.",
        "The record has none.",
        "That of the record is not known.",
        "",
    ]
    edit_urls = [f"/staging/organizations/{BASE}.{end}/edit/#id_destination_id" for end in (2, 3, 4)]
    assert [row.edit_url for row in rows] == ["", *edit_urls, ""]
    assert 'edit/#id_destination_id">Edit the record</a>' in html_of_page(page_of(run, editor), "staging")


def test_only_organizations_of_ours_wait_for_a_destination_id(editor: User) -> None:
    run = factories.take_over(user=editor, seen={f"{BASE}.1": shown(f"{BASE}.1"), OTHER: shown(OTHER)})
    assert page_of(run, editor).without_destination_count == 1


@pytest.mark.parametrize(
    ("number", "sentence", "heading"),
    [
        (1, "The destination ID of 1 organization is not known.", "Destination ID for 1 organization"),
        (3, "The destination IDs of 3 organizations are not known.", "One destination ID for all 3"),
    ],
)
def test_the_words_about_destination_ids_fit_their_number(
    editor: User, number: int, sentence: str, heading: str
) -> None:
    seen = {f"{BASE}.{each}": shown(f"{BASE}.{each}") for each in range(1, number + 1)}
    text = text_of_page(page_of(factories.take_over(user=editor, seen=seen), editor), "staging")
    assert sentence in text
    assert f" {heading} Destination ID" in text


def test_each_organization_that_can_become_a_record_is_ticked_at_first(editor: User) -> None:
    run = factories.take_over(user=editor, seen={f"{BASE}.1": shown(f"{BASE}.1"), OTHER: shown(OTHER)})
    rows = rows_of(run, editor)
    assert [rows[f"{BASE}.1"].is_chosen, rows[OTHER].is_chosen] == [True, False]
    page = page_of(run, editor, chosen=frozenset())
    assert not any(row.is_chosen for _, row in page.rows)


def test_a_row_names_the_parent_of_its_organization(editor: User) -> None:
    factories.organization(BASE, user=editor, name="Lakeside Clinics")
    seen = {
        f"{BASE}.1": shown(f"{BASE}.1", part_of_oid=BASE),
        f"{BASE}.2": shown(f"{BASE}.2", part_of_oid=f"{BASE}.1"),
        f"{BASE}.3": shown(f"{BASE}.3"),
        f"{BASE}.4": shown(f"{BASE}.4", part_of_oid="2.999.7"),
    }
    rows = rows_of(factories.take_over(user=editor, seen=seen), editor)
    assert [rows[oid].parent for oid in seen] == ["Lakeside Clinics", "Lakeside 1", "the Redox gateway", "2.999.7"]


def test_only_a_parent_that_is_a_record_is_called_a_record(editor: User) -> None:
    factories.organization(BASE, user=editor, name="Lakeside Clinics")
    parents = {f"{BASE}.1": BASE, f"{BASE}.2": f"{BASE}.1", f"{BASE}.3": GATEWAY_OID, f"{BASE}.4": "2.999.7"}
    seen = {oid: shown(oid, part_of_oid=parent) for oid, parent in parents.items()}
    run = factories.take_over(user=editor, seen=seen)
    rows = [value for oid in parents for value in values_of(run, oid) if value.label == "PartOf"]
    assert [(row.value, row.remark) for row in rows] == [
        (f"Lakeside Clinics ({BASE})", "is a record here"),
        (f"Lakeside 1 ({BASE}.1)", "in this take-over"),
        (f"the Redox gateway ({GATEWAY_OID})", ""),
        ("2.999.7", ""),
    ]
    factories.organization(f"{BASE}.1", user=editor)
    assert "is a record here" in {value.remark for value in values_of(run, f"{BASE}.2")}


def test_a_value_that_the_form_would_refuse_is_kept_unchanged(editor: User) -> None:
    contact = ContactRecord(purpose="Technical", name="Desk", work_phone="608-271-9000 ext. 11")
    run = factories.take_over(user=editor, seen={f"{BASE}.1": shown(f"{BASE}.1", contacts=(contact,))})
    kept = {value.label: value.remark for value in values_of(run, f"{BASE}.1") if value.is_kept}
    assert list(kept) == ["Contact 1, Work phone"]
    assert "kept and sent back unchanged" in kept["Contact 1, Work phone"]


def test_only_the_opened_row_has_its_values(editor: User) -> None:
    seen = {f"{BASE}.{number}": shown(f"{BASE}.{number}") for number in (1, 2)}
    page = page_of(factories.take_over(user=editor, seen=seen), editor, opened=f"{BASE}.2")
    assert [bool(row.values) for _, row in page.rows] == [False, True]


def test_carried_keys_say_whether_they_are_sent_back(editor: User) -> None:
    carried = (("ManagingOrg", '"Redox"'), ("Type", '{"Value":"Connection"}'))
    run = factories.take_over(user=editor, seen={f"{BASE}.1": shown(f"{BASE}.1", carried=carried)})
    remarks = {value.label: value.remark for value in values_of(run, f"{BASE}.1")}
    assert (remarks["ManagingOrg"], remarks["Type"]) == ("shown, never sent", "kept and sent back")


def test_values_of_an_old_message_that_differ_are_shown_and_its_endpoints_are_taken(editor: User) -> None:
    record = shown(f"{BASE}.1")
    message = replace(record, name="Old name", carried=(("Endpoints", '[{"Name":"XCPD"}]'),))
    run = factories.take_over(user=editor, seen={f"{BASE}.1": record})
    candidate = run.candidates.get()
    candidate.message = canonical(message)
    candidate.save()
    values = {value.label: (value.value, value.remark) for value in values_of(run, f"{BASE}.1")}
    assert values["Name in the old message"] == ("Old name", "not taken over: the directory is newer")
    assert values["Endpoints"][0] == '[{"Name":"XCPD"}]'


def test_a_destination_id_that_a_refused_oid_had_is_said_not_to_be_saved(editor: User) -> None:
    run = factories.take_over(user=editor, seen={f"{BASE}.1": factories.record(f"{BASE}.1")})
    factories.organization(f"{BASE}.1", user=editor, destination_id="", destination_known=False)
    sentence = "It is already the record Typed."
    run.candidates.update(state=CandidateState.REFUSED, sentence=sentence, destination_id=DESTINATION)
    (row,) = rows_of(run, editor).values()
    not_saved = "The destination ID of this list was not saved. That of the record is not known."
    assert row.remark == f"{sentence} {not_saved}"
    assert row.edit_url.startswith(f"/staging/organizations/{BASE}.1/edit/#")


def test_the_page_links_to_the_records_that_this_take_over_added(editor: User) -> None:
    run = factories.take_over(user=editor, seen={f"{BASE}.{number}": None for number in range(1, 31)})
    assert page_of(run, editor).added_url == ""
    run.candidates.filter(oid__in=[f"{BASE}.3", f"{BASE}.4"]).update(state=CandidateState.TAKEN)
    assert page_of(run, editor).added_url == "?page=2#group-taken"


def test_an_oid_that_is_not_in_the_directory_can_be_added_as_new_and_names_the_other_environment(editor: User) -> None:
    factories.organization(f"{BASE}.2", user=editor, environment="production", name="Twin")
    gateway = "2.16.840.1.113883.3.6147.458.2"
    run = factories.take_over(user=editor, seen={f"{BASE}.2": None, gateway: None})
    rows = rows_of(run, editor)
    assert rows[f"{BASE}.2"].remark == "In PRODUCTION this is Twin."
    assert rows[f"{BASE}.2"].add_url == f"/staging/organizations/new/?oid={BASE}.2"
    assert rows[gateway].add_url == ""


def test_an_oid_without_an_answer_is_asked_about_again_and_not_entered_by_hand(editor: User) -> None:
    run = factories.take_over(user=editor, seen={f"{BASE}.2": None})
    run.candidates.update(state=CandidateState.UNANSWERED, sentence="<html>502</html>")
    (row,) = rows_of(run, editor).values()
    assert (row.remark, row.add_url, row.add_label) == ("A web page came instead.", "", "")
    assert page_of(run, editor).again_label == "Ask again for the others"


def test_an_oid_whose_values_cannot_be_read_is_not_listed_under_no_answer(editor: User) -> None:
    sentence = "The directory shows this OID, but its Name cannot be read."
    run = factories.take_over(user=editor, seen={f"{BASE}.2": None, f"{BASE}.3": factories.record(f"{BASE}.3")})
    run.candidates.update(state=CandidateState.REFUSED, sentence=sentence)
    rows = rows_of(run, editor)
    row = rows[f"{BASE}.2"]
    assert (row.group, row.remark, row.is_choosable) == (CandidateState.REFUSED, sentence, False)
    assert row.add_url == f"/staging/organizations/new/?oid={BASE}.2"
    assert "state that it is registered" in row.add_label
    assert rows[f"{BASE}.3"].add_url == ""


def test_only_an_approver_can_take_over_an_organization_that_is_not_ours(editor: User, approver: User) -> None:
    run = factories.take_over(user=editor, seen={OTHER: shown(OTHER)})
    assert rows_of(run, editor)[OTHER].other_url == ""
    assert rows_of(run, approver)[OTHER].other_url == f"?other={OTHER}#other"
    assert page_of(run, editor, other_oid=OTHER).other is None
    page = page_of(run, approver, other_oid=OTHER)
    assert page.other is not None
    assert page.other_form is not None


def test_nothing_can_be_entered_while_the_worker_works(editor: User) -> None:
    run = take_over.begin(
        "staging", [NewCandidate(f"{BASE}.1")], kind=TakeOverKind.OIDS, base_oids=[BASE], actor=as_actor(editor)
    )
    page = page_of(run, editor)
    assert (page.can_act, page.progress.poll_seconds, page.progress.done, page.progress.total) == (False, 2, 0, 1)
    assert page.progress.held == "STAGING is not connected."
    assert page.rows[0][1].form is None


def test_without_an_answer_the_page_does_not_say_that_the_directory_answered(editor: User) -> None:
    run = factories.take_over(user=editor, seen={f"{BASE}.{number}": None for number in (1, 2)})
    run.candidates.filter(oid=f"{BASE}.1").update(state=CandidateState.UNANSWERED)
    progress = page_of(run, editor).progress
    assert progress.heading == "The directory was asked"
    assert progress.sentence.endswith(" 1 OID was not asked about or got no answer.")
    run.candidates.update(state=CandidateState.UNANSWERED)
    assert page_of(run, editor).progress.heading == "No OID got an answer"


def test_an_oid_that_is_a_record_already_does_not_count_as_asked_about(editor: User) -> None:
    here = NewCandidate(factories.organization(f"{BASE}.1", user=editor).oid)

    def begun(*candidates: NewCandidate) -> TakeOver:
        kind, actor = TakeOverKind.OIDS, as_actor(editor)
        return take_over.begin("staging", candidates, kind=kind, base_oids=[BASE], actor=actor)

    run = begun(here, NewCandidate(f"{BASE}.2"))
    assert page_of(run, editor).progress.sentence.startswith("Asked about 0 of 1 OID. ")
    assert "Asked about 0 of 1 OID. " in take_over_page.build_progress(run, editor).progress.sentence
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    assert page_of(run, editor).progress.heading == "No OID got an answer"
    run = begun(here)
    TakeOver.objects.update(state=TakeOverState.READY)
    assert page_of(run, editor).progress.heading == "Every OID is in the portal already"


def test_a_search_that_a_person_stopped_ended_early_and_does_not_say_that_it_asked_about_every_oid(
    editor: User,
) -> None:
    run = take_over.begin_scan("staging", base_oids=[BASE], actor=as_actor(editor))
    TakeOver.objects.update(position={})
    candidate = Candidate(take_over=run, position=0, oid=f"{BASE}.5", oid_key=Oid(f"{BASE}.5").key, source=PROBE)
    candidate.save()
    take_over.stop_asking(run.pk, actor=as_actor(editor))
    progress = page_of(run, editor).progress
    assert progress.heading == "The search ended early"
    assert "1 possible OID was not asked about or got no answer." in progress.sentence
    assert "No answer came" not in progress.sentence
    run.candidates.update(state=CandidateState.UNANSWERED, sentence="HTTP 502")
    assert page_of(run, editor).progress.heading == "Searched"
    TakeOver.objects.update(position=Position(index=100).to_json())
    assert page_of(run, editor).progress.heading == "The search ended early"


def test_the_progress_of_adding_counts_records(editor: User) -> None:
    seen = {f"{BASE}.{number}": shown(f"{BASE}.{number}") for number in (1, 2, 3)}
    run = factories.take_over(user=editor, seen=seen)
    run.candidates.filter(oid=f"{BASE}.1").update(state=CandidateState.TAKEN)
    run.candidates.filter(oid=f"{BASE}.2").update(state=CandidateState.CHOSEN)
    TakeOver.objects.update(state=TakeOverState.TAKING)
    progress = page_of(run, editor).progress
    assert (progress.done, progress.total) == (1, 2)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (TakeOverKind.OIDS, "1 organization can still become a record here."),
        (
            TakeOverKind.SCAN,
            "1 organization can still become a record here. Searched: 0 organizations read, 2 of yours",
        ),
    ],
)
def test_the_heading_after_adding_is_the_number_of_records_added(
    editor: User, kind: TakeOverKind, sentence: str
) -> None:
    seen = {f"{BASE}.{number}": shown(f"{BASE}.{number}") for number in (1, 2)}
    run = factories.take_over(user=editor, seen=seen, kind=kind)
    run.candidates.filter(oid=f"{BASE}.1").update(state=CandidateState.TAKEN)
    progress = page_of(run, editor).progress
    assert progress.heading == "1 record added"
    assert progress.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        (TakeOverKind.SCAN, "Left out"),
        (TakeOverKind.MESSAGES, "Remarks on the old messages"),
        (TakeOverKind.OIDS, "Remarks on the list"),
    ],
)
def test_the_first_remarks_are_listed_and_the_others_counted(editor: User, kind: TakeOverKind, heading: str) -> None:
    run = factories.take_over(user=editor, kind=kind)
    run.problems = [{"source": f"line {number}", "sentence": "It is odd."} for number in range(1, 1052)]
    run.save()
    text = text_of_page(page_of(run, editor), "staging")
    assert f"{heading} line 1 It is odd." in text
    assert "line 50 It is odd. and 1,001 more" in text
    run.problems = run.problems[:50]
    run.save()
    assert page_of(run, editor).remarks.left_out == 0


def test_a_large_list_has_pages_and_few_queries(editor: User, django_assert_max_num_queries: Any) -> None:
    seen = {f"{BASE}.{number}": shown(f"{BASE}.{number}") for number in range(1, 61)}
    run = factories.take_over(user=editor, seen=seen)
    with django_assert_max_num_queries(15):
        page = page_of(run, editor)
    assert (len(page.rows), page.page.paginator.num_pages, page.choosable) == (25, 3, 60)
