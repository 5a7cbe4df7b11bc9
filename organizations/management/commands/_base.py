"""What all commands of the portal have in common."""

import traceback
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from orgportal.faults import SettingsFault


class Finding(Exception):
    """The command did its work and found something wrong; the text says what."""


class PortalCommand(BaseCommand):
    """A command whose exit code can be trusted: 0 is good, 1 is a finding, 2 is "could not be done".

    Django ends a command with 1 for any exception; here only `Finding` means 1, and everything else means 2.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except Finding as finding:
            raise CommandError(str(finding), returncode=1) from finding
        except SettingsFault as fault:
            raise CommandError(str(fault), returncode=2) from fault
        except CommandError as error:
            error.returncode = 2
            raise
        except Exception as error:
            if options.get("traceback"):
                raise
            lines = traceback.format_exception_only(error)
            raise CommandError("".join(lines).strip(), returncode=2) from error
