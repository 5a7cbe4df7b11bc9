"""The page of a roll-call: a list of OIDs and own identifiers, and what the portal knows about each."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from organizations.forms.roll_call import RollCallForm
from organizations.models import Environment, User
from organizations.pages import Page
from organizations.pages.addresses import environment_url
from organizations.pages.roll_call.rows import GATEWAY, HERE, NEITHER, NOT_HERE, SAME, SEVERAL, LineRow, build_rows
from organizations.permissions import Right, block_reason
from organizations.text.vocabulary import count

ASK = "take over organizations"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollCallPage(Page):
    """The list and its rows. `absent_oids`: those that are not in the portal, which a take-over can ask about."""

    template = "roll_call/page.html"

    form: RollCallForm
    rows: Sequence[LineRow]
    in_short: str
    absent_oids: Sequence[str]
    ask_block_reason: str
    notes: Collection[str]
    switch_url: str


def build(environment: Environment, user: User, form: RollCallForm, *, notes: Collection[str] = ()) -> RollCallPage:
    """The page with the rows of a valid form. Nothing is stored, and nothing is asked."""
    rows = build_rows(form.entered) if form.is_bound and form.is_valid() else []
    return RollCallPage(
        form=form,
        rows=rows,
        in_short=_in_short(rows),
        absent_oids=[row.line.oid for row in rows if row.kind == NOT_HERE],
        ask_block_reason=block_reason(user, Right.EDIT, environment, ASK),
        notes=notes,
        switch_url=environment_url("roll-call", environment.other),
    )


def _in_short(rows: Sequence[LineRow]) -> str:
    """How many lines there are, and how many of each kind: "14 lines: 9 in the portal, 4 not in the portal"."""
    kinds = Counter(row.kind for row in rows)
    repeated = sum(len(row.line.numbers) - 1 for row in rows)
    numbers = [
        (kinds[HERE], "in the portal"),
        (kinds[SEVERAL], "with several records"),
        (kinds[NOT_HERE], "not in the portal"),
        (kinds[GATEWAY], "for Redox's own organization"),
        (kinds[NEITHER], "neither an OID nor an identifier of a record here"),
        (kinds[SAME], "with a record of an earlier line"),
        (repeated, "repeated"),
    ]
    parts = ", ".join(f"{number:,} {words}" for number, words in numbers if number)
    return f"{count(len(rows) + repeated, 'line')}: {parts}."
