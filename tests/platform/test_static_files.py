"""The files beside the pages: collected at each start, with names that say their content."""

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string

from organizations.management.commands._running import collect_static_files


@pytest.fixture
def collected(settings, tmp_path) -> Path:
    settings.STATIC_ROOT = tmp_path
    manifest = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": manifest}}
    collect_static_files()
    return tmp_path


@pytest.mark.parametrize("template", ["base.html", "fault.html"])
def test_what_the_frame_of_a_page_names_is_collected(collected, template):
    named = re.findall(r'"/static/([^"#]+)', render_to_string(template))
    assert named
    assert [name for name in named if not (collected / f"{name}.gz").exists()] == []


def test_of_other_packages_little_more_is_collected(collected):
    files = {str(path.relative_to(collected)) for path in collected.rglob("*.css")}
    assert {re.sub(r"\.[0-9a-f]{12}\.", ".", name) for name in files} == {"css/bootstrap.min.css", "portal.css"}
    assert not list(collected.rglob("ext"))
