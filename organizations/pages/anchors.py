"""The ids of the fields in the form of a record."""

_ONE_CONTROL = ("name", "oid", "aliases", "destination_id")


def form_anchor(field: str, section_anchor: str) -> str:
    """The id of a field's control; that of its section if the field has no control or more than one."""
    kind, _, rest = field.partition(".")
    if kind == "contacts":
        number, _, name = rest.partition(".")
        return f"id_contacts-{number}-{name}" if name else section_anchor
    if kind == "address":
        return f"id_{rest}"
    return f"id_{field}" if field in _ONE_CONTROL else section_anchor
