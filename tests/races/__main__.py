"""Run each race on PostgreSQL with this many free rounds: `python -m tests.races 200`."""

import os
import sys

from tests import run

if __name__ == "__main__":
    os.environ["RACE_ROUNDS"] = sys.argv[1] if len(sys.argv) > 1 else "200"
    sys.exit(1 if run.postgresql("tests/races", *sys.argv[2:]).failed else 0)
