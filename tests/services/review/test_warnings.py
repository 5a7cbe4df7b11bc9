"""Warnings: the exact text of each, when it appears and when not, and that a tick covers one value only."""

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
from organizations.text import vocabulary
from tests import factories
from tests.connected import redox
from tests.factories import BASE, as_actor
from tests.services.warning_records import (
    PIER,
    Arrange,
    accepted_record,
    after,
    by_another_editor,
    claimed_by_decision,
    edited,
    in_production,
    missing,
    new_record,
    shown_with,
    stated_as_registered,
    taken_over,
    warnings_of,
    with_directory_values,
    with_endpoints_left_out,
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
    """One warning: its key, its text, a record that has it, and a similar record that does not."""

    key: str
    text: str
    right: Arrange
    silent: Arrange


def today() -> str:
    return vocabulary.moment_text(timezone.localtime(), timezone.now(), "day")


OTHER_GATEWAY = "2.16.840.1.113883.3.6147.458.77777"
PIER_ELSEWHERE = new_record(PIER, environment="production", name="Pier")
COPIED = "Was it copied by mistake?"

ROWS = [
    *(
        Row("untested", f"{fact} Redox's how-to asks to test there first.", in_production(staging), silent)
        for fact, staging, silent in (
            ("STAGING has never accepted this record.", new_record(), in_production(accepted_record(new_record()))),
            (
                "Redox has accepted no message of this record in STAGING from the portal.",
                taken_over,
                accepted_record(in_production(new_record())),
            ),
        )
    ),
    Row(
        "destination-empty",
        "No destination ID. Others will find this organization, but their requests reach nobody. Right only for an"
        " organization that does not answer requests.",
        new_record(environment="production"),
        new_record(environment="production", destination_id=DESTINATION),
    ),
    Row(
        "destination-elsewhere",
        "Lakeside 1 in PRODUCTION uses this destination ID. Patients' requests might go to the wrong system.",
        after(
            new_record(environment="production", destination_id=DESTINATION),
            then=new_record(destination_id=DESTINATION),
        ),
        after(
            new_record(environment="production", destination_id=OTHER_DESTINATION),
            new_record(CHILD, destination_id=DESTINATION),
            then=new_record(destination_id=DESTINATION),
        ),
    ),
    Row(
        "others",
        "This message also sends 2 changes made by others: Name, ZIP (Editor Two, {today}). Tick to send them now.",
        by_another_editor(
            accepted_record(new_record(), name="Lakeside North", address=replace(SHORE, zip_code="53703"))
        ),
        accepted_record(new_record(), name="Lakeside North"),
    ),
    Row(
        "others",
        "This message also sends 2 changes made by others: Name (Editor Two, {today}), ZIP (Editor Three, {today})."
        " Tick to send them now.",
        by_another_editor(
            edited(
                by_another_editor(accepted_record(new_record(), name="North")), address=replace(SHORE, zip_code="53703")
            ),
            "Three",
        ),
        new_record(),
    ),
    Row(
        "outside-base",
        f"The OID is not below {SITE}, 1.2.3. Right if Redox issued it for another site.",
        new_record("2.16.840.1.113883.3.6147.458.99999.1.10.1.1"),
        new_record("1.2.3"),
    ),
    *(
        Row("other-environment", f"{label} {value} belongs to Pier in PRODUCTION. {COPIED}", right, silent)
        for label, value, right, silent in (
            ("The OID", PIER, after(PIER_ELSEWHERE, then=new_record(PIER)), after(PIER_ELSEWHERE, then=new_record())),
            (
                "PartOf",
                PIER,
                after(PIER_ELSEWHERE, then=new_record(part_of_oid=PIER)),
                after(PIER_ELSEWHERE, new_record(PIER), then=new_record(part_of_oid=PIER)),
            ),
            (
                "Own identifier 1",
                PIER,
                after(
                    PIER_ELSEWHERE,
                    then=new_record(identifiers=(IdentifierRecord(kind="Own", value=f"urn:oid:{PIER}"),)),
                ),
                after(PIER_ELSEWHERE, then=new_record(identifiers=(IdentifierRecord(kind="Own", value=f"{PIER}1"),))),
            ),
        )
    ),
    Row(
        "other-environment",
        f"PartOf {OTHER_GATEWAY} belongs to the Redox gateway in PRODUCTION. {COPIED}",
        new_record(part_of_oid=OTHER_GATEWAY),
        new_record(identifiers=(IdentifierRecord(kind="Own", value=GATEWAY_OID),)),
    ),
    *(
        Row(
            "shape",
            f"It has the form of a {kind} OID, not of an organization (Redox: ...x.x.1.n organization, 2.n patient,"
            " 3.n document).",
            new_record(f"{SITE}.{arc}.1"),
            new_record(f"{SITE}.1.{arc}"),
        )
        for arc, kind in ((2, "patient"), (3, "document"))
    ),
    Row(
        "path",
        f"By its OID it is below Lakeside 1, by PartOf below {FOREIGN}. Redox does not forbid it.",
        after(new_record(), then=new_record(CHILD, part_of_oid=FOREIGN)),
        after(new_record(), then=new_record(CHILD, part_of_oid=GATEWAY_SELF_OID)),
    ),
    Row(
        "path",
        "By its OID it is below Lakeside 1, by PartOf below Lakeside 2. Redox does not forbid it.",
        after(new_record(), new_record(f"{SITE}.1.2"), then=new_record(CHILD, part_of_oid=f"{SITE}.1.2")),
        after(new_record(), then=new_record(f"{CHILD}.1", part_of_oid=BASE)),
    ),
    Row(
        "path",
        f"By its OID it is below Nearest, by PartOf below {FOREIGN}. Redox does not forbid it.",
        after(new_record(), new_record(CHILD, name="Nearest"), then=new_record(f"{CHILD}.1", part_of_oid=FOREIGN)),
        after(
            new_record(f"{SITE}.1.2"), new_record(environment="production"), then=new_record(CHILD, part_of_oid=FOREIGN)
        ),
    ),
    *(
        Row(
            "second-top",
            "You already have a top-level record: Lakeside 1. A second one is right when it has a patient index of its"
            " own.",
            after(top, then=new_record(f"{SITE}.1.2", part_of_oid=part_of)),
            silent,
        )
        for part_of, top, silent in (
            (GATEWAY_OID, accepted_record(new_record()), after(new_record(), then=new_record(f"{SITE}.1.2"))),
            (
                GATEWAY_SELF_OID,
                with_presence(new_record(), "unknown"),
                after(accepted_record(new_record()), then=accepted_record(new_record(f"{SITE}.1.2"))),
            ),
            (
                GATEWAY_OID,
                accepted_record(new_record()),
                after(
                    accepted_record(new_record(environment="production")),
                    accepted_record(new_record(part_of_oid=FOREIGN)),
                    then=stated_as_registered(new_record(CHILD)),
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
            (new_record(part_of_oid=FOREIGN), new_record(part_of_oid=GATEWAY_SELF_OID)),
            (
                accepted_record(new_record(), part_of_oid=FOREIGN),
                after(new_record(), then=new_record(CHILD, part_of_oid=BASE)),
            ),
            (
                accepted_record(new_record(part_of_oid=FOREIGN), name="Lakeside North"),
                after(PIER_ELSEWHERE, then=new_record(part_of_oid=PIER)),
            ),
        )
    ),
    Row(
        "move",
        "PartOf changes. Redox does not document how a record is moved; this message does it by Update.",
        accepted_record(new_record(), part_of_oid=FOREIGN),
        accepted_record(new_record(), name="Lakeside North"),
    ),
    Row(
        "double",
        f"Twin, {BASE} has the same name and address. Redox rejects duplicates without saying of which record.",
        after(new_record(name="Twin"), then=new_record(CHILD, name="TWIN", address=replace(SHORE, city="MADISON"))),
        after(
            new_record(name="Twin"), then=new_record(CHILD, name="Twin", address=replace(SHORE, street="2 Shore Rd"))
        ),
    ),
    Row(
        "double",
        f"Twin, {BASE} has the same name and address. Redox rejects duplicates without saying of which record.",
        after(
            new_record(name="Twin", address=replace(NOWHERE, city="Madison")),
            then=new_record(CHILD, name="Twin", address=replace(NOWHERE, city="Madison")),
        ),
        after(new_record(name="Twin", address=NOWHERE), then=new_record(CHILD, name="Twin", address=NOWHERE)),
    ),
    Row(
        "double",
        f"Twin, {BASE} has the same name and address. Redox rejects duplicates without saying of which record.",
        after(new_record(name="Twin"), then=new_record(CHILD, name="Twin")),
        after(new_record(name="Twin", environment="production"), then=new_record(CHILD, name="Twin")),
    ),
    Row(
        "double",
        f"Clínica Peñón’s, {BASE} has the same name and address."
        " Redox rejects duplicates without saying of which record.",
        after(
            new_record(name="Clínica Peñón’s", address=SHORE),
            then=new_record(
                CHILD, name="CLI\u0301NICA PEN\u0303O\u0301N\u200b'S", address=replace(SHORE, zip_code="53704-1234")
            ),
        ),
        after(new_record(name="Clínica Peñón’s"), then=new_record(CHILD, name="Clínica Penta")),
    ),
    Row(
        "zip",
        "ZIP 60601 is in IL, but the state is WI.",
        new_record(address=replace(SHORE, zip_code="60601")),
        new_record(address=replace(SHORE, zip_code="60601", state="IL")),
    ),
    *(
        Row(
            "stated",
            "Nobody has compared this record with the directory. The message replaces everything there, including"
            " what this form does not show.",
            stated_as_registered(new_record()),
            silent,
        )
        for silent in (
            accepted_record(new_record()),
            shown_with(stated_as_registered(new_record()), name="By hand"),
            missing(with_directory_values(shown_with(stated_as_registered(new_record()), name="By hand"))),
        )
    ),
    Row(
        "overwrite",
        "Lakeside 1, Name: the directory shows 'By hand'; this message sends 'Lakeside 1'.",
        shown_with(accepted_record(new_record()), name="By hand"),
        shown_with(accepted_record(new_record())),
    ),
    *(
        Row(
            "missing",
            "The directory of STAGING did not show this OID on May 3, 09:03."
            " Redox will probably answer that it is not valid.",
            missing(accepted_record(new_record())),
            silent,
        )
        for silent in (
            shown_with(accepted_record(new_record())),
            with_presence(missing(accepted_record(new_record())), "absent"),
        )
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
            (claimed_by_decision(new_record()), shown_with(accepted_record(new_record()))),
            (
                missing(with_directory_values(claimed_by_decision(new_record()))),
                with_presence(claimed_by_decision(new_record()), "absent"),
            ),
        )
    ),
    *(
        Row(
            "endpoints-left-out",
            "Parts of Endpoints that hold secrets were not stored, so this message removes them in the directory.",
            with_endpoints_left_out(taken_over),
            silent,
        )
        for silent in (taken_over, with_endpoints_left_out(accepted_record(new_record())))
    ),
]


@pytest.fixture(autouse=True)
def bases() -> Iterator[None]:
    values = {"REDOX_STAGING_BASE_OIDS": f"{SITE}, 1.2.3", "REDOX_PRODUCTION_GATEWAY_OID": OTHER_GATEWAY}
    with override_settings(REDOX=redox("http://127.0.0.1:9", **values)):
        yield


@pytest.mark.parametrize("row", ROWS, ids=[f"{place}-{row.key}" for place, row in enumerate(ROWS)])
class TestTable:
    def test_it_warns_in_these_words(self, editor: User, row: Row) -> None:
        organization = Organization.objects.get(pk=row.right(editor).pk)
        review = reviews.review(organization, actor=as_actor(editor))
        found = [warning for warning in review.warnings if warning.key == row.key]
        assert [warning.text for warning in found] == [row.text.replace("{today}", today())]
        assert set(found) <= set(review.open_warnings)  # each must be ticked before the message is sent

    def test_it_does_not_warn_if_the_value_is_right(self, editor: User, row: Row) -> None:
        assert row.key not in [warning.key for warning in warnings_of(row.silent(editor), editor)]


def test_every_rule_has_a_row() -> None:
    text = Path(warnings.__file__).read_text(encoding="utf-8")
    keys = set(re.findall(r'ReviewWarning\(\s*"([a-z-]+)"', text)) | {warnings.OVERWRITE, warnings.ENDPOINTS_LOST}
    assert keys == {row.key for row in ROWS} - {"zip"}


@pytest.mark.parametrize("bases", ["", SITE])
def test_an_oid_of_the_other_environment_is_one_warning_with_and_without_a_base(editor: User, bases: str) -> None:
    PIER_ELSEWHERE(editor)
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_BASE_OIDS=bases)):
        assert [warning.key for warning in warnings_of(new_record(PIER)(editor), editor)] == ["other-environment"]


