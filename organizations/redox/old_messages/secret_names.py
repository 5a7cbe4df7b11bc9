"""Which names of headers, keys, variables and options belong to secrets, and which texts are secrets themselves."""

import re
from typing import Any

SECRET_WORD = re.compile(
    r"authori[sz]ation(?!url)|cookie|api[-_. ]?key|secret(?!ar)|token(?![-_]?(?:url|type))|assertion|passw(?:or)?d"
    r"|pass[-_ ]?(?:phrase|code)|(?<![a-z])(?:jwt|creds|sig|session)(?![a-z])|session[-_. ]?id|connection[-_ ]?string"
    r"|(?:private|access|client|subscription|redox|shared|signing|encryption|master|account)[-_. ]?key"
    r"|bearer|credential|(?:hmac|signature)(?![-_ ]?(?:alg|method|type|version))"
    r"|(?-i:(?<![A-Za-z])(?:[Pp]ass|PASS|[Pp]wd|PWD|[Pp]in|PIN|[Ss]id|SID)|(?<=[a-z])(?:Pass|Pwd|Pin))(?![A-Za-z])",
    re.IGNORECASE,
)
"""Found anywhere in a name, as in x-api-key, REDOX_SECRET, accessToken or client_assertion."""

SECRET_TEXT = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----"
    r"|\beyJ[\w-]{5}"
    r"|\[left out\]"
    r"|(?<=://)[^\s/\"'@]{1,500}@"
    r"|\b(?:bearer|basic) +[\w+/=.~-]{20}",
    re.IGNORECASE,
)
"""A key, a JSON Web Token, the place of a blanked secret, a user in an address, or an Authorization header's value."""

_NAMED_PART = re.compile(r"([\w.-]{1,64})[ \t]{0,8}[:=](?=[ \t]{0,8}[^\s/])")
"""A header or a parameter inside a text: its name."""
_NAMES_OF_PAIRS, _VALUES_OF_PAIRS = ("name", "key", "header"), ("value", "values")


def is_secret_name(name: str) -> bool:
    """Whether the value of this name is probably a secret."""
    return bool(SECRET_WORD.search(name[:200]))


def is_secret_text(text: str) -> bool:
    """Whether the text probably is or contains a secret, under any name."""
    return bool(SECRET_TEXT.search(text)) or any(is_secret_name(name) for name in _NAMED_PART.findall(text))


def without_secrets(value: Any) -> tuple[Any, tuple[str, ...]]:
    """The JSON value without secrets, at any depth, and the names of the keys that had them.

    Left out are the values of secret names, texts that look like a secret, and the values of pairs such as
    {"name": "Authorization", "value": "..."}.
    """
    names: dict[str, None] = {}
    return _without(value, names, ""), tuple(names)


def _without(value: Any, names: dict[str, None], key: str) -> Any:
    if isinstance(value, list):
        kept_parts = [part for part in value if not (isinstance(part, str) and is_secret_text(part))]
        names.update(dict.fromkeys([key] if len(kept_parts) < len(value) else []))
        return [_without(part, names, key) for part in kept_parts]
    if not isinstance(value, dict):
        return value
    is_secret_pair = any(is_secret_name(str(part)) for name, part in value.items() if name.lower() in _NAMES_OF_PAIRS)
    kept = {}
    for name, part in value.items():
        is_value = is_secret_pair and name.lower() in _VALUES_OF_PAIRS
        has_secret = is_value or is_secret_name(name) or (isinstance(part, str) and is_secret_text(part))
        if has_secret and part not in (None, ""):
            names[name] = None
        else:
            kept[name] = _without(part, names, name)
    return kept
