"""The supervisor of several programs: restarts, the order of stopping, and no orphans."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from organizations.management.commands import _programs, deliver
from orgportal.processes import Taken, describe_lock_holders, only_one, open_listener

ROOT = Path(__file__).resolve().parents[2]

# Runs programs of a few lines. Each program writes its events into the folder.
DRIVER = """
import sys
from orgportal.processes import Program, Supervisor
folder = sys.argv[1]
def program(name, code, stop_within=5.0):
    head = f"import os, signal, sys, time; note = open({folder + '/notes'!r}, 'a', buffering=1); name = {name!r}"
    return Program(name, (sys.executable, "-c", head + chr(10) + code), stop_within=stop_within)
POLITE = '''
def stop(*_):
    print(name, "stops", file=note); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print(name, "runs", os.getpid(), file=note)
time.sleep(60)
'''
DEAF = '''
signal.signal(signal.SIGTERM, lambda *_: print(name, "hears", file=note))
print(name, "runs", os.getpid(), file=note)
time.sleep(60)
'''
FRAIL = '''
print(name, "runs", time.monotonic(), file=note)
'''
supervisor = Supervisor(lambda line: print(line, flush=True))
supervisor.listen_to_signals()
"""


class Driver:
    """A supervisor in a separate process."""

    def __init__(self, folder: Path, code: str) -> None:
        self.notes_file = folder / "notes"
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER + code, str(folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def notes(self) -> list[list[str]]:
        text = self.notes_file.read_text() if self.notes_file.exists() else ""
        return [line.split() for line in text.splitlines()]

    def wait_for(self, *names: str, event: str = "runs") -> None:
        until = time.monotonic() + 60
        while not {note[0] for note in self.notes() if note[1] == event} >= set(names):
            assert time.monotonic() < until, self.notes()
            time.sleep(0.05)

    def signal_group(self, number: signal.Signals = signal.SIGINT) -> None:
        """Send a signal to the process group, as a terminal does on Ctrl-C."""
        os.killpg(self.process.pid, number)

    def end(self, timeout: float) -> tuple[int, str]:
        output, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, output

    def alive(self) -> list[int]:
        return [int(note[2]) for note in self.notes() if note[1] == "runs" and is_alive(int(note[2]))]


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_ctrl_c_reaches_the_parent_alone_and_programs_stop_in_order(tmp_path):
    programs = "[program('worker', POLITE), program('web', POLITE)]"
    driver = Driver(tmp_path, f"supervisor.start(program('practice', POLITE))\nsupervisor.run({programs})")
    driver.wait_for("practice", "worker", "web")
    driver.signal_group()
    assert driver.end(60) == (0, "")
    assert [note[0] for note in driver.notes() if note[1] == "stops"] == ["worker", "web", "practice"]
    assert driver.alive() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_stop_as_well(tmp_path, number):
    driver = Driver(tmp_path, "supervisor.run([program('worker', POLITE)])")
    driver.wait_for("worker")
    driver.process.send_signal(number)
    assert driver.end(60) == (0, "")


def test_a_worker_has_time_to_store_outcomes_after_its_exchanges_were_cut_off():
    """With 64 messages in flight a worker on a busy machine ended 2.7 seconds after that."""
    (worker,) = _programs.workers()
    assert worker.stop_within >= deliver.FINISH_WITHIN + 10


def test_a_program_that_does_not_stop_in_time_is_killed(tmp_path):
    driver = Driver(tmp_path, "supervisor.run([program('worker', DEAF, stop_within=0.5), program('web', POLITE)])")
    driver.wait_for("worker", "web")
    driver.signal_group()
    assert driver.end(60) == (0, "The worker did not stop within 0 s and is killed.\n")
    assert driver.alive() == []


def test_a_second_signal_kills_at_once(tmp_path):
    driver = Driver(tmp_path, "supervisor.run([program('worker', DEAF, stop_within=60), program('web', DEAF, 60)])")
    driver.wait_for("worker", "web")
    driver.signal_group()
    driver.wait_for("worker", event="hears")
    assert len(driver.alive()) == 2
    driver.signal_group()
    assert driver.end(30)[0] == 0
    assert driver.alive() == []


def test_a_program_that_dies_is_restarted_after_increasing_pauses(tmp_path):
    driver = Driver(tmp_path, "supervisor.run([program('worker', FRAIL), program('web', POLITE)])")
    until = time.monotonic() + 60
    while len([note for note in driver.notes() if note[0] == "worker"]) < 3:
        assert time.monotonic() < until
        time.sleep(0.05)
    driver.signal_group()
    code, output = driver.end(60)
    started = [float(note[2]) for note in driver.notes() if note[0] == "worker"]
    assert code == 0
    assert started[1] - started[0] >= 1
    assert started[2] - started[1] >= 2
    assert output.splitlines()[:2] == [
        "The worker ended with 0; it is started again in 1 s.",
        "The worker ended with 0; it is started again in 2 s.",
    ]


def test_a_signal_ends_a_program_that_runs_once(tmp_path):
    driver = Driver(tmp_path, "print(supervisor.run_once(program('seed', POLITE).command), supervisor.stopping)")
    driver.wait_for("seed")
    driver.signal_group()
    assert driver.end(60) == (0, "0 True\n")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not show who has a file open")
def test_the_owner_of_a_lock_is_named_first(tmp_path):
    lock = tmp_path / "lock"
    lock.touch()
    code = "import sys, time; file = open(sys.argv[1]); print('open', flush=True); time.sleep(60)"
    holding: list[Any] = [
        subprocess.Popen([sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE) for _ in range(2)
    ]
    try:
        assert [each.stdout.readline() for each in holding] == [b"open\n"] * 2
        for owner in holding:
            assert describe_lock_holders(lock, owner.pid).startswith(f"process {owner.pid} ")
    finally:
        for each in holding:
            each.kill()
            each.communicate()


def test_only_one_process_holds_a_lock_and_its_end_releases_it(tmp_path):
    lock = tmp_path / "var" / "serve.lock"
    with only_one(lock), pytest.raises(Taken, match=f"as process {os.getpid()} "), only_one(lock):
        pass
    with only_one(lock):
        pass


def test_a_child_that_inherits_the_lock_holds_it_and_is_named(tmp_path):
    lock = tmp_path / "serve.lock"
    with only_one(lock) as descriptor:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[descriptor])
    try:
        process_words = f"as process {child.pid} " if Path("/proc").exists() else "already running"
        with pytest.raises(Taken, match=process_words), only_one(lock):
            pass
    finally:
        child.kill()
        child.wait()
    with only_one(lock):
        pass


def test_a_port_in_use_is_reported_with_advice():
    with open_listener("127.0.0.1", 0, "") as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Taken, match=f"port {port} on 127.0.0.1 cannot be used: .*. Take another."):
            open_listener("127.0.0.1", port, "Take another.")
