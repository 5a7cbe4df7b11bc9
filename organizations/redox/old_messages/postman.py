"""Reads the requests in a Postman collection (v2.0 and v2.1), in their order.

Variables are replaced if the collection itself has their value, but not in the value of another variable.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from organizations.redox.old_messages.results import ProblemKind, Refused
from organizations.redox.old_messages.secret_names import is_secret_name, is_secret_text

_LONGEST_NAME = 60
_LONGEST_VALUE = 200
_MOST_VARIABLES = 1_000
_VARIABLE = re.compile(r"\{\{([^{}]{1,200})\}\}")


class PostmanBody(NamedTuple):
    """The body of a request, the names of its folders and its own, and sentences about secrets."""

    text: str
    source: str
    left_out: tuple[str, ...]


def collection_in(value: Any) -> dict[str, Any] | None:
    """The value as a Postman collection, or None if it is not one. Raises Refused for other files of Postman."""
    if not isinstance(value, dict) or "Meta" in value:
        return None
    inner = value.get("collection")
    collection = inner if isinstance(inner, dict) else value
    if isinstance(collection.get("info"), dict) and isinstance(collection.get("item"), list):
        return collection
    if isinstance(value.get("requests"), list) and ("order" in value or "folders" in value):
        raise Refused(ProblemKind.POSTMAN, "This is a Postman collection of version 1. Export it as Collection v2.1.")
    if isinstance(value.get("values"), list) and ("_postman_variable_scope" in value or "name" in value):
        raise Refused(
            ProblemKind.POSTMAN,
            "This is a Postman environment. It has variables, but no requests. Give the collection.",
        )
    return None


def bodies_in(collection: dict[str, Any]) -> Iterator[PostmanBody]:
    """Each body of type raw."""
    values = dict(_variables(collection.get("variable")))
    for body in _bodies(collection, (), _has_auth(collection)):
        # A limit, because a short text could become a very long one.
        text = _VARIABLE.sub(lambda found: values.get(found[1].strip(), found[0]), body.text, count=_MOST_VARIABLES)
        yield body._replace(text=text)


def _variables(listed: Any) -> Iterator[tuple[str, str]]:
    """Name and value of each variable that has a value and is not a secret."""
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, dict) or one.get("type") == "secret" or one.get("disabled") is True:
            continue
        name, value = one.get("key"), one.get("value")
        if not isinstance(name, str) or not isinstance(value, str) or is_secret_name(name) or is_secret_text(value):
            continue
        if 0 < len(value) <= _LONGEST_VALUE:
            yield name.strip(), str(value)


def _bodies(folder: dict[str, Any], path: tuple[str, ...], has_auth: bool) -> Iterator[PostmanBody]:
    for item in folder.get("item") or ():
        if not isinstance(item, dict):
            continue
        here = (*path, _name(item))
        if isinstance(item.get("item"), list):
            yield from _bodies(item, here, has_auth or _has_auth(item))
        request = item.get("request")
        body = request.get("body") if isinstance(request, dict) else None
        raw = body.get("raw") if isinstance(body, dict) else None
        if isinstance(request, dict) and isinstance(raw, str) and raw.strip():
            yield PostmanBody(raw, " / ".join(here), tuple(_left_out(request, has_auth)))


def _left_out(request: dict[str, Any], has_auth: bool) -> Iterator[str]:
    if has_auth or _has_auth(request):
        yield "The authorization of the Postman request was left out."
    headers = request.get("header")
    for header in headers if isinstance(headers, list) else ():
        name = header.get("key") if isinstance(header, dict) else None
        if isinstance(name, str) and is_secret_name(name):
            yield f"The {name if len(name) <= _LONGEST_NAME else 'secret'} header was left out."


def _has_auth(part: dict[str, Any]) -> bool:
    auth = part.get("auth")
    return isinstance(auth, dict) and auth.get("type") not in (None, "noauth")


def _name(item: dict[str, Any]) -> str:
    name = item.get("name")
    text = " ".join(name.split()) if isinstance(name, str) else ""
    return f"{text[:_LONGEST_NAME]}..." if len(text) > _LONGEST_NAME else text or "without a name"
