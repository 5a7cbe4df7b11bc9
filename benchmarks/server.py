"""Compares the portal's web server with the earlier one: requests a second, memory, and health under attack.

python -m benchmarks.server [--records 100000] [--database URL] [--threads 16,24,32]
"""

import argparse

from benchmarks import ground


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures web servers over made-up records in a separate database.")
    parser.add_argument("--records", type=int, default=100_000, help="records in STAGING, at least 10")
    parser.add_argument("--database", default="", help="an empty database; without it a new SQLite file in var/")
    parser.add_argument("--threads", default="", help="threads of a waitress process; more than one, with commas")
    parser.add_argument("--clients", default="8,32", help="numbers of clients at once, with commas")
    parser.add_argument("--rounds", type=int, default=3, help="how often the pages are measured; medians are shown")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a page is requested in each round")
    parser.add_argument("--attack", type=float, default=10.0, help="seconds of each attack; 0 for none")
    options = parser.parse_args()
    with ground.exit_if_not_measured():
        ground.prepare(options.database or ground.new_sqlite_url("server"), LOG_LEVEL="CRITICAL")  # attacks are logged
        from benchmarks import server_figures  # noqa: PLC0415 - models can be imported from here on

        threads, clients = _numbers(options.threads), _numbers(options.clients)
        server_figures.run(
            options.records, threads, clients, rounds=options.rounds, seconds=options.seconds, attack=options.attack
        )


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",") if each]


if __name__ == "__main__":
    main()
