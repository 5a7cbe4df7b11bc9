"""Read phone numbers, and find doubtful ones."""

import re

import phonenumbers

from organizations.fields import FieldError, Read, lookalike_hint, quoted, reshaped, typed_code, with_hyphens

_PHONE = re.compile(r"[0-9+()./\s-]+")
_WITH_EXTENSION = re.compile(r"\D*(?:\+?1\D*)?((?:[0-9][().\s/-]{0,3}){9}[0-9])(\D+)([0-9]{1,10})\D*")
_MAX_LENGTH = 100
_NORTH_AMERICAN = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}")


def read_phone(label: str, value: str) -> Read:
    """A phone number in E.164 form (+16085550100). Without a country code it is American.

    Refuses numbers that nobody can dial: those of a length that the country does not use, and American ones whose area
    code or exchange begins with 0 or 1. Refuses extensions, because they cannot be sent. It accepts an unassigned
    number; see `is_unassigned`.
    """
    typed = typed_code(label, value)
    if not typed:
        return reshaped(label, value, "", "")
    plain = with_hyphens(typed)
    phone = _e164(plain)
    if not phone:
        raise FieldError(_form_error(typed, plain))
    return reshaped(label, value, typed, phone)


def is_unassigned(phone: str) -> bool:
    """Whether the number can be dialled but is unassigned, by the tables of `phonenumbers`. They may be out of date."""
    number = _parse(phone)
    return number is not None and not phonenumbers.is_valid_number(number)


def _form_error(typed: str, plain: str) -> str:
    if len(plain) <= _MAX_LENGTH:
        possible = phonenumbers.Leniency.POSSIBLE
        if sum(1 for _ in phonenumbers.PhoneNumberMatcher(plain, "US", leniency=possible)) > 1:
            return f"{quoted(typed)} contains more than one number. Enter one here, and the others in other fields."
        if _has_extension(plain):
            return "Extensions cannot be sent. Put the extension into the contact's name."
    advice = "Give ten digits or begin with + and the country code."
    return f"{quoted(typed)} is not a phone number.{lookalike_hint(plain)} {advice}"


def _has_extension(plain: str) -> bool:
    american = _WITH_EXTENSION.fullmatch(plain)
    if american and _e164(american[1]):
        return True
    try:
        return bool(phonenumbers.parse(plain, "US").extension)
    except phonenumbers.NumberParseException:
        return False


def _e164(plain: str) -> str:
    number = _parse(plain)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else ""


def _parse(plain: str) -> phonenumbers.PhoneNumber | None:
    """The parsed number, or None if it cannot be dialled from everywhere."""
    if not _PHONE.fullmatch(plain):
        return None
    try:
        number = phonenumbers.parse(plain, "US")
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None  # also for a local number without its area code
    national = phonenumbers.national_significant_number(number)
    return None if number.country_code == 1 and not _NORTH_AMERICAN.fullmatch(national) else number
