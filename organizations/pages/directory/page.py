"""The page that searches the directory of one environment, with the results."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlencode

from organizations.forms.directory import FIELDS, DirectorySearchForm
from organizations.models import Environment, User
from organizations.pages import Page
from organizations.pages.addresses import environment_url
from organizations.pages.directory.results import SearchResults
from organizations.pages.take_over import scan
from organizations.pages.take_over.scan import LastScan
from organizations.permissions import ASK, Right, block_reason
from organizations.services.connection import redox_settings

LONGEST_ADDRESS = 4000
"""Characters. The portal refuses an address with more than about 8,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryPage(Page):
    """`results` is None before the first search. `notes` say what the last button did.

    `address`: where a GET shows the form with the same texts. The browser goes there on Back and Reload, because the
    results are the answer to a POST. `is_filled`: the texts come from such an address, and nothing was asked.

    `base_hint` says what counts as ours if no base OID is set. `last_scan`: the newest "Find ours",
    only before the first search.
    """

    template = "directory/page.html"

    form: DirectorySearchForm
    results: SearchResults | None
    notes: Collection[str]
    base_hint: str
    block_reason: str
    last_scan: LastScan | None
    address: str
    is_filled: bool
    switch_url: str


def build(
    environment: Environment,
    user: User,
    form: DirectorySearchForm,
    results: SearchResults | None = None,
    notes: Collection[str] = (),
) -> DirectoryPage:
    """The search of an environment's directory, with the results, if there are any."""
    address = _address(environment, form)
    return DirectoryPage(
        form=form,
        results=results,
        notes=(*notes, *form.changed),
        base_hint="" if redox_settings.environment(environment).base_oids else _base_hint(environment),
        block_reason=block_reason(user, Right.EDIT, environment, ASK),
        last_scan=None if results else scan.last_scan(environment),
        address=address,
        is_filled=not form.is_bound and not notes and "?" in address,
        switch_url=environment_url("directory", environment.other),
    )


def _address(environment: Environment, form: DirectorySearchForm) -> str:
    typed = {name: str(form[name].value() or "") for name in FIELDS}
    query = urlencode({name: text for name, text in typed.items() if text})
    page = environment_url("directory", environment)
    return f"{page}?{query}" if query and len(query) <= LONGEST_ADDRESS else page


def _base_hint(environment: Environment) -> str:
    variable = f"REDOX_{environment.upper()}_BASE_OIDS"
    return f"{variable} is not set. So only what is part of records in the portal counts as yours."
