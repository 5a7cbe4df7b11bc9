"""How many submissions a second leave the outbox.

python -m benchmarks.throughput quota [--submissions 10000] [--workers 1] [--database URL]
    at 33 requests a second to a directory that answers in 300 ms and enforces Redox's quota: the sustained rate, and
    the number of answers 429
python -m benchmarks.throughput bare [--submissions 2000] [--workers 1] [--database URL]
    without a rate limit to a directory that answers at once, compared with a bare loop that posts the same bytes
"""

import argparse

from benchmarks import ground
from benchmarks.faulty import Faulty

_TOKEN = "token-of-the-measurement"
_QUOTA = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures how fast the outbox empties.")
    parser.add_argument("kind", choices=["quota", "bare"])
    parser.add_argument("--submissions", type=int, default=0)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--database", default="", help="sqlite, postgresql, or the URL of an empty one")
    options = parser.parse_args()
    is_quota = options.kind == "quota"
    with (
        ground.exit_if_not_measured(),
        ground.database(options.database, "benchmark-throughput") as database,
        Faulty(delay=0.3 if is_quota else 0.0, quota=_QUOTA if is_quota else 0) as directory,
    ):
        ground.prepare(
            database,
            REDOX_STAGING_BASE_URL=directory.url,
            REDOX_STAGING_AUTH="token",
            REDOX_STAGING_ACCESS_TOKEN=_TOKEN,
            REDOX_RATE="33" if is_quota else "1000000",
        )
        from benchmarks import throughput_figures  # noqa: PLC0415 - models can be imported from here on

        count = options.submissions or (10_000 if is_quota else 2_000)
        workers = options.workers or 1
        throughput_figures.run(directory, count=count, workers=workers, beside_bare=not is_quota)


if __name__ == "__main__":
    main()
