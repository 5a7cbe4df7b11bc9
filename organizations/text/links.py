"""The addresses of pages to which one page has hundreds of links. Each URL pattern is resolved only once."""

from functools import cache

from django.urls import reverse

_ANY_NUMBER = 987654321


def numbered_url(name: str, *arguments: object) -> str:
    """The address of a page by the name of its pattern. The last argument is a number."""
    beginning, end = _around_number(name, *arguments[:-1])
    return f"{beginning}{arguments[-1]}{end}"


@cache
def _around_number(name: str, *arguments: object) -> tuple[str, str]:
    beginning, _, end = reverse(name, args=[*arguments, _ANY_NUMBER]).rpartition(str(_ANY_NUMBER))
    return beginning, end
