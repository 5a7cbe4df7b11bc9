#!/usr/bin/env python
"""Runs a command of the portal: `./dev <command>`. Ends with 0: good, 1: a finding, 2: it could not be done."""

import os
import signal
import sys
import traceback

from orgportal import processes


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orgportal.settings")
    if sys.argv[1:2] in (["demo"], ["serve"]) and "--check" not in sys.argv:
        # Until the command listens itself it has started nothing: there is nothing to stop and nothing to say.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: os._exit(0))
    processes.end_with_parent()
    try:
        run()
    except SystemExit as end:
        # Django ends with 1 for whatever went wrong. The verdict of `migrate --check` has no fault behind it.
        fault = end.__context__
        if end.code == 1 and fault is not None and not is_finding(fault):
            sys.exit(2)
        raise
    except Exception as fault:
        if "--traceback" in sys.argv:
            traceback.print_exc()
        else:
            print(f"orgportal: {sentence(fault)}", file=sys.stderr)
        sys.exit(1 if is_finding(fault) else 2)
    except KeyboardInterrupt:
        print("orgportal: interrupted.", file=sys.stderr)
        sys.exit(2)


def run() -> None:
    from orgportal import command_line, demonstration

    if sys.argv[1:2] == ["demo"]:
        # Before Django reads any setting: the demonstration uses its own and nothing else.
        demonstration.enter(os.environ)
    command_line.Utility(sys.argv).execute()


def sentence(fault: Exception) -> str:
    from orgportal import errors

    return errors.sentence(fault)


def is_finding(fault: BaseException) -> bool:
    # Not imported here: without good settings the commands cannot be loaded, and then nothing was found either.
    commands = sys.modules.get("organizations.management.commands._base")
    return commands is not None and isinstance(fault.__cause__, commands.Finding)


if __name__ == "__main__":
    main()
