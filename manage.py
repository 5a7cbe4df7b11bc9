#!/usr/bin/env python
"""Runs a command of the portal: `./dev <command>`."""

import os
import sys

from django.core.management import execute_from_command_line

from orgportal import demonstration
from orgportal.faults import SettingsFault


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orgportal.settings")
    if sys.argv[1:2] == ["demo"]:
        # Before Django reads any setting: the demonstration uses its own and nothing else.
        demonstration.enter(os.environ)
    try:
        execute_from_command_line(sys.argv)
    except SettingsFault as fault:
        print(f"orgportal: {fault}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
