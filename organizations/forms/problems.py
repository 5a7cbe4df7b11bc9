"""All errors of a page's forms, for the summary at its top."""

from collections.abc import Iterable

from django.forms import BaseForm, BaseFormSet, BoundField, RadioSelect
from django.forms.formsets import DELETION_FIELD_NAME


def problems(*parts: BaseForm | BaseFormSet | BoundField) -> list[tuple[str, str]]:
    """(id of the field, error) for every error, in the order given: forms, formsets and single fields may be mixed.

    The id of an error of a whole list is the prefix of the list; that of an error of a whole form is "".
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
        if not (isinstance(inner, BaseForm) and _is_removed(inner)):
            yield from _problems_of(inner)


def _is_removed(form: BaseForm) -> bool:
    # A formset ignores the errors of a removed form.
    return bool(getattr(form, "cleaned_data", {}).get(DELETION_FIELD_NAME))


def _anchor(field: BoundField) -> str:
    # A group of radio buttons has no control with the id of the field: the link goes to its first button.
    return f"{field.auto_id}_0" if isinstance(field.field.widget, RadioSelect) else field.auto_id
