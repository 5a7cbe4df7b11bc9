"""What no button is called: the words say what happens, and to which environment."""

import re
from html import unescape

from django.utils.html import strip_tags

_NEVER = re.compile(r"\b(submit|ok|resend|retry|sync|push|delete|publish)\b", re.IGNORECASE)
# A button by its element, by its look, or as the text that a template hands to a component.
_WRITTEN = (
    re.compile(r"<button\b[^>]*>(.*?)</button>", re.DOTALL),
    re.compile(r'<a class="btn\b[^>]*>(.*?)</a>', re.DOTALL),
    re.compile(r'<input\b(?=[^>]*type="submit")[^>]*\bvalue="([^"]*)"'),
    re.compile(r'\b(?:label|step|other_step|aria-label)="([^"]*)"'),
)


def forbidden(page: str) -> list[str]:
    """The words of everything that acts on a page and is called as no button is."""
    found = (text for written in _WRITTEN for text in written.findall(page))
    words = (" ".join(unescape(strip_tags(text)).split()) for text in found)
    return [each for each in words if _NEVER.search(each)]
