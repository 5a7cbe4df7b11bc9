"""Django's SQLite backend, which first locks the file against a restore and makes it private to its owner."""

from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from orgportal import database_file


class DatabaseWrapper(base.DatabaseWrapper):
    """Opens the database for pages, workers and commands."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        database_file.share(Path(conn_params["database"]).resolve())
        return super().get_new_connection(conn_params)
