"""How long a submission takes from "send" to "accepted", with a directory that answers at once.

python -m benchmarks.delivery [--submissions 200] [--database URL]
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks import ground
from organizations.practice import Credential, PracticeDirectory

_TOKEN = "token-of-the-measurement"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures sending, one submission at a time, with a real worker.")
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--database", default="", help="sqlite, postgresql, or the URL of an empty one")
    options = parser.parse_args()
    credentials = [Credential(environment="staging", access_token=_TOKEN)]
    with (
        ground.exit_if_not_measured(),
        ground.database(options.database, "benchmark-delivery") as database,
        tempfile.TemporaryDirectory() as folder,
        PracticeDirectory(Path(folder), credentials) as directory,
    ):
        ground.prepare(
            database,
            REDOX_STAGING_BASE_URL=directory.url,
            REDOX_STAGING_AUTH="token",
            REDOX_STAGING_ACCESS_TOKEN=_TOKEN,
        )
        from benchmarks import delivery_figures  # noqa: PLC0415 - models can be imported from here on

        delivery_figures.run(options.submissions)


if __name__ == "__main__":
    main()
