"""Taking over, over HTTP: what was entered is kept, and each button does what its label says."""

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from organizations.models import Action, AuditEntry, Environment, Organization, TakeOver, TakeOverKind, User
from organizations.views.take_over import CHANGED_SINCE, FILES_AGAIN
from tests import factories
from tests.connected import redox
from tests.factories import BASE
from tests.services.directory.test_unlinked_pairs import added, elsewhere
from tests.services.sending import edit
from tests.views.pages import text_of

pytestmark = pytest.mark.slow

BEGIN = "/staging/directory/take-over/"
DESTINATION = "d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10"
OTHER = "2.16.840.1.113883.3.6147.458.77777.1.1.1.1"
CURL = """curl -X POST https://api.redoxengine.com/endpoint -H "Authorization: Bearer very-secret" -d '
{"Meta": {"DataModel": "Organization", "EventType": "New",
  "Destinations": [{"ID": "a07afe3b-d247-4415-827f-6837707e1b8b"}]},
 "Directory": "Carequality", "Action": "Create",
 "Organizations": [{"Name": "By curl", "DestinationID": "d8ff9fd6-4c3e-4ed7-9a3c-6d1d0e2a7f10", "Active": true,
  "Identifiers": [{"ID": "2.16.840.1.113883.3.6147.458.99999.1.1.1.1.3", "IDType": "OID"}],
  "PartOf": {"Identifier": {"Value": "2.16.840.1.113883.3.6147.458.2"}}}]}'
"""


@pytest.fixture
def base(settings):
    settings.REDOX = redox("http://127.0.0.1:9", REDOX_STAGING_BASE_OIDS=BASE)


def url_of(run: TakeOver) -> str:
    return f"{BEGIN}{run.pk}/"


def test_oids_and_old_messages_begin_one_take_over(client: Client, base: None) -> None:
    oids = f"{BASE}.1\n\nurn:oid:{BASE}.2, {DESTINATION}\n{BASE}.1"
    answer = client.post(BEGIN, {"oids": oids, "list_source": "dashboard", "old_messages": CURL})
    run = TakeOver.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, url_of(run))
    assert (run.kind, run.base_oids) == (TakeOverKind.MESSAGES, [BASE])
    assert [each["source"] for each in run.problems] == ["Line 4", "curl command 1, line 1"]  # repeated OID, secret
    rows = run.candidates.order_by("position").values_list("oid", "destination_id", "destination_source")
    assert list(rows) == [
        (f"{BASE}.1", "", ""),
        (f"{BASE}.2", DESTINATION, "dashboard"),
        (f"{BASE}.3", DESTINATION, "message"),
    ]
    assert "very-secret" not in text_of(client.get(url_of(run)))


def test_unreadable_input_has_an_error_beside_its_field_and_all_input_is_kept(client: Client, base: None) -> None:
    answer = client.post(BEGIN, {"oids": f"{BASE}.1\nnonsense", "old_messages": "hello"})
    assert answer.status_code == 422
    form = answer.context["form"]
    assert set(form.errors) == {"oids", "old_messages"}
    assert form["oids"].value() == f"{BASE}.1\nnonsense"
    assert not TakeOver.objects.exists()


@pytest.mark.parametrize("list_source", ["", "hearsay"])
def test_a_list_with_destination_ids_is_kept_until_somebody_says_where_they_come_from(
    client: Client, base: None, list_source: str
) -> None:
    oids, file = f"{BASE}.1, {DESTINATION}", SimpleUploadedFile("old.sh", CURL.encode())
    posted = {"oids": oids, "old_messages": "curl", "list_source": list_source, "message_files": [file]}
    answer = client.post(BEGIN, posted)
    assert answer.status_code == 422
    form = answer.context["form"]
    assert form.errors == {"list_source": ["Choose where the destination IDs of the list come from."]}
    assert (form["oids"].value(), form["old_messages"].value()) == (oids, "curl")
    assert answer.context["notes"] == [FILES_AGAIN]
    assert not TakeOver.objects.exists()


