"""The practice directory as a server: its addresses, stopping it, starting it again, and its command."""

import os
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from django.core.management import CommandError, call_command, execute_from_command_line

from organizations.practice import ENVIRONMENTS, Credential, PracticeDirectory, write_credentials
from tests.practice.helpers import OID, Portal, errors, organization, success, write

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("verb", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("path", ["/endpoint", "/v2/auth/token"])
def test_every_verb_but_post_is_a_404(portal: Portal, verb: str, path: str) -> None:
    assert portal.http.request(verb, portal.practice.url + path, content=b"{}").status_code == 404


def test_an_unknown_address_is_a_404(portal: Portal) -> None:
    assert portal.http.post(f"{portal.practice.url}/query", json={}).status_code == 404


def test_another_content_type_is_refused(portal: Portal) -> None:
    headers = {"Authorization": "Bearer staging-token", "Content-Type": "text/plain"}
    answer = portal.http.post(f"{portal.practice.url}/endpoint", content=b"{}", headers=headers)
    assert answer.status_code == 400
    assert "application/json" in answer.json()["errorDetail"]


def test_a_body_without_a_length_is_refused(portal: Portal) -> None:
    assert portal.http.post(f"{portal.practice.url}/endpoint", content=iter([b"{}"])).status_code == 400


def test_more_than_ten_megabytes_are_a_413(portal: Portal) -> None:
    assert portal.send(b" " * (10 * 1024 * 1024 + 1)).status_code == 413


def test_received_requests_are_kept_without_the_authorization(portal: Portal) -> None:
    portal.send(b'{"Meta": 1}')
    (request,) = portal.practice.requests
    assert (request.path, request.body) == ("/endpoint", b'{"Meta": 1}')
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in request.headers


def test_one_connection_serves_many_requests(portal: Portal) -> None:
    with httpx.Client(trust_env=False, headers={"Authorization": "Bearer staging-token"}) as client:
        for number in range(5):
            answer = client.post(f"{portal.practice.url}/endpoint", json=write(Name=f"Name {number}"))
            assert answer.status_code in (200, 403)
            assert answer.http_version == "HTTP/1.1"
            assert "Connection" not in answer.headers


def test_one_of_many_concurrent_news_succeeds(portal: Portal) -> None:
    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(lambda _: portal.post(write()).status_code, range(16)))
    assert sorted(statuses) == [200] + [403] * 15
    assert len(portal.practice.effects) == 1


