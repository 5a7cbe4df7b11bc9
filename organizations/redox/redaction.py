"""Removes a secret that we sent from an answer, so that no secret is stored or shown."""

import re

PLACEHOLDER = b"[secret]"
"""Replaces the secret."""

_LEAST = 8
"""The least number of characters of a secret that are removed from the end of a cut text."""


def redact(secret: str, content: bytes) -> bytes:
    """The content without the secret (ASCII), plain or escaped as in JSON, also if it is cut off at the end."""
    redacted = _pattern(secret).sub(PLACEHOLDER, content).replace(secret.encode(), PLACEHOLDER)
    lengths = range(len(secret) - 1, _LEAST - 1, -1)
    cut = next((length for length in lengths if redacted.endswith(secret[:length].encode())), 0)
    return redacted[:-cut] + PLACEHOLDER if cut else redacted


def _pattern(secret: str) -> re.Pattern[bytes]:
    """Matches the secret with any of its signs escaped, and in any case, as in the name of a host."""

    def forms(char: str) -> str:
        if char.isalnum():
            return char
        escaped = rf"\\{re.escape(char)}|\\u00{ord(char):02x}"
        # Atomic, so that a matched pair of backslashes is not tried again: that would double the work with each pair.
        return f"(?>{escaped})" if char == "\\" else f"(?:{re.escape(char)}|{escaped})"

    return re.compile("".join(map(forms, secret)).encode(), re.IGNORECASE)
