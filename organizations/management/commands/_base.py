"""What all commands of the portal have in common."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from organizations.services.errors import ActionRefused
from orgportal import errors


class Finding(Exception):
    """The command did its work and found something wrong; the text says what."""


class PortalCommand(BaseCommand):
    """A command whose exit code can be trusted: 0 is good, 1 is a finding, 2 is "could not be done".

    Django ends a command with 1 for any exception; here only `Finding` means 1, and everything else means 2.
    Django's checks are left out: they load every page, and `startup` checks by name what a command needs.
    """

    requires_system_checks = ()

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except Finding as finding:
            raise CommandError(str(finding), returncode=1) from finding
        except ActionRefused as refused:
            raise CommandError(str(refused), returncode=2) from refused
        except CommandError as error:
            error.returncode = 2
            raise
        except Exception as error:
            if options.get("traceback"):
                raise
            raise CommandError(errors.sentence(error), returncode=2) from error
