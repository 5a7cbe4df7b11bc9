"""Static files are collected at each start, with a hash of their content in their names."""

import re

from django.template.loader import render_to_string

from organizations.management.commands._programs import collect_static_files


def test_the_static_files_of_the_base_templates_are_collected_and_few_others(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    manifest = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": manifest}}
    collect_static_files()
    for template in ("base.html", "fault.html"):
        names = re.findall(r'"/static/([^"#]+)', render_to_string(template))
        assert names
        assert [name for name in names if not (tmp_path / f"{name}.gz").exists()] == []
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.css")}
    assert {re.sub(r"\.[0-9a-f]{12}\.", ".", name) for name in files} == {"css/bootstrap.min.css", "portal.css"}
    assert not list(tmp_path.rglob("ext"))
