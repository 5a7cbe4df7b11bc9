"""Measures how much processor time and memory the portal needs to read the whole directory.

python -m benchmarks.scan [--others 100000] [--ours 61] [--database URL]

The practice directory runs in a separate process, which is not counted. The portal does not wait between two pages; in
real use it reads at most two a second.
"""

import argparse
import socket
import sys
import tempfile
from pathlib import Path

from benchmarks import ground
from organizations.practice import Credential
from organizations.practice.credentials import write_credentials
from organizations.practice.server import HOST

_TOKEN = "token-of-the-measurement"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures reading the whole directory.")
    parser.add_argument("--others", type=int, default=100_000, help="organizations of others in the directory")
    parser.add_argument("--ours", type=int, default=61, help="organizations of ours among them")
    parser.add_argument("--database", default="", help="sqlite, postgresql, or the URL of an empty one")
    options = parser.parse_args()
    with (
        ground.exit_if_not_measured(),
        ground.database(options.database, "benchmark-scan") as database,
        tempfile.TemporaryDirectory() as folder,
    ):
        port = _free_port()
        write_credentials(Path(folder), [Credential(environment="staging", access_token=_TOKEN)])
        ground.prepare(
            database,
            REDOX_STAGING_BASE_URL=f"http://{HOST}:{port}",
            REDOX_STAGING_AUTH="token",
            REDOX_STAGING_ACCESS_TOKEN=_TOKEN,
            REDOX_RATE="1000000",
        )
        from benchmarks import scan_figures  # noqa: PLC0415 - models can be imported from here on

        scan_figures.put_ours(Path(folder), options.ours)
        command = (sys.executable, str(ground.ROOT / "manage.py"), "practice_directory")
        arguments = (f"--folder={folder}", f"--port={port}", f"--others={options.others}")
        with ground.running("practice directory", (*command, *arguments)):
            scan_figures.wait_for_others(Path(folder), options.others + options.ours)
            scan_figures.run()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
