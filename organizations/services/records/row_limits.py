"""The limits of a record here. If the directory shows more, nothing is saved, and a sentence says why."""

from organizations.models import Contact, Identifier, Organization
from organizations.records import MOST_ROWS, OrganizationRecord, fields_as_text


def storage_block_reason(record: OrganizationRecord) -> str:
    """Why a record from the directory cannot be saved here, as a sentence; "" if it can."""
    if not record.part_of_oid:
        return "The directory shows this record without PartOf, and every record here is part of another one."
    if record.part_of_oid == record.oid:
        return "The directory shows this record as part of itself."
    for number, what in ((len(record.contacts), "contacts"), (len(record.identifiers), "own identifiers")):
        if number > MOST_ROWS:
            return f"The directory shows {number} {what}. A record here has at most {MOST_ROWS}."
    for field in fields_as_text(record):
        most = _limit(field.field)
        if most is not None and len(field.value) > most:
            return f"{field.label} has {len(field.value)} characters in the directory. It can have {most} here."
    for one in record.identifiers:
        if len(one.value) > (_length(Identifier, "value") or 0) or len(one.kind) > (_length(Identifier, "kind") or 0):
            return "The directory shows an identifier that is longer than a record here can hold."
    return ""


def _limit(field: str) -> int | None:
    """How many characters a field can have; None if there is no limit or it is not a text."""
    kind, _, name = field.rpartition(".")
    return _length(Contact if kind.startswith("contacts") else Organization, name)


def _length(model: type[Contact | Identifier | Organization], name: str) -> int | None:
    fields = {each.name: each for each in model._meta.get_fields()}
    length = getattr(fields.get(name), "max_length", None)
    return length if isinstance(length, int) else None
