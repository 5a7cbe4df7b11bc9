"""Delivery under faults: the directory fails in three of ten exchanges, and every second a worker is killed.

Prints how many messages were lost, doubled or out of order.

python -m benchmarks.soak [--records 2000] [--updates 4] [--workers 8] [--settle 3] [--spelling] [--database URL]
                          [--stop-database SECONDS]

`--settle 0.001` is a control: without the wait that prevents a second New, it must find News that took effect twice.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import ground
from benchmarks.faulty import Faulty
from tests.cluster import Server

_TOKEN = "token-of-the-measurement"
_LATE = 2.0
"""The most seconds until a message whose answer was lost takes effect. The settle time must be longer."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Delivers through faults and crashes, and counts what went wrong.")
    parser.add_argument("--records", type=int, default=2000, help="each is one New; they form a tree")
    parser.add_argument(
        "--updates", type=int, default=4, help="Updates of each record, each made when the last one has ended"
    )
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--settle", type=float, default=_LATE + 1)
    parser.add_argument("--spelling", action="store_true", help="Queries show what was sent in another spelling")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60, help="give up after this many minutes")
    parser.add_argument("--database", default="", help="sqlite, postgresql, or the URL of an empty one")
    parser.add_argument(
        "--stop-database",
        type=float,
        default=0,
        help="use a separate PostgreSQL server, and stop it hard each time this many seconds have passed",
    )
    options = parser.parse_args()
    with (
        ground.exit_if_not_measured(),
        _database(options) as (database, server),
        Faulty(seed=options.seed, rate=0.3, late=_LATE, hang=4.0, spelling=options.spelling) as directory,
    ):
        ground.prepare(
            database,
            REDOX_STAGING_BASE_URL=directory.url,
            REDOX_STAGING_AUTH="token",
            REDOX_STAGING_ACCESS_TOKEN=_TOKEN,
            REDOX_DEADLINE="2",
            REDOX_LEASE="5",
            REDOX_SETTLE=str(options.settle),
            REDOX_RATE="10000",
        )
        from benchmarks import soak_figures  # noqa: PLC0415 - models can be imported from here on

        soak_figures.run(
            directory,
            records=options.records,
            updates=options.updates,
            workers=options.workers,
            minutes=options.minutes,
            server=server,
            stop_every=options.stop_database,
        )


@contextmanager
def _database(options: argparse.Namespace) -> Iterator[tuple[str, Server | None]]:
    """The address of the database, and its server if the soak stops it."""
    if options.stop_database:
        with ground.server() as server:
            yield server.address, server
        return
    with ground.database(options.database, "benchmark-soak") as address:
        yield address, None


if __name__ == "__main__":
    main()
