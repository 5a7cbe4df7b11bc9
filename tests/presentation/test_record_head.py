"""What the head of a record offers: an act that cannot be done yet, or any more, is absent."""

import pytest

from organizations.models import Organization, Presence, User
from organizations.presentation import record
from organizations.presentation.record import Head
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unreachable_redox")]


def head(made: Organization) -> Head:
    return record.head(Organization.objects.with_words().select_related("last_submission").get(pk=made.pk))


@pytest.mark.parametrize("presence", Presence)
def test_only_what_is_registered_can_be_deactivated(editor: User, presence: Presence) -> None:
    made = factories.organization(user=editor)
    Organization.objects.filter(pk=made.pk).update(presence=presence)
    assert head(made).can_deactivate == (presence == Presence.PRESENT)


def test_nothing_is_added_below_a_deactivated_record_or_below_its_children(editor: User) -> None:
    made = factories.organization(user=editor)
    child = factories.organization(f"{made.oid}.1", user=editor, part_of_oid=made.oid)
    grandchild = factories.organization(f"{child.oid}.1", user=editor, part_of_oid=child.oid)
    line = (made, child, grandchild)
    assert [head(each).can_add_below for each in line] == [True, True, True]
    Organization.objects.filter(pk=child.pk).update(presence=Presence.PRESENT, confirmed_active=False)
    assert [head(each).can_add_below for each in line] == [True, False, False]
