"""What templates need beyond Django: icons, times, OIDs, foreign text made harmless to the eye, problems of forms."""

from collections.abc import Iterable

from django import template
from django.forms import BaseForm, BaseFormSet, BoundField, RadioSelect
from django.forms.formsets import DELETION_FIELD_NAME

from organizations.text import markup

register = template.Library()
for tag in (markup.icon, markup.moment, markup.age):
    register.simple_tag(tag)
for each in (
    markup.plain,
    markup.minutes,
    markup.short_oid,
    markup.long_oid,
    markup.in_lines,
    markup.with_oids,
    markup.json_line,
):
    register.filter(each.__name__, each)


@register.simple_tag
def problems(*parts: BaseForm | BaseFormSet | BoundField) -> list[tuple[str, str]]:
    """(id of the field, error) for every error, in the order given. The id is "" where an error is of no one field.

    The place of a list is named by its prefix.

    Forms, formsets and single fields may be mixed, so that the list can follow the page.
    """
    return [problem for part in parts for problem in _problems_of(part)]


def _problems_of(part: BaseForm | BaseFormSet | BoundField) -> Iterable[tuple[str, str]]:
    if isinstance(part, BoundField):
        yield from ((_anchor(part), str(error)) for error in part.errors)
        return
    if isinstance(part, BaseFormSet):
        yield from ((part.prefix or "", str(error)) for error in part.non_form_errors())
    else:
        yield from (("", str(error)) for error in part.non_field_errors())
    for inner in part:
        if not (isinstance(inner, BaseForm) and _is_taken_away(inner)):
            yield from _problems_of(inner)


def _is_taken_away(form: BaseForm) -> bool:
    # Of a removed form the formset itself asks nothing more.
    return bool(getattr(form, "cleaned_data", {}).get(DELETION_FIELD_NAME))


def _anchor(field: BoundField) -> str:
    # A group of choices has no control of its own name: the link goes to its first choice.
    return f"{field.auto_id}_0" if isinstance(field.field.widget, RadioSelect) else field.auto_id
