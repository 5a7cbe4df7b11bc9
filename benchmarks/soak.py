"""Delivery under everything that can go wrong: a directory that fails in three exchanges of ten, a worker killed every
second. Prints what was lost, doubled, out of order.

python -m benchmarks.soak [--records 2000] [--updates 4] [--workers 8] [--settle 3] [--spelling] [--database URL]

With `--settle 0.001` the waiting that keeps a New from being doubled is left out: a control, which must find doubles.
"""

import argparse

from benchmarks import ground
from benchmarks.faulty import Faulty

_TOKEN = "token-of-the-measurement"
_LATE = 2.0
"""Seconds after which a message whose answer was lost takes effect at the latest: what the settle time must outlast."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Delivers through faults and crashes, and counts what went wrong.")
    parser.add_argument("--records", type=int, default=2000, help="each is one New; they form a tree")
    parser.add_argument("--updates", type=int, default=4, help="of each record, each made when the last one ended")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--settle", type=float, default=_LATE + 1)
    parser.add_argument("--spelling", action="store_true", help="Queries show what was sent in another spelling")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60, help="give up after so long")
    parser.add_argument("--database", default="", help="an empty database; without it a new SQLite file in var/")
    wanted = parser.parse_args()
    with (
        ground.or_say_why(),
        Faulty(seed=wanted.seed, rate=0.3, late=_LATE, hang=4.0, spelling=wanted.spelling) as directory,
    ):
        ground.prepare(
            wanted.database or ground.own_file("benchmark-soak"),
            REDOX_STAGING_BASE_URL=directory.url,
            REDOX_STAGING_AUTH="token",
            REDOX_STAGING_ACCESS_TOKEN=_TOKEN,
            REDOX_DEADLINE="2",
            REDOX_LEASE="5",
            REDOX_SETTLE=str(wanted.settle),
            REDOX_RATE="10000",
        )
        from benchmarks import soak_figures  # noqa: PLC0415 - models can be imported from here on

        soak_figures.show(
            directory,
            records=wanted.records,
            updates=wanted.updates,
            workers=wanted.workers,
            minutes=wanted.minutes,
        )


if __name__ == "__main__":
    main()
