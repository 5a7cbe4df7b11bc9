"""Run the practice directory, the stand-in for Redox on this machine, until it is stopped."""

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from organizations.practice import ENVIRONMENTS, PracticeDirectory

from ._base import PortalCommand


class Command(PortalCommand):
    help = "Run the practice directory: a stand-in for Redox and the Carequality directory on this machine."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, required=True, help="has credentials.json and the records")
        parser.add_argument("--port", type=int, default=0, help="by default 0: a free port")
        parser.add_argument(
            "--delay", type=float, default=5.0, help="seconds that the behaviours `slow` and `shows-late` wait"
        )
        parser.add_argument(
            "--others", type=int, default=0, help="add this many made-up organizations of others to each environment"
        )
        parser.add_argument("--seed", type=int, default=1, help="another number makes other organizations")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        # If SIGINT is ignored, the parent process stops this one itself.
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, lambda *_: stop.set())
        try:
            practice = PracticeDirectory(options["folder"], port=options["port"], slow_seconds=options["delay"])
            with practice:
                for environment in ENVIRONMENTS if options["others"] else ():
                    practice.register_others(environment, options["others"], seed=options["seed"])
                self.stdout.write(f"Practice directory at {practice.url}, records in {practice.folder}")
                self.stdout.flush()
                stop.wait()
        except (OSError, ValueError, OverflowError) as error:
            raise CommandError(f"The practice directory cannot run: {error}") from error
