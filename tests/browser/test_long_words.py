"""Names of one long word without spaces: no page scrolls sideways on a phone."""

from collections.abc import Callable

from organizations.models import User
from organizations.practice import PracticeDirectory
from tests import factories

from . import record_setup
from .conftest import PageAs
from .page_checks import layout_errors

WIDTHS = (320, 768)
RECORD = f"/staging/organizations/{factories.BASE}/"
BELOW = f"/staging/organizations/{factories.BASE}.1/"


def test_names_of_one_long_word_break(
    practice: PracticeDirectory, page_as: PageAs, people: dict[str, User], person: Callable[..., User]
) -> None:
    long = factories.UserFactory(username="l" * 100, first_name="W" * 102, last_name="X" * 102, role="editor")
    people["editor-one"] = long
    record_setup.register(user=long, name="N" * 120)
    record_setup.edit(
        factories.organization(f"{factories.BASE}.1", user=long, part_of_oid=factories.BASE), user=long, name="M" * 120
    )
    factories.organization(environment="production", user=long, name="N" * 119)
    addresses = [
        *(
            f"{RECORD}{page}"
            for page in ("", "edit/", "review/", "history/", "submissions/", "counterpart/", "deactivate/")
        ),
        *(f"{BELOW}{page}" for page in ("", "edit/", "review/", "discard/", "withdraw/", "counterpart/")),
        f"{RECORD}counterpart/?counterpart={factories.BASE}",
        "/",
        "/staging/organizations/",
        "/staging/submissions/",
        "/audit/",
        "/search/?q=nnn",
        "/account/",
        "/people/",
    ]
    overflows = []
    for page, listed in (
        (page_as("editor"), addresses),
        (page_as("administrator"), ["/people/", f"/people/{long.pk}/", f"/people/{long.pk}/close/"]),
    ):
        for address in listed:
            page.goto(address)
            overflows += [f"{address} {fault}" for fault in layout_errors(page, WIDTHS)]
    assert "\n".join(overflows) == ""
