"""The form that names the counterpart: the record of the same organization in the other environment."""

from collections.abc import Callable
from typing import Any

from organizations.forms.base import PortalForm, TextField


class CounterpartForm(PortalForm):
    """`oid_named` returns the OID of the record of ours with this OID or name; "" for none or several."""

    counterpart = TextField("Which record", "Its name or OID.", list="parents", css="oid w-oid")

    def __init__(self, *args: Any, environment_name: str, oid_named: Callable[[str], str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.environment_name, self.oid_named = environment_name, oid_named
        self.oid = ""
        self.fields["counterpart"].label = f"Which record in {environment_name}"

    def clean(self) -> dict[str, Any]:
        typed = self.text("counterpart").strip()
        self.oid = self.oid_named(typed) if typed else ""
        if not typed:
            self.add_error("counterpart", f"Name the record in {self.environment_name}.")
        elif not self.oid:
            error = f"'{typed}' does not name exactly one record of ours in {self.environment_name}."
            self.add_error("counterpart", f"{error} Choose from the list, or enter its OID.")
        return self.cleaned_data
