"""Takes the pictures in docs/screens again: `.venv/bin/python -m tests.screens`. Needs Chromium; a few minutes."""

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    pictures = Path(__file__).parent / "browser" / "pictures.py"
    sys.exit(pytest.main(["--quiet", "-p", "no:randomly", str(pictures), *sys.argv[1:]]))
