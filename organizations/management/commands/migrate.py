"""Django's `migrate`, which also makes a missing SQLite database. No other command makes one.

`demo` runs it at each start. For `demo`, it also checks that the database matches: that needs no second process.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connections

from organizations.management.commands._programs import check_database
from orgportal import database_file


class Command(migrate.Command):
    def execute(self, *args: Any, **options: Any) -> str | None:
        connection = connections[options["database"]]
        if connection.vendor == "sqlite" and not (options["check_unapplied"] or options["plan"]):
            database_file.make(Path(connection.settings_dict["NAME"]))
        output = super().execute(*args, **options)  # runs Django's checks first, and they open the database
        if settings.DEMO:
            check_database()
        return output
