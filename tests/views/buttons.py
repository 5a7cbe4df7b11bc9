"""The words that no button may have. A label says what happens, and in which environment."""

import re
from html import unescape

from django.utils.html import strip_tags

_FORBIDDEN = re.compile(r"\b(submit|ok|resend|retry|sync|push|delete|publish)\b", re.IGNORECASE)
# The label of a button, of a link that looks like one, or passed by a template to a component.
_LABELS = (
    re.compile(r"<button\b[^>]*>(.*?)</button>", re.DOTALL),
    re.compile(r'<a class="btn\b[^>]*>(.*?)</a>', re.DOTALL),
    re.compile(r'<input\b(?=[^>]*type="submit")[^>]*\bvalue="([^"]*)"'),
    re.compile(r'\b(?:label|step|other_step|aria-label)="([^"]*)"'),
)


def forbidden_labels(page: str) -> list[str]:
    """The labels on a page that contain a forbidden word."""
    texts = (text for pattern in _LABELS for text in pattern.findall(page))
    words = (" ".join(unescape(strip_tags(text)).split()) for text in texts)
    return [each for each in words if _FORBIDDEN.search(each)]
