"""Contacts and identifiers of a record."""

from dataclasses import asdict
from typing import Any

from django.db import models

from organizations.folding import name_key
from organizations.records import CONTACT_LABELS, ContactRecord, IdentifierRecord

from .organization import NAME_LENGTH, TEXT_LENGTH, Organization


class Contact(models.Model):
    """A contact of a record. Saving a record replaces all its contacts."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="contacts")
    position = models.PositiveSmallIntegerField()
    purpose = models.CharField(max_length=100)
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    email_addresses = models.JSONField(default=list, blank=True)
    work_phone = models.CharField(max_length=20, blank=True)
    mobile_phone = models.CharField(max_length=20, blank=True)
    home_phone = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.name}"

    def record(self) -> ContactRecord:
        values = {name: getattr(self, name) for name in CONTACT_LABELS}
        return ContactRecord(**values | {"email_addresses": tuple(self.email_addresses)})

    @staticmethod
    def columns_of(contact: ContactRecord) -> dict[str, Any]:
        """The values of the columns that hold a contact."""
        return asdict(contact) | {"email_addresses": list(contact.email_addresses)}


class Identifier(models.Model):
    """An identifier of our own, in addition to the OID. Saving a record replaces all its identifiers."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="identifiers")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=60)
    value = models.CharField(max_length=TEXT_LENGTH)
    value_key = models.CharField(
        max_length=32,
        blank=True,
        default="",
        help_text="Equal for the same value in any spelling; empty if folding leaves nothing of it.",
    )

    class Meta:
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["value_key"], name="identifier_by_value_key")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"

    def record(self) -> IdentifierRecord:
        return IdentifierRecord(kind=self.kind, value=self.value)

    @staticmethod
    def columns_of(identifier: IdentifierRecord) -> dict[str, str]:
        """The values of the columns that hold an identifier."""
        return {"kind": identifier.kind, "value": identifier.value, "value_key": name_key(identifier.value)}
