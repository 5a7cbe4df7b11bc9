"""Malformed requests to every address of the portal, by every role. None may get a 5xx or write incompletely.

python -m benchmarks.malformed [100000] [--only SEED] [--socket 2000] [--database postgresql|URL]

The seed decides the request. Most go directly to the application, and what they write is rolled back. One in fifty goes
over a socket to the running web server. Ends with code 1 and prints the seeds if there are findings.
"""

import argparse
import sys

from benchmarks import ground


def main() -> None:
    parser = argparse.ArgumentParser(description="Sends malformed requests, and judges every answer.")
    parser.add_argument("requests", type=int, nargs="?", default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", type=int, help="the one request with this seed, in this process")
    parser.add_argument("--socket", type=int, default=-1, help="how many go over a socket; by default one in fifty")
    parser.add_argument("--pages", type=int, help="of how many pages of an address the forms are read; by default all")
    parser.add_argument(
        "--database",
        default="",
        help="an empty database, or `postgresql` for a separate server; without it a new SQLite file in var/",
    )
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.requests)
    over_socket = seeds[: options.requests // 50 if options.socket < 0 else options.socket]
    if options.only is not None:
        seeds, over_socket = range(options.only, options.only + 1), range(0)
    with ground.exit_if_not_measured(), ground.database(options.database, "benchmark-malformed") as database:
        ground.prepare(database)
        from benchmarks import malformed_figures  # noqa: PLC0415 - models can be imported from here on

        findings = malformed_figures.run(seeds, over_socket, options.pages)
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
