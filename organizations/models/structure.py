"""The row that serializes all decisions from more than one record of an environment."""

from django.db import models

from .organization import Environment


class StructureLock(models.Model):
    """One row for each environment. It exists only to be locked (`services/locks.py`)."""

    environment = models.CharField(max_length=10, choices=Environment, primary_key=True)

    def __str__(self) -> str:
        return f"Structure of {self.get_environment_display()}"
