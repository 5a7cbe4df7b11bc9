"""Run one web process. `serve` starts several; other machines can run it too."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connections

from organizations.management.commands._programs import check_database
from organizations.management.commands._static_files import collect_static_files
from orgportal import startup, webserver
from orgportal.processes import Taken, open_listener

from ._base import PortalCommand


class Command(PortalCommand):
    help = "Runs one web process until Ctrl-C or SIGTERM. `serve` starts WEB_WORKERS of them."

    def handle(self, *args: Any, **options: Any) -> None:
        listener = webserver.inherited_listener()
        if listener is None:  # started by hand, so nothing is checked yet
            startup.verify()
            check_database()
            connections.close_all()
            collect_static_files(self.say)
            try:
                listener = open_listener(*startup.split_bind(settings.BIND), "Set another in BIND.")
            except Taken as taken:
                raise CommandError(str(taken)) from None
        from orgportal.wsgi import application  # noqa: PLC0415 - the import verifies the settings again

        webserver.serve(application, listener)