def test_secrets_of_an_old_message_are_not_on_the_page_that_is_shown_again(client: Client, base: None) -> None:
    posted = {"oids": "nonsense", "old_messages": CURL}
    for answer in (
        client.post(BEGIN, posted),
        client.post(BEGIN, posted | {"came-back": "1"}),
        Client().post(BEGIN, posted),  # the page that keeps what was typed until the person has signed in
    ):
        assert "By curl" in answer.content.decode()
        assert "very-secret" not in answer.content.decode()


def test_organizations_ticked_in_a_search_are_added_to_the_typed_oids(client: Client, base: None) -> None:
    client.post(BEGIN, {"oid": [f"{BASE}.1", f"{BASE}.2"], "oids": f"{BASE}.3"})
    oids = TakeOver.objects.get().candidates.values_list("oid", flat=True)
    assert sorted(oids) == [f"{BASE}.1", f"{BASE}.2", f"{BASE}.3"]


def test_files_are_read_like_pasted_text(client: Client, base: None) -> None:
    file = SimpleUploadedFile("old.sh", CURL.encode())
    assert client.post(BEGIN, {"message_files": [file]}).status_code == 302
    candidate = TakeOver.objects.get().candidates.get()
    assert (candidate.oid, "old.sh" in candidate.source) == (f"{BASE}.3", True)


def test_more_than_twenty_files_are_refused_beside_their_field_and_all_else_is_kept(client: Client, base: None) -> None:

    def files(number: int) -> list[SimpleUploadedFile]:
        return [SimpleUploadedFile(f"{place}.sh", CURL.encode()) for place in range(number)]

    answer = client.post(BEGIN, {"oids": f"{BASE}.1", "old_messages": "curl", "message_files": files(21)})
    assert answer.status_code == 422
    form = answer.context["form"]
    assert form.errors["message_files"][0].startswith("At most 20 files can be read at once. You chose 21.")
    assert (form["oids"].value(), form["old_messages"].value()) == (f"{BASE}.1", "curl")
    assert answer.context["notes"] == [FILES_AGAIN]
    assert not TakeOver.objects.exists()
    assert client.post(BEGIN, {"message_files": files(20)}).status_code == 302


def test_without_a_base_oid_only_an_approver_begins(client: Client, client_of) -> None:
    assert client.post(BEGIN, {"oids": f"{BASE}.1", "base_oid": BASE}).status_code == 403
    approving = client_of(user=factories.UserFactory(role="approver"))
    assert approving.post(BEGIN, {"oids": f"{BASE}.1"}).status_code == 422
    for too_high in ("2.16.840.1.113883.3.6147.458.2", "2.16.840.1.113883.3.6147"):
        answer = approving.post(BEGIN, {"oids": f"{BASE}.1", "base_oid": too_high})
        assert set(answer.context["form"].errors) == {"base_oid"}
    assert approving.post(BEGIN, {"oids": f"{BASE}.1", "base_oid": BASE}).status_code == 302
    assert client.post(BEGIN, {"oids": f"{BASE}.2"}).status_code == 302  # an approver has said it


def test_a_wrong_destination_id_keeps_the_ticks_and_chooses_nothing(client: Client, editor: User) -> None:
    seen = {f"{BASE}.{number}": factories.record(f"{BASE}.{number}") for number in (1, 2)}
    run = factories.take_over(user=editor, seen=seen)
    first, second = run.candidates.order_by("oid_key")
    posted = {
        "take": "1",
        "oid": [second.oid],
        f"c{first.pk}-source": "memory",
        f"c{first.pk}-destination_id": "",
        f"c{second.pk}-source": "",
        f"c{second.pk}-destination_id": "",
    }
    answer = client.post(url_of(run), posted)
    assert answer.status_code == 422
    assert [row.is_chosen for _, row in answer.context["rows"]] == [False, True]
    assert answer.context["errors"][0][0] == f"id_c{first.pk}-destination_id"
    run.refresh_from_db()
    assert run.state == "ready"


