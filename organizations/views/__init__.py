"""Pages: load what the address names, bind the form, call one service, redirect. Nothing is saved here."""

from organizations.views import (
    account,
    audit,
    connection,
    deactivation,
    deciding,
    demonstration,
    differences,
    editing,
    help,
    home,
    organizations,
    plans,
    record,
    review,
    search,
    submissions,
)

__all__ = [
    "account",
    "audit",
    "connection",
    "deactivation",
    "deciding",
    "demonstration",
    "differences",
    "editing",
    "help",
    "home",
    "organizations",
    "plans",
    "record",
    "review",
    "search",
    "submissions",
]
