"""The base class of the portal's commands."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from organizations.services.errors import ActionRefused
from orgportal import errors


class Finding(Exception):
    """The command ran and found something wrong. The text says what."""


class PortalCommand(BaseCommand):
    """A command with reliable exit codes: 0 is success, 1 is a finding, 2 is an error.

    Django's commands end with 1 for any exception. Here only `Finding` means 1, and every other exception means 2.
    Django's system checks do not run, because they load every page; `startup` checks what a command needs.
    """

    requires_system_checks = ()

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except Finding as finding:
            raise CommandError(str(finding), returncode=1) from finding
        except ActionRefused as error:
            raise CommandError(str(error), returncode=2) from error
        except CommandError as error:
            error.returncode = 2
            raise
        except Exception as error:
            if options.get("traceback"):
                raise
            raise CommandError(errors.sentence(error), returncode=2) from error

    def say(self, line: str) -> None:
        """Print a line now, also if the output goes to a file."""
        self.stdout.write(line)
        self.stdout.flush()
