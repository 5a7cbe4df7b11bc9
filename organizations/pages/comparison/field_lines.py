"""The text of a field in the lines that a page prints."""

from dataclasses import replace

from organizations.records import OrganizationRecord, fields_as_text

type Lines = tuple[str, ...]


def plain_lines(record: OrganizationRecord | None) -> dict[str, Lines]:
    """Each field by its key, without contacts and without keys that the form does not have; {} without a record."""
    if record is None:
        return {}
    return {field.field: field.lines for field in fields_as_text(replace(record, contacts=(), carried=()))}


def is_code(field: str) -> bool:
    """Whether people compare this field digit by digit. OIDs have their own style everywhere."""
    return field.endswith(("destination_id", "_phone", "zip_code"))
