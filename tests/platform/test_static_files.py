"""Static files are collected when they changed, with a hash of their content in their names."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from django.template.loader import render_to_string

from organizations.management.commands import _static_files
from organizations.management.commands._static_files import collect_static_files

MANIFEST = "whitenoise.storage.CompressedManifestStaticFilesStorage"


@pytest.fixture
def root(settings, tmp_path) -> Path:
    """An empty folder for the collected files."""
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": MANIFEST}}
    return tmp_path / "collected"


def test_the_static_files_of_the_base_templates_are_collected_and_few_others(root):
    collect_static_files(print)
    for template in ("base.html", "fault.html"):
        names = re.findall(r'"/static/([^"#]+)', render_to_string(template))
        assert names
        assert [name for name in names if not (root / f"{name}.gz").exists()] == []
    files = {str(path.relative_to(root)) for path in root.rglob("*.css")}
    assert {re.sub(r"\.[0-9a-f]{12}\.", ".", name) for name in files} == {"css/bootstrap.min.css", "portal.css"}
    assert not list(root.rglob("ext"))


class Folders(NamedTuple):
    source: Path
    root: Path


@pytest.fixture
def collected(settings, tmp_path, root) -> Folders:
    """A folder with one static file, and the collected files. Those of the packages are left out: they take longest."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "portal.css").write_text("body {}")
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    collect_static_files(print)
    return Folders(source, root)


def test_unchanged_files_are_not_collected_again(collected):
    before = {path: path.stat().st_mtime_ns for path in collected.root.rglob("*")}
    lines: list[str] = []
    collect_static_files(lines.append)
    assert lines == []
    assert {path: path.stat().st_mtime_ns for path in collected.root.rglob("*")} == before


def same_size_later(source: Path, _root: Path) -> None:
    later = (source / "portal.css").stat().st_mtime_ns + 1_000_000_000
    (source / "portal.css").write_text("main {}")
    os.utime(source / "portal.css", ns=(later, later))


def other_size_same_time(source: Path, _root: Path) -> None:
    time = (source / "portal.css").stat().st_mtime_ns
    (source / "portal.css").write_text("body { margin: 0 }")
    os.utime(source / "portal.css", ns=(time, time))


def new_file(source: Path, _root: Path) -> None:
    (source / "new.css").write_text("main {}")


def missing_collected_file(_source: Path, root: Path) -> None:
    next(root.glob("portal.*.css")).unlink()


def changed_manifest(_source: Path, root: Path) -> None:
    (root / "staticfiles.json").write_text("{}")


@pytest.mark.parametrize(
    "change", [same_size_later, other_size_same_time, new_file, missing_collected_file, changed_manifest]
)
def test_changed_files_are_collected_again(collected, change: Callable[[Path, Path], None]):
    change(*collected)
    lines: list[str] = []
    collect_static_files(lines.append)
    assert lines == ["Collecting static files ..."]
    sources = {path.name: path.read_bytes() for path in collected.source.iterdir()}
    names = json.loads((collected.root / "staticfiles.json").read_bytes())["paths"]
    assert {name: (collected.root / names[name]).read_bytes() for name in sources} == sources
    collect_static_files(lines.append)
    assert len(lines) == 1


def test_another_release_collects_again(collected, monkeypatch):
    monkeypatch.setattr(_static_files, "RELEASE", "another")
    lines: list[str] = []
    collect_static_files(lines.append)
    assert lines == ["Collecting static files ..."]
