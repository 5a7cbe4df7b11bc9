"""How long the pages take at 100,000 records, beside the stock Django admin over the same rows.

python -m benchmarks.pages [--records 100000] [--entries 200000] [--database URL]
"""

import argparse

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
    parser = argparse.ArgumentParser(description="Measures the pages over made-up records in a database of its own.")
    parser.add_argument("--records", type=int, default=100_000, help="records in STAGING, at least 10")
    parser.add_argument("--entries", type=int, default=200_000, help="entries of the history")
    parser.add_argument("--database", default="", help="an empty database; without it a new SQLite file in var/")
    parser.add_argument("--rounds", type=int, default=3, help="how often each page is measured; medians are shown")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a page is requested in each round")
    parser.add_argument("--clients", default="1,4", help="numbers of clients at once, with commas")
    options = parser.parse_args()
    clients = [int(each) for each in options.clients.split(",")]
    with ground.exit_if_not_measured():
        ground.prepare(options.database or ground.new_sqlite_url("benchmark"), **_CONNECTED)
        from benchmarks import page_figures  # noqa: PLC0415 - models can be imported from here on

        page_figures.run(
            options.records, options.entries, rounds=options.rounds, seconds=options.seconds, clients=clients
        )


if __name__ == "__main__":
    main()
