"""Django's SQLite backend, which first makes sure that the file may be used now and that nobody else can read it."""

from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from orgportal import database_file


class DatabaseWrapper(base.DatabaseWrapper):
    """Pages, workers and commands all open the database here."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        database_file.share(Path(conn_params["database"]).resolve())
        return super().get_new_connection(conn_params)
