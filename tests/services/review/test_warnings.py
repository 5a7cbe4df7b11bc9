"""Warnings: each with its exact words where it is right, silent where it is not, and ticked for one value only."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.test import override_settings
from django.utils import timezone

from organizations.models import Organization, User
from organizations.records import ContactRecord, IdentifierRecord
from organizations.redox.environment import GATEWAY_OID, GATEWAY_SELF_OID
from organizations.services.outbox import submissions
from organizations.services.records import organizations
from organizations.services.review import reviews, warnings
from organizations.services.review.warnings import ReviewWarning
from organizations.text import vocabulary
from tests import factories
from tests.connected import redox
from tests.factories import BASE, acting
from tests.services.arranging import (
    PIER,
    Arrange,
    after,
    by_another,
    confirmed,
    edited,
    found_present,
    in_production,
    made,
    missing,
    shown,
    stated,
    taken,
    taken_over,
    with_presence,
)

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

CHILD = f"{BASE}.1"
SITE = BASE.removesuffix(".1.1")
FOREIGN = "2.16.840.1.113883.3.1"
DESTINATION = "9c1f0a52-7d1e-4b7a-9f0e-3f1c2b6a8d41"
OTHER_DESTINATION = "6b0fa1d4-3a5f-4f0c-8a52-0d1f2f8e7c11"
SHORE = factories.record().address
NOWHERE = replace(SHORE, street="", city="", state="", zip_code="", county="", country="")
DESK = factories.record().contacts[0]
NOBODY = ContactRecord(purpose="Technical", name="Integration desk")


class Row(NamedTuple):
    """One warning: its key, its words, a record that it is about, and one much like it that it is not about."""

    key: str
    text: str
    right: Arrange
    silent: Arrange


def today() -> str:
    return vocabulary.moment(timezone.localtime(), timezone.now(), "day")


OTHER_GATEWAY = "2.16.840.1.113883.3.6147.458.77777"
PIER_ELSEWHERE = made(PIER, environment="production", name="Pier")
COPIED = "Was it copied by mistake?"

ROWS = [
    *(
        Row(
            "untested",
            f"{fact} Redox's how-to asks to test there first.",
            in_production(staging),
            silent,
        )
        for fact, staging, silent in (
            ("STAGING has never accepted this record.", made(), in_production(confirmed(made()))),
            (
                "Redox has accepted no message of this record in STAGING from the portal.",
                taken_over,
                confirmed(in_production(made())),
            ),
        )
    ),
    Row(
        "destination-empty",
        "No destination ID. Others will find this organization, but their requests reach nobody. Right only for an"
        " organization that does not answer requests.",
        made(environment="production"),
        made(environment="production", destination_id=DESTINATION),
    ),
    Row(
        "destination-elsewhere",
        "Lakeside 1 in PRODUCTION uses this destination ID. Patients' requests might go to the wrong system.",
        after(made(environment="production", destination_id=DESTINATION), then=made(destination_id=DESTINATION)),
        after(
            made(environment="production", destination_id=OTHER_DESTINATION),
            made(CHILD, destination_id=DESTINATION),
            then=made(destination_id=DESTINATION),
        ),
    ),
    Row(
        "others",
        "This message also sends 2 changes made by others: Name, ZIP (Editor Two, {today}). Tick to send them now.",
        by_another(confirmed(made(), name="Lakeside North", address=replace(SHORE, zip_code="53703"))),
        confirmed(made(), name="Lakeside North"),
    ),
    Row(
        "others",
        "This message also sends 2 changes made by others: Name (Editor Two, {today}), ZIP (Editor Three, {today})."
        " Tick to send them now.",
        by_another(
            edited(by_another(confirmed(made(), name="North")), address=replace(SHORE, zip_code="53703")), "Three"
        ),
        made(),
    ),
    Row(
        "outside-base",
        f"The OID is not below {SITE}, 1.2.3. Right if Redox issued it for another site.",
        made("2.16.840.1.113883.3.6147.458.99999.1.10.1.1"),
        made("1.2.3"),
    ),
    *(
        Row("other-environment", f"{label} {value} belongs to Pier in PRODUCTION. {COPIED}", right, silent)
        for label, value, right, silent in (
            ("The OID", PIER, after(PIER_ELSEWHERE, then=made(PIER)), after(PIER_ELSEWHERE, then=made())),
            (
                "PartOf",
                PIER,
                after(PIER_ELSEWHERE, then=made(part_of_oid=PIER)),
                after(PIER_ELSEWHERE, made(PIER), then=made(part_of_oid=PIER)),
            ),
            (
                "Own identifier 1",
                PIER,
                after(PIER_ELSEWHERE, then=made(identifiers=(IdentifierRecord(kind="Own", value=f"urn:oid:{PIER}"),))),
                after(PIER_ELSEWHERE, then=made(identifiers=(IdentifierRecord(kind="Own", value=f"{PIER}1"),))),
            ),
        )
    ),
    Row(
        "other-environment",
        f"PartOf {OTHER_GATEWAY} belongs to the Redox gateway in PRODUCTION. {COPIED}",
        made(part_of_oid=OTHER_GATEWAY),
        made(identifiers=(IdentifierRecord(kind="Own", value=GATEWAY_OID),)),
    ),
    *(
        Row(
            "shape",
            f"It has the form of a {kind} OID, not of an organization (Redox: ...x.x.1.n organization, 2.n patient,"
            " 3.n document).",
            made(f"{SITE}.{arc}.1"),
            made(f"{SITE}.1.{arc}"),
        )
        for arc, kind in ((2, "patient"), (3, "document"))
    ),
    Row(
        "path",
        f"By its OID it is below Lakeside 1, by PartOf below {FOREIGN}. Redox does not forbid it.",
        after(made(), then=made(CHILD, part_of_oid=FOREIGN)),
        after(made(), then=made(CHILD, part_of_oid=GATEWAY_SELF_OID)),
    ),
    Row(
        "path",
        "By its OID it is below Lakeside 1, by PartOf below Lakeside 2. Redox does not forbid it.",
        after(made(), made(f"{SITE}.1.2"), then=made(CHILD, part_of_oid=f"{SITE}.1.2")),
        after(made(), then=made(f"{CHILD}.1", part_of_oid=BASE)),
    ),
    Row(
        "path",
        f"By its OID it is below Nearest, by PartOf below {FOREIGN}. Redox does not forbid it.",
        after(made(), made(CHILD, name="Nearest"), then=made(f"{CHILD}.1", part_of_oid=FOREIGN)),
        after(made(f"{SITE}.1.2"), made(environment="production"), then=made(CHILD, part_of_oid=FOREIGN)),
    ),
    *(
        Row(
            "second-top",
            "You already have a top-level record: Lakeside 1. A second one is right when it has a patient index of its"
            " own.",
            after(top, then=made(f"{SITE}.1.2", part_of_oid=part_of)),
            silent,
        )
        for part_of, top, silent in (
            (GATEWAY_OID, confirmed(made()), after(made(), then=made(f"{SITE}.1.2"))),
            (
                GATEWAY_SELF_OID,
                with_presence(made(), "unknown"),
                after(confirmed(made()), then=confirmed(made(f"{SITE}.1.2"))),
            ),
            (
                GATEWAY_OID,
                confirmed(made()),
                after(
                    confirmed(made(environment="production")),
                    confirmed(made(part_of_oid=FOREIGN)),
                    then=stated(made(CHILD)),
                ),
            ),
        )
    ),
    *(
        Row(
            "parent-not-ours",
            f"Nobody has confirmed that {FOREIGN} is in the directory of STAGING. "
            "If it is not, Redox may reject the message.",
            right,
            silent,
        )
        for right, silent in (
            (made(part_of_oid=FOREIGN), made(part_of_oid=GATEWAY_SELF_OID)),
            (confirmed(made(), part_of_oid=FOREIGN), after(made(), then=made(CHILD, part_of_oid=BASE))),
            (
                confirmed(made(part_of_oid=FOREIGN), name="Lakeside North"),
                after(PIER_ELSEWHERE, then=made(part_of_oid=PIER)),
            ),
        )
    ),
    Row(
        "move",
        "PartOf changes. Redox does not document how a record is moved; this message does it by Update.",
        confirmed(made(), part_of_oid=FOREIGN),
        confirmed(made(), name="Lakeside North"),
    ),
    Row(
        "double",
        f"Twin, {BASE} has the same name and address. Redox rejects duplicates without saying of which record.",
        after(made(name="Twin"), then=made(CHILD, name="TWIN", address=replace(SHORE, city="MADISON"))),
        after(made(name="Twin"), then=made(CHILD, name="Twin", address=replace(SHORE, street="2 Shore Rd"))),
    ),
    Row(
        "double",
        f"Twin, {BASE} has the same name and address. Redox rejects duplicates without saying of which record.",
        after(
            made(name="Twin", address=replace(NOWHERE, city="Madison")),
            then=made(CHILD, name="Twin", address=replace(NOWHERE, city="Madison")),
        ),
        after(made(name="Twin", address=NOWHERE), then=made(CHILD, name="Twin", address=NOWHERE)),
    ),
    Row(
        "double",
        f"Twin, {BASE} has the same name and address. Redox rejects duplicates without saying of which record.",
        after(made(name="Twin"), then=made(CHILD, name="Twin")),
        after(made(name="Twin", environment="production"), then=made(CHILD, name="Twin")),
    ),
    Row(
        "double",
        f"Clínica Peñón’s, {BASE} has the same name and address."
        " Redox rejects duplicates without saying of which record.",
        after(
            made(name="Clínica Peñón’s", address=SHORE),
            then=made(
                CHILD, name="CLI\u0301NICA PEN\u0303O\u0301N\u200b'S", address=replace(SHORE, zip_code="53704-1234")
            ),
        ),
        after(made(name="Clínica Peñón’s"), then=made(CHILD, name="Clínica Penta")),
    ),
    Row(
        "zip",
        "ZIP 60601 is in IL, but the state is WI.",
        made(address=replace(SHORE, zip_code="60601")),
        made(address=replace(SHORE, zip_code="60601", state="IL")),
    ),
    *(
        Row(
            "stated",
            "Nobody has compared this record with the directory. The message replaces everything there, including"
            " what this form does not show.",
            stated(made()),
            silent,
        )
        for silent in (
            confirmed(made()),
            shown(stated(made()), name="By hand"),
            missing(taken(shown(stated(made()), name="By hand"))),
        )
    ),
    Row(
        "overwrite",
        "Lakeside 1, Name: the directory shows 'By hand'; this message sends 'Lakeside 1'.",
        shown(confirmed(made()), name="By hand"),
        shown(confirmed(made())),
    ),
    *(
        Row(
            "missing",
            "The directory of STAGING did not show this OID on May 3, 09:03."
            " Redox will probably answer that it is not valid.",
            missing(confirmed(made())),
            silent,
        )
        for silent in (shown(confirmed(made())), with_presence(missing(confirmed(made())), "absent"))
    ),
    *(
        Row(
            "destination-unseen",
            "A Query does not show which destination ID this organization has in the directory. This message removes"
            " it.",
            right,
            silent,
        )
        for right, silent in (
            (found_present(made()), shown(confirmed(made()))),
            (missing(taken(found_present(made()))), with_presence(found_present(made()), "absent")),
        )
    ),
]


def of(made: Organization, user: User) -> list[ReviewWarning]:
    return list(reviews.review(Organization.objects.get(pk=made.pk), actor=acting(user)).warnings)


@pytest.fixture(autouse=True)
def bases() -> Iterator[None]:
    given = {"REDOX_STAGING_BASE_OIDS": f"{SITE}, 1.2.3", "REDOX_PRODUCTION_GATEWAY_OID": OTHER_GATEWAY}
    with override_settings(REDOX=redox("http://127.0.0.1:9", **given)):
        yield


@pytest.mark.parametrize("row", ROWS, ids=[f"{place}-{row.key}" for place, row in enumerate(ROWS)])
class TestTable:
    def test_it_warns_in_these_words(self, editor: User, row: Row) -> None:
        found = [warning.text for warning in of(row.right(editor), editor) if warning.key == row.key]
        assert found == [row.text.replace("{today}", today())]

    def test_it_does_not_warn_if_the_value_is_right(self, editor: User, row: Row) -> None:
        assert row.key not in [warning.key for warning in of(row.silent(editor), editor)]


def test_no_rule_is_without_a_row() -> None:
    text = Path(warnings.__file__).read_text(encoding="utf-8")
    keys = set(re.findall(r'ReviewWarning\(\s*"([a-z-]+)"', text)) | {warnings.OVERWRITE}
    assert keys == {row.key for row in ROWS} - {"zip"}


@pytest.mark.parametrize("bases", ["", SITE])
def test_an_oid_of_the_other_environment_is_one_warning_with_and_without_a_base(editor: User, bases: str) -> None:
    PIER_ELSEWHERE(editor)
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_BASE_OIDS=bases)):
        assert [warning.key for warning in of(made(PIER)(editor), editor)] == ["other-environment"]


@pytest.mark.parametrize("bases", ["", SITE])
def test_in_staging_no_destination_id_is_right(editor: User, bases: str) -> None:
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_BASE_OIDS=bases)):
        assert of(made()(editor), editor) == []


class TestTicks:
    def ticked(self, user: User, **values: Any) -> Organization:
        """A record all of whose warnings were ticked."""
        made = factories.organization(f"{BASE}.1", user=user, **values)
        submissions.cancel_submission(factories.submission(made, user=user).pk, actor=acting(user))
        assert {warning.is_accepted for warning in of(made, user)} == {True}
        return made

    def opened(self, made: Organization, user: User, **values: object) -> list[str]:
        """What is asked again after an edit."""
        now = Organization.objects.get(pk=made.pk)
        record = replace(now.record(), **values)  # type: ignore[arg-type]
        organizations.edit(now.pk, now.version, record, stands_for="", actor=acting(user))
        return [warning.key for warning in of(made, user) if not warning.is_accepted]

    def test_another_text_with_the_same_character_needs_a_new_tick(self, editor: User) -> None:
        made = self.ticked(editor, name="A & B")
        assert self.opened(made, editor, aliases=("Lakeside",)) == []
        assert self.opened(made, editor, name="Cats & Dogs") == ["character"]

    def test_another_unreachable_contact_needs_a_new_tick(self, editor: User) -> None:
        made = self.ticked(editor, contacts=(NOBODY,))
        assert self.opened(made, editor, name="Lakeside North") == []
        assert self.opened(made, editor, contacts=(replace(NOBODY, name="Front office"),)) == ["contact"]

    def test_another_name_shared_with_the_same_record_needs_a_new_tick(self, editor: User) -> None:
        twin = factories.organization(user=editor, name="Lakeside Twin")
        made = self.ticked(editor, name="Lakeside Twin")
        assert self.opened(made, editor, aliases=("Lakeside",)) == []
        renamed = replace(twin.record(), name="Lakeside South")
        organizations.edit(twin.pk, twin.version, renamed, stands_for="", actor=acting(editor))
        assert self.opened(made, editor, name="Lakeside South") == ["double"]

    @pytest.mark.parametrize("key", ["others", "missing", "destination-unseen", "overwrite"])
    def test_what_other_people_and_the_directory_changed_is_asked_for_each_time(self, editor: User, key: str) -> None:
        made = next(row for row in ROWS if row.key == key).right(editor)
        submissions.cancel_submission(factories.submission(made, user=editor).pk, actor=acting(editor))
        assert [warning.is_accepted for warning in of(made, editor) if warning.key == key] == [False]

    def test_what_is_kept_of_a_long_value_is_short(self, editor: User) -> None:
        made = factories.organization(user=editor, name="&" * 200, contacts=(NOBODY,) * 20)
        assert {len(warning.value) < 100 for warning in of(made, editor)} == {True}
