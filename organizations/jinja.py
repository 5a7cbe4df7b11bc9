"""The Jinja2 environment of the portal's own templates: filters and functions that every template has."""

from functools import lru_cache
from types import MethodType
from typing import Any

from crispy_forms.templatetags.crispy_forms_filters import as_crispy_field
from django.forms import BoundField
from django.http import QueryDict
from django.template import defaultfilters
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django_htmx.jinja import htmx_script
from jinja2 import Environment, StrictUndefined

from organizations import context
from organizations.forms.problems import problems
from organizations.text import markup
from organizations.text.links import numbered_url

FILTERS = {
    "as_crispy_field": as_crispy_field,
    "capfirst": defaultfilters.capfirst,
    "date": defaultfilters.date,
    "floatformat": defaultfilters.floatformat,
    "in_lines": markup.in_lines,
    "iso": markup.iso,
    "json_line": markup.json_line,
    "long_oid": markup.long_oid,
    "minutes": markup.minutes,
    "plain": markup.plain,
    "pluralize": defaultfilters.pluralize,
    "short_oid": markup.short_oid,
    "truncatechars": defaultfilters.truncatechars,
    "with_oids": markup.with_oids,
}


def environment(**options: Any) -> Environment:
    """The environment that `settings.TEMPLATES` names. An undefined name is an error, not an empty text."""
    # Django's backend passes `autoescape` in the options.
    own = {"undefined": StrictUndefined, "finalize": finalize, "keep_trailing_newline": True}
    jinja = Environment(**options | own)  # noqa: S701
    jinja.filters.update(FILTERS)
    jinja.globals.update(
        context.EMPTY,
        age=markup.age,
        control=control,
        htmx_script=htmx_script,
        icon=markup.icon,
        moment=markup.moment,
        now=now,
        numbered_url=numbered_url,
        problems=problems,
        static=static,
        url=url,
        with_query=with_query,
        word_mark=markup.word_mark,
    )
    return jinja


def finalize(value: object) -> object:
    """The value of an expression in a template, unchanged.

    Raises:
        TypeError: the value is a method that the template does not call. Jinja2 would show it as text.
    """
    if isinstance(value, MethodType):
        raise TypeError(f"{value.__qualname__} is not called")
    return value


@lru_cache(maxsize=1000)
def url(name: str, *arguments: object) -> str:
    """The address of a page by the name of its URL pattern. Cached, because each page has dozens of addresses."""
    return reverse(name, args=arguments)


def with_query(query: QueryDict, **changes: object) -> str:
    """The query string with these values instead of the old ones. None removes a value."""
    changed = query.copy()
    for name, value in changes.items():
        if value is None:
            changed.pop(name, None)
        else:
            changed[name] = str(value)
    return f"?{changed.urlencode()}"


def now(form: str) -> str:
    """The time at which the page is made, in the user's zone, in a form of Django's `date` filter."""
    return str(defaultfilters.date(timezone.localtime(), form))


def control(field: BoundField) -> SafeString:
    """The input of a field, without its label, hint and errors."""
    own = field.field.widget.attrs.get("class", "").split()
    return field.as_widget(attrs={"class": " ".join(dict.fromkeys([*own, "form-control"]))})