@pytest.mark.parametrize("bases", ["", SITE])
def test_a_record_without_a_destination_id_has_no_warning_in_staging(editor: User, bases: str) -> None:
    with override_settings(REDOX=redox("http://127.0.0.1:9", REDOX_STAGING_BASE_OIDS=bases)):
        assert warnings_of(new_record()(editor), editor) == []


class TestTicks:
    def ticked(self, user: User, **values: Any) -> Organization:
        """A record whose warnings were all ticked."""
        organization = factories.organization(f"{BASE}.1", user=user, **values)
        submissions.cancel_submission(factories.submission(organization, user=user).pk, actor=as_actor(user))
        assert {warning.is_accepted for warning in warnings_of(organization, user)} == {True}
        return organization

    def opened(self, organization: Organization, user: User, **values: object) -> list[str]:
        """The warnings that need a new tick after an edit."""
        current = Organization.objects.get(pk=organization.pk)
        record = replace(current.record(), **values)  # type: ignore[arg-type]
        organizations.edit(current.pk, current.version, record, stands_for="", actor=as_actor(user))
        return [warning.key for warning in warnings_of(organization, user) if not warning.is_accepted]

    def test_another_text_with_the_same_character_needs_a_new_tick(self, editor: User) -> None:
        organization = self.ticked(editor, name="A & B")
        assert self.opened(organization, editor, aliases=("Lakeside",)) == []
        assert self.opened(organization, editor, name="Cats & Dogs") == ["character"]

    def test_another_unreachable_contact_needs_a_new_tick(self, editor: User) -> None:
        organization = self.ticked(editor, contacts=(NOBODY,))
        assert self.opened(organization, editor, name="Lakeside North") == []
        assert self.opened(organization, editor, contacts=(replace(NOBODY, name="Front office"),)) == ["contact"]

    def test_another_name_shared_with_the_same_record_needs_a_new_tick(self, editor: User) -> None:
        twin = factories.organization(user=editor, name="Lakeside Twin")
        organization = self.ticked(editor, name="Lakeside Twin")
        assert self.opened(organization, editor, aliases=("Lakeside",)) == []
        renamed = replace(twin.record(), name="Lakeside South")
        organizations.edit(twin.pk, twin.version, renamed, stands_for="", actor=as_actor(editor))
        assert self.opened(organization, editor, name="Lakeside South") == ["double"]

    @pytest.mark.parametrize("key", ["others", "missing", "destination-unseen", "overwrite"])
    def test_changes_by_others_and_by_the_directory_need_a_tick_each_time(self, editor: User, key: str) -> None:
        organization = next(row for row in ROWS if row.key == key).right(editor)
        submissions.cancel_submission(factories.submission(organization, user=editor).pk, actor=as_actor(editor))
        assert [warning.is_accepted for warning in warnings_of(organization, editor) if warning.key == key] == [False]

    def test_the_stored_tick_of_a_long_value_is_short(self, editor: User) -> None:
        organization = factories.organization(user=editor, name="&" * 200, contacts=(NOBODY,) * 20)
        assert {len(warning.value) < 100 for warning in warnings_of(organization, editor)} == {True}
