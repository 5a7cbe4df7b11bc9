"""The page that searches the directory of one environment, with the results."""

from collections.abc import Collection
from dataclasses import dataclass

from organizations.forms.directory import DirectorySearchForm
from organizations.models import Environment, User
from organizations.pages import Page
from organizations.pages.addresses import environment_url
from organizations.pages.directory.results import SearchResults
from organizations.pages.take_over import scan
from organizations.pages.take_over.scan import LastScan
from organizations.permissions import ASK, Right, block_reason
from organizations.services.connection import redox_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryPage(Page):
    """`results` is None before the first search. `notes` say what the last button did.

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
    switch_url: str


def build(
    environment: Environment,
    user: User,
    form: DirectorySearchForm,
    results: SearchResults | None = None,
    notes: Collection[str] = (),
) -> DirectoryPage:
    """The search of an environment's directory, with the results, if there are any."""
    return DirectoryPage(
        form=form,
        results=results,
        notes=(*notes, *form.changed),
        base_hint="" if redox_settings.environment(environment).base_oids else _base_hint(environment),
        block_reason=block_reason(user, Right.EDIT, environment, ASK),
        last_scan=None if results else scan.last_scan(environment),
        switch_url=environment_url("directory", environment.other),
    )


def _base_hint(environment: Environment) -> str:
    variable = f"REDOX_{environment.upper()}_BASE_OIDS"
    return f"{variable} is not set. So only what is part of records in the portal counts as yours."
