"""What a page says to people."""

import re
from html import unescape
from typing import Any

from django.utils.html import strip_tags

_BLOCK = re.compile(
    r"</?(?:title|p|h[1-6]|header|footer|section|div|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|td|th|caption|form|fieldset"
    r"|legend|label|details|summary|figure|figcaption|pre|button|option|nav|main|br)\b"
)


def text_of(response: Any) -> str:
    """The text of a page in one line, without markup; what stands in blocks of its own is parted by a blank."""
    page = _BLOCK.sub(lambda found: " " + found[0], response.content.decode())
    return " ".join(unescape(strip_tags(page)).split())