@pytest.mark.parametrize("pressed", ["save", "again"])
def test_each_button_keeps_which_organizations_are_not_ticked(client: Client, editor: User, pressed: str) -> None:
    seen = {f"{BASE}.{number}": factories.record(f"{BASE}.{number}") for number in (1, 2)}
    run = factories.take_over(user=editor, seen=seen | {f"{BASE}.3": None})
    offered = re.findall(r'name="offered" value="(\d+)"', client.get(url_of(run)).content.decode())
    address = client.post(url_of(run), {pressed: "1", "oid": [f"{BASE}.2"], "offered": offered})["Location"]
    if pressed == "again":
        (progress,) = re.findall(r'data-hx-get="([^"]+progress/[^"]*)"', client.get(address).content.decode())
        (stop,) = re.findall(r'<form action="([^"]+)"', client.get(progress).content.decode())
        address = client.post(stop, {"stop": "1"})["Location"]
    for_all = {"for-all": "1", "all-destination_id": DESTINATION, "all-source": "memory", "all-number": "2"}
    for shown in (client.get(address), client.get(client.post(address, for_all)["Location"])):
        ticks = [row.is_chosen for _, row in shown.context["rows"] if row.is_choosable]
        assert ticks == [False, True]


@pytest.mark.parametrize("pressed", [{"take": "1", "oid": [f"{BASE}.1"]}, {"take-all": "1"}], ids=["chosen", "all"])
def test_organizations_are_handed_to_the_worker_with_the_destination_ids_of_the_page(
    client: Client, editor: User, pressed: dict[str, Any]
) -> None:
    run = factories.take_over(user=editor, seen={f"{BASE}.1": factories.record(f"{BASE}.1")})
    (candidate,) = run.candidates.all()
    posted = {f"c{candidate.pk}-source": "dashboard", f"c{candidate.pk}-destination_id": DESTINATION}
    assert client.post(url_of(run), pressed | posted).status_code == 302
    candidate.refresh_from_db()
    assert (candidate.state, candidate.destination_id) == ("chosen", DESTINATION)
    assert client.get(url_of(run) + "progress/").status_code == 200


@pytest.mark.parametrize(
    ("destination_id", "status", "state", "stored"),
    [(DESTINATION, 302, "asking", DESTINATION), ("not a UUID", 422, "ready", "")],
)
def test_a_destination_id_is_saved_before_the_directory_is_asked_again(
    client: Client, editor: User, destination_id: str, status: int, state: str, stored: str
) -> None:
    run = factories.take_over(user=editor, seen={f"{BASE}.1": factories.record(f"{BASE}.1"), f"{BASE}.2": None})
    candidate = run.candidates.get(oid=f"{BASE}.1")
    posted = {f"c{candidate.pk}-source": "dashboard", f"c{candidate.pk}-destination_id": destination_id}
    answer = client.post(url_of(run), {"again": "1"} | posted)
    run.refresh_from_db()
    candidate.refresh_from_db()
    assert (answer.status_code, run.state, candidate.destination_id) == (status, state, stored)
    shown = answer if status == 422 else client.get(url_of(run))
    assert destination_id in shown.content.decode()


@pytest.mark.parametrize("destination_id", [DESTINATION, "not a UUID"])
def test_a_destination_id_of_an_organization_that_is_a_record_by_now_is_refused_in_words(
    client: Client, editor: User, destination_id: str
) -> None:
    run = factories.take_over(user=editor, seen={f"{BASE}.1": factories.record(f"{BASE}.1")})
    (candidate,) = run.candidates.all()
    factories.organization(candidate.oid, user=editor)
    posted = {f"c{candidate.pk}-source": "dashboard", f"c{candidate.pk}-destination_id": destination_id}
    answer = client.post(url_of(run), {"save": "1"} | posted)
    sentence = "1 of these organizations is a record already. Set its destination ID on the record's page."
    assert (answer.status_code, answer.context["notes"]) == (409, [sentence])


