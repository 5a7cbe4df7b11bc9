"""Takes a secret that we sent out of what the other side says: nothing secret is stored or shown."""

import re

PLACEHOLDER = b"[secret]"
"""Stands where the secret was."""

_LEAST = 8
"""So much of a secret at a cut end is taken for it."""


def redact(secret: str, content: bytes) -> bytes:
    """The content without the secret (ASCII), as it is or as JSON may write it, also where its end was cut off."""
    found = _written(secret).sub(PLACEHOLDER, content).replace(secret.encode(), PLACEHOLDER)
    lengths = range(len(secret) - 1, _LEAST - 1, -1)
    cut = next((length for length in lengths if found.endswith(secret[:length].encode())), 0)
    return found[:-cut] + PLACEHOLDER if cut else found


def _written(secret: str) -> re.Pattern[bytes]:
    """Finds the secret with any of its signs escaped, and in other case, as in the name of a host."""

    def forms(char: str) -> str:
        if char.isalnum():
            return char
        escaped = rf"\\{re.escape(char)}|\\u00{ord(char):02x}"
        # Once read, a pair of backslashes is not taken apart again: to try would double the work with each pair.
        return f"(?>{escaped})" if char == "\\" else f"(?:{re.escape(char)}|{escaped})"

    return re.compile("".join(map(forms, secret)).encode(), re.IGNORECASE)
