"""The files beside the pages: collected at each start, with names that say their content."""

import re

from django.template.loader import render_to_string

from organizations.management.commands._programs import collect_static_files


def test_what_the_frames_of_pages_name_is_collected_and_of_other_packages_little_more(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    manifest = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": manifest}}
    collect_static_files()
    for template in ("base.html", "fault.html"):
        named = re.findall(r'"/static/([^"#]+)', render_to_string(template))
        assert named
        assert [name for name in named if not (tmp_path / f"{name}.gz").exists()] == []
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.css")}
    assert {re.sub(r"\.[0-9a-f]{12}\.", ".", name) for name in files} == {"css/bootstrap.min.css", "portal.css"}
    assert not list(tmp_path.rglob("ext"))
