"""Measures the pages at several numbers of records, compared with the stock Django admin over the same rows.

python -m benchmarks.pages [--records 1000 100000 1000000] [--database sqlite|postgresql|URL]

Ends with 1 if hostile input got an error or took more than a second.
"""

import argparse
import sys

from benchmarks import ground

# Both environments are connected, as in a real portal, but to a port on which nothing listens.
_CONNECTED = {
    f"REDOX_{name}_{variable}": value
    for name in ("STAGING", "PRODUCTION")
    for variable, value in (
        ("BASE_URL", "http://127.0.0.1:9"),
        ("AUTH", "token"),
        ("ACCESS_TOKEN", f"token-of-{name}"),
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures the pages over made-up records in a separate database.")
    parser.add_argument(
        "--records", type=int, nargs="+", default=[1_000, 100_000], help="records in STAGING, in rising order"
    )
    parser.add_argument("--entries", type=int, default=2, help="entries of the history for each record")
    parser.add_argument(
        "--database",
        default="sqlite",
        help="`sqlite` for a new file in var/, `postgresql` for a separate server, or the URL of an empty database",
    )
    parser.add_argument("--filled", action="store_true", help="use a database that an earlier measurement filled")
    parser.add_argument("--rounds", type=int, default=5, help="how often each page is measured; medians are shown")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a page is requested in each round")
    parser.add_argument("--clients", type=int, default=4, help="clients at once")
    parser.add_argument("--hostile", type=int, default=1, metavar="N", help="send only each N-th hostile input")
    options = parser.parse_args()
    with ground.exit_if_not_measured(), ground.database(options.database, "benchmark") as database:
        ground.prepare(database, filled=options.filled, LOG_LEVEL="ERROR", **_CONNECTED)
        from benchmarks import page_figures  # noqa: PLC0415 - models can be imported from here on

        failed = page_figures.run(
            options.records,
            page_figures.Options(
                options.entries,
                options.rounds,
                options.seconds,
                options.clients,
                filled=options.filled,
                hostile=options.hostile,
            ),
        )
    for line in failed:
        print(line, file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
