"""Django's command line, in which every error begins with "orgportal: " and never with the name of a class."""

import sys
from collections.abc import Callable
from typing import Any

from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand, OutputWrapper


class Utility(ManagementUtility):
    def fetch_command(self, subcommand: str) -> BaseCommand:
        """The command, which writes to standard error through `_Errors`."""
        command = super().fetch_command(subcommand)
        command.stderr = _Errors(sys.stderr)
        command.stderr.style_func = command.style.ERROR
        return command


class _Errors(OutputWrapper):
    def write(self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None) -> Any:
        start = "CommandError: "
        text = f"orgportal: {msg.removeprefix(start)}" if msg.startswith(start) else msg
        super().write(text, style_func, ending)
