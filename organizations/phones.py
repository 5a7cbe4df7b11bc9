"""The reader of phone numbers."""

import re

import phonenumbers

from organizations.fields import FieldError, Read, quoted, reshaped, typed_code

_PHONE = re.compile(r"[0-9+()./\s\u2010-\u2015-]+")


def read_phone(label: str, value: str) -> Read:
    """A phone number in E.164 form (+16085550100); American without a country in front. Extensions cannot be sent."""
    typed = typed_code(label, value)
    if not typed:
        return reshaped(label, value, "", "")
    phone = _e164(typed)
    if not phone:
        raise FieldError(f"{quoted(typed)} is not a phone number. Give ten digits or begin with + and the country.")
    return reshaped(label, value, typed, phone)


def _e164(typed: str) -> str:
    if not _PHONE.fullmatch(typed):
        return ""
    try:
        number = phonenumbers.parse(typed, "US")
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
