"""Folders that the portal creates and writes to."""

import os
import tempfile
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Create a folder and those above it. If root does so, they belong to the owner of the first existing folder."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        owner = folder.parent.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)


def write_error(folder: Path) -> str:
    """Why a folder cannot be created or written to; "" if it can. Creates no lasting file."""
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            return ""
    except OSError as error:
        return error.strerror or "it does not work"
