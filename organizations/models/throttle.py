"""Counters of sign-in tries and repeated actions. The worker deletes rows whose period has ended."""

from django.db import models


class Throttle(models.Model):
    """How often one visitor tried a secret in a period. The key is a keyed hash, so no name is stored."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    until = models.DateTimeField(db_index=True, help_text="When the period ends. The next try begins a new one.")

    def __str__(self) -> str:
        return f"{self.count} until {self.until:%H:%M:%S}"


class Repetition(models.Model):
    """Counts an action that is repeated within a minute of its entry. Then one history entry stores the number."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(
        default=0, help_text="Acts since the last entry. The history does not have them yet."
    )
    since = models.DateTimeField(help_text="When the first of these acts happened.")
    until = models.DateTimeField(db_index=True, help_text="When they are logged.")
    # As text: a visitor can put a NUL into an address, which PostgreSQL's JSON does not accept.
    entry = models.TextField(help_text="The actor and the entry, as JSON.")

    def __str__(self) -> str:
        return f"{self.count} until {self.until:%H:%M:%S}"
