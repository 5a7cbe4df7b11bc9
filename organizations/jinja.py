"""The Jinja2 environment of the portal's own templates: filters and functions that every template has."""

import re
from functools import cache, lru_cache
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
from jinja2 import Environment, StrictUndefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

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
    own = {"undefined": StrictUndefined, "keep_trailing_newline": True}
    jinja = PortalEnvironment(**options | own)
    jinja.filters.update(FILTERS)
    jinja.globals.update(
        context.EMPTY,
        age=markup.age,
        control=control,
        copy_button=markup.copy_button,
        htmx_script=htmx_script,
        icon=markup.icon,
        moment=markup.moment,
        now=now,
        numbered_url=numbered_url,
        oid_text=markup.oid_text,
        problems=problems,
        static=static_url,
        url=url,
        with_query=with_query,
        word_mark=markup.word_mark,
    )
    return jinja


_UNSAFE = re.compile("[&<>'\"]").search


class _CodeGenerator(CodeGenerator):
    """Compiles `{{ value }}` to one call of `output`. Jinja2 itself would call three functions a value."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write("environment.output(")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        self.write(")")


class PortalEnvironment(Environment):
    """An environment whose templates always escape."""

    code_generator_class = _CodeGenerator

    @staticmethod
    def output(value: Any) -> str:
        """The value of an expression in a template as HTML, as `markupsafe.escape` returns it.

        Raises:
            TypeError: the value is a method that the template does not call. Jinja2 would show it as text.
        """
        kind = type(value)
        if kind is str:
            return value if _UNSAFE(value) is None else escape(value)  # most texts have none, and escape() is slow
        if kind is Markup or kind is SafeString:
            return value
        if isinstance(value, MethodType):
            raise TypeError(f"{value.__qualname__} is not called")
        return escape(value)


static_url = cache(static)
"""The address of a static file. Cached, because each page has several."""


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
