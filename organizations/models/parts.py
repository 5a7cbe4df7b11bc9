"""Contacts and identifiers of a record."""

from django.db import models

from organizations.records import ContactRecord, IdentifierRecord

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
        return ContactRecord(
            purpose=self.purpose,
            name=self.name,
            email_addresses=tuple(self.email_addresses),
            work_phone=self.work_phone,
            mobile_phone=self.mobile_phone,
            home_phone=self.home_phone,
        )


class Identifier(models.Model):
    """An identifier of our own, in addition to the OID. Saving a record replaces all its identifiers."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="identifiers")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=60)
    value = models.CharField(max_length=TEXT_LENGTH)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"

    def record(self) -> IdentifierRecord:
        return IdentifierRecord(kind=self.kind, value=self.value)
