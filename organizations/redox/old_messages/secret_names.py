"""Which names of headers, keys, variables and options belong to secrets."""

import re
from typing import Any

SECRET_WORD = re.compile(
    r"authori[sz]ation(?!url)|cookie|api[-_. ]?key|secret(?!ar)|token(?![-_]?(?:url|type))|assertion|passw(?:or)?d"
    r"|\bpwd\b|private[-_. ]?key|bearer",
    re.IGNORECASE,
)
"""Found anywhere in a name, as in x-api-key, REDOX_SECRET, accessToken or client_assertion."""


def is_secret_name(name: str) -> bool:
    """Whether the value of this name is probably a secret."""
    return bool(SECRET_WORD.search(name[:200]))


def without_secrets(value: Any) -> tuple[Any, tuple[str, ...]]:
    """The JSON value without the values of secret names, at any depth, and these names."""
    names: dict[str, None] = {}
    return _without(value, names), tuple(names)


def _without(value: Any, names: dict[str, None]) -> Any:
    if isinstance(value, list):
        return [_without(part, names) for part in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, part in value.items():
        if is_secret_name(key) and part not in (None, ""):
            names[key] = None
        else:
            kept[key] = _without(part, names)
    return kept
