"""The text of a page, as people read it."""

from typing import Any

from tests.page_text import text_in


def text_of(response: Any) -> str:
    """The text of a page in one line, without markup."""
    return text_in(response.content.decode())