def test_a_message_cut_off_halfway_changes_nothing(portal: Portal) -> None:
    address = ("127.0.0.1", int(portal.practice.url.rpartition(":")[2]))
    with socket.create_connection(address) as connection:
        connection.sendall(b"POST /endpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert portal.practice.requests == []


def test_it_listens_on_the_loopback_address_only(practice: PracticeDirectory) -> None:
    assert practice.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("behaviour", ["never-answers", "slow"])
def test_it_stops_at_once_with_open_requests(
    tmp_path: Path, credentials: list[Credential], http: httpx.Client, behaviour: str
) -> None:
    with PracticeDirectory(tmp_path, credentials, slow_seconds=60) as practice, ThreadPoolExecutor(1) as thread:
        practice.behaviour = behaviour
        waiting = thread.submit(Portal(practice, http).post, write())
        while not practice.requests:
            time.sleep(0.01)
        with httpx.Client(trust_env=False) as idle:
            idle.get(practice.url)  # keeps its connection open
            started = time.monotonic()
            practice.__exit__(None, None, None)
            assert time.monotonic() - started < 30
        with pytest.raises(httpx.RemoteProtocolError):
            waiting.result()
    assert not [thread.name for thread in threading.enumerate() if "practice" in thread.name]


def test_a_second_run_continues_with_the_stored_state(
    tmp_path: Path, credentials: list[Credential], http: httpx.Client
) -> None:
    with PracticeDirectory(tmp_path, credentials) as first:
        message_id = Portal(first, http).post(write()).json()["Meta"]["Message"]["ID"]
    with PracticeDirectory(tmp_path) as second:
        portal = Portal(second, http)
        assert second.organizations("staging") == {OID: organization()}
        assert errors(portal.post(write())) == [f"{OID} already exists."]
        answer = portal.post(write("Update"))
        success(answer)
        assert answer.json()["Meta"]["Message"]["ID"] == message_id + 1
        assert [(effect.sequence, effect.event) for effect in second.effects] == [(1, "New"), (2, "Update")]


def test_credentials_are_readable_by_their_owner_only(tmp_path: Path, credentials: list[Credential]) -> None:
    write_credentials(tmp_path / "new", credentials)
    assert stat.S_IMODE((tmp_path / "new" / "credentials.json").stat().st_mode) == 0o600


def test_it_does_not_start_without_credentials_or_on_a_taken_port(
    tmp_path: Path, practice: PracticeDirectory, credentials: list[Credential]
) -> None:
    with pytest.raises(FileNotFoundError, match=r"credentials\.json"), PracticeDirectory(tmp_path / "empty"):
        pass
    with pytest.raises(OSError, match="in use"):
        PracticeDirectory(tmp_path, credentials, port=int(practice.url.rpartition(":")[2])).__enter__()
    (tmp_path / "credentials.json").write_text('[{"environment": "staging", "unknown": 1}]', encoding="utf-8")
    with pytest.raises(ValueError, match="holds no list of credentials"), PracticeDirectory(tmp_path):
        pass


type Command = Callable[..., subprocess.Popen[str]]
IGNORING_CTRL_C = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
# Ctrl-C works as from a terminal, even if the shell that started the tests ignores it.
HEARING_CTRL_C = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])",
)


@pytest.fixture
def command() -> Iterator[Command]:
    """Starts the management command in a separate process, which ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, *options: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*before, sys.executable, "manage.py", "practice_directory", "--folder", str(folder), *options],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    assert select.select([process.stdout], [], [], 60)[0]
    line = process.stdout.readline()
    assert line.startswith("Practice directory at http://127.0.0.1:"), line + (
        process.communicate()[1] if not line else ""
    )
    return line.split()[3].rstrip(",")


def test_the_command_prints_its_address_and_ends_with_0_after_ctrl_c(
    tmp_path: Path, credentials: list[Credential], command: Command
) -> None:
    write_credentials(tmp_path, credentials)
    process = command(tmp_path, "--others", "20", before=HEARING_CTRL_C)
    assert httpx.get(address(process), trust_env=False).status_code == 404
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0
    with PracticeDirectory(tmp_path) as practice:
        assert [len(practice.organizations(environment)) for environment in ENVIRONMENTS] == [20, 20]


def test_a_command_whose_parent_had_ctrl_c_ignored_ends_only_when_it_is_terminated(
    tmp_path: Path, credentials: list[Credential], command: Command
) -> None:
    write_credentials(tmp_path, credentials)
    process = command(tmp_path, before=IGNORING_CTRL_C)
    url = address(process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert httpx.get(url, trust_env=False).status_code == 404
    process.terminate()
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def test_the_command_says_what_is_missing_and_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["manage.py", "practice_directory", "--folder", str(tmp_path)]
    with pytest.raises(SystemExit) as ended:
        execute_from_command_line(arguments)
    output, complaint = capsys.readouterr()
    assert (ended.value.code, output) == (2, "")
    assert "credentials.json" in complaint
    assert "Traceback" not in complaint


def test_the_command_refuses_more_organizations_of_others_than_it_can_make(
    tmp_path: Path, credentials: list[Credential]
) -> None:
    write_credentials(tmp_path, credentials)
    with pytest.raises(CommandError, match="not 100001"):
        call_command("practice_directory", "--folder", str(tmp_path), "--others", "100001")
