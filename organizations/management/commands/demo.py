"""Run the portal with made-up records and the practice directory, all on this machine."""

import socket
import time
from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from organizations.management.commands._programs import lock_file, manage, web_servers, workers
from organizations.management.commands._static_files import collect_static_files
from orgportal import demonstration, startup
from orgportal.processes import Program, Supervisor, Taken, only_one, open_listener

from ._base import PortalCommand


class Command(PortalCommand):
    help = "Runs the portal with made-up records and the practice directory. Nothing leaves this machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=_port, default=8000, help="the port of the portal (default 8000)")
        parser.add_argument("--fresh", action="store_true", help="delete the data of earlier runs, and start again")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Start it with: ./dev demo")
        startup.verify()
        supervisor = Supervisor(self.say)
        supervisor.listen_to_signals()
        try:
            advice = "Another one: ./dev demo --port 8001"
            with only_one(lock_file("demo")) as lock, open_listener("127.0.0.1", options["port"], advice) as listener:
                supervisor.inherit = (lock,)
                self._run(supervisor, listener, fresh=options["fresh"])
        except Taken as taken:
            raise CommandError(str(taken)) from None
        finally:
            supervisor.stop()

    def _run(self, supervisor: Supervisor, listener: socket.socket, *, fresh: bool) -> None:
        folder = settings.VAR_DIR
        seeded = folder / "demo.seeded"
        if fresh or not seeded.exists():
            demonstration.start_over(folder)  # also after an interrupted first run
        demonstration.check_database(folder)  # before `migrate` changes it
        practice_port = self._start_practice_directory(supervisor)  # it starts during the next steps
        if not seeded.exists():
            self.say("Making the database (once) ...")
        # `migrate` also refuses a database that does not match. Without that, each program below would fail, and the
        # supervisor would start it again and again.
        self._once(supervisor, "migrate", "--verbosity=0", "--skip-checks")
        collect_static_files(self.say)
        self._wait_for_practice_directory(supervisor, practice_port)
        if not seeded.exists():
            self.say("Making the records of the demonstration (once) ...")
            self._once(supervisor, "seed_demo")
            if not supervisor.stopping:
                seeded.touch()
        if not supervisor.stopping:
            self.say(f"The demonstration is at http://127.0.0.1:{listener.getsockname()[1]}/")
            self.say('Press "Sign in as editor (start here)" there. Stop it with Ctrl-C; --fresh starts over.')
        supervisor.run([*workers(), *web_servers(listener)])

    def _start_practice_directory(self, supervisor: Supervisor) -> int:
        """Start the practice directory. Returns its port."""
        folder = settings.VAR_DIR
        port = demonstration.choose_practice_port(folder)
        command = manage("practice_directory", "--folder", str(folder / "demo-practice"), "--port", str(port))
        supervisor.start(Program("practice directory", command))
        return port

    def _wait_for_practice_directory(self, supervisor: Supervisor, port: int) -> None:
        until = time.monotonic() + 20
        while not supervisor.stopping and not _answers(port):
            if time.monotonic() > until:
                raise CommandError("The practice directory did not start.")
            time.sleep(0.1)

    def _once(self, supervisor: Supervisor, *arguments: str) -> None:
        if not supervisor.stopping and supervisor.run_once(manage(*arguments)) != 0 and not supervisor.stopping:
            raise CommandError(f"'./dev {arguments[0]}' failed; its message is above.")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise ArgumentTypeError(f"{text!r} is not a port: enter a number from 1 to 65535, or 0 for a free port")
    return int(text)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