def test_one_destination_id_for_all_asks_for_their_number(client: Client, editor: User) -> None:
    run = factories.take_over(user=editor, seen={f"{BASE}.1": factories.record(f"{BASE}.1")})
    posted = {"for-all": "1", "all-destination_id": DESTINATION, "all-source": "memory", "all-number": "2"}
    answer = client.post(url_of(run), posted)
    assert (answer.status_code, set(answer.context["for_all"].errors)) == (422, {"number"})
    answer = client.post(url_of(run), posted | {"all-number": "1"})
    assert [message.level_tag for message in get_messages(answer.wsgi_request)] == ["success"]
    assert run.candidates.get().destination_source == "memory"


def test_an_approver_takes_over_an_organization_that_is_not_ours_by_typing_its_oid_and_a_reason(
    client_of, editor: User
) -> None:
    approving = client_of(user=factories.UserFactory(role="approver"))
    run = factories.take_over(user=editor, seen={OTHER: factories.record(OTHER)})
    posted = {"other": OTHER, "typed_oid": BASE, "reason": "Bought last year"}
    assert set(approving.post(url_of(run), posted).context["other_form"].errors) == {"typed_oid"}
    assert approving.post(url_of(run), posted | {"typed_oid": OTHER}).status_code == 302
    assert Organization.objects.get().oid == OTHER


def test_an_editor_cannot_take_over_an_organization_that_is_not_ours(client: Client, editor: User) -> None:
    run = factories.take_over(user=editor, seen={OTHER: factories.record(OTHER)})
    posted = {"other": OTHER, "typed_oid": OTHER, "reason": "Bought last year"}
    assert client.post(url_of(run), posted).status_code == 403
    assert client.post(url_of(run), {"take": "1", "oid": [OTHER]}).status_code == 409
    assert not Organization.objects.exists()


@pytest.mark.parametrize("environment", Environment.values)
def test_added_records_are_linked_with_those_of_the_other_environment_by_one_press(
    client: Client, editor: User, environment: str
) -> None:
    run = added(editor, *(factories.record(f"{BASE}.{n}") for n in (1, 2)), environment=environment)
    others = [elsewhere(editor, f"{BASE}.{n}", Environment(environment).other) for n in (1, 2)]
    page = f"/{environment}/directory/take-over/{run.pk}/link/"
    shown = client.get(page)
    assert 'aria-current="true">Directory</a>' in shown.content.decode()
    first, _ = shown.context["rows"]
    assert not AuditEntry.objects.filter(action=Action.ORGANIZATION_LINKED).exists()

    assert client.post(page).status_code == 422
    answer = client.post(page, {"pair": [first.value]})

    assert (answer.status_code, answer["Location"]) == (302, f"/{environment}/directory/take-over/{run.pk}/")
    other = Environment(environment).other.label
    assert f"1 record linked with {other}. Nothing was sent." in text_of(client.get(answer["Location"]))
    linked = AuditEntry.objects.filter(action=Action.ORGANIZATION_LINKED)
    assert set(linked.values_list("organization_id", "actor_id")) == {
        (first.added.pk, editor.pk),
        (others[0].pk, editor.pk),
    }
    assert Organization.objects.get(pk=others[0].pk).counterpart == first.added
    assert Organization.objects.get(pk=others[1].pk).counterpart is None


def test_a_pair_that_changed_since_or_was_never_offered_is_not_linked(client: Client, editor: User) -> None:
    run = added(editor, factories.record(f"{BASE}.1"))
    other = elsewhere(editor, f"{BASE}.1")
    unrelated = elsewhere(editor, f"{BASE}.7")
    page = f"{url_of(run)}link/"
    (row,) = client.get(page).context["rows"]
    never_offered = f"{row.added.pk}.{row.added.version}.{unrelated.pk}.{unrelated.version}"
    edit(other, editor, name="Lakeside Harbor")
    for values in ([row.value], [never_offered], ["x"]):
        answer = client.post(page, {"pair": values})
        assert (answer.status_code, answer.context["notes"]) == (409, [CHANGED_SINCE])
    assert not AuditEntry.objects.filter(action=Action.ORGANIZATION_LINKED).exists()
