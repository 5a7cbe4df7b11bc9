"""Where a field of a record is in its edit form."""

_ONE_CONTROL = ("name", "oid", "aliases", "destination_id")


def form_anchor(field: str, section: str) -> str:
    """The id of a field's control; that of its section if the field has none, or more than one."""
    kind, _, rest = field.partition(".")
    if kind == "contacts":
        number, _, name = rest.partition(".")
        return f"id_contacts-{number}-{name}" if name else section
    if kind == "address":
        return f"id_{rest}"
    return f"id_{field}" if field in _ONE_CONTROL else section
