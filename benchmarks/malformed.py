"""Malformed requests to every address of the portal, by every role: nothing may answer 5xx or leave half of a write.

python -m benchmarks.malformed [100000] [--only SEED] [--socket 2000] [--database postgresql|URL]

A request follows from its seed. Most go straight to the application, and what they write is undone; one in fifty goes
over a socket to the running web server. Ends with 1 and the seeds if something was found.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import ground
from tests import cluster


def main() -> None:
    parser = argparse.ArgumentParser(description="Sends malformed requests, and judges every answer.")
    parser.add_argument("requests", type=int, nargs="?", default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", type=int, help="the one request with this seed, in this process")
    parser.add_argument("--socket", type=int, default=-1, help="how many go over a socket; one in fifty without it")
    parser.add_argument("--pages", type=int, help="of how many pages of an address the forms are read; all without it")
    parser.add_argument(
        "--database",
        default="",
        help="an empty database, or `postgresql` for one of its own; without it a new SQLite file in var/",
    )
    wanted = parser.parse_args()
    seeds = range(wanted.first, wanted.first + wanted.requests)
    over_socket = seeds[: wanted.requests // 50 if wanted.socket < 0 else wanted.socket]
    if wanted.only is not None:
        seeds, over_socket = range(wanted.only, wanted.only + 1), range(0)
    with ground.or_say_why(), _database(wanted.database) as database:
        ground.prepare(database)
        from benchmarks import malformed_figures  # noqa: PLC0415 - models can be imported from here on

        found = malformed_figures.show(seeds, over_socket, wanted.pages)
    sys.exit(1 if found else 0)


@contextmanager
def _database(named: str) -> Iterator[str]:
    if named != "postgresql":
        yield named or ground.own_file("benchmark-malformed")
        return
    programs = cluster.binaries()
    if programs is None:
        raise ground.NotMeasured("There is no PostgreSQL server on this machine.")
    with cluster.cluster(programs) as address:
        yield address


if __name__ == "__main__":
    main()
