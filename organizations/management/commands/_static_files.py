"""Collects static files when they changed. `serve`, `demo` and `webserver` do so before they start."""

import hashlib
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from orgportal import RELEASE

# Pages use one file each of Bootstrap and htmx. Hashing and compressing all files takes a second.
_UNUSED = (
    "bootstrap-*",
    "bootstrap.css*",
    "bootstrap.rtl*",
    "js/bootstrap*",
    "django_htmx/ext/*",
    "django_htmx/htmax*",
)
_FINGERPRINT = ".fingerprint"


def collect_static_files(say: Callable[[str], object]) -> None:
    """Collect the static files if something changed. Pages need the manifest, which names each file with its hash.

    A change is another release, another file among the sources or the collected files, or another size or time of one.
    """
    root = Path(settings.STATIC_ROOT)
    fingerprint = root / _FINGERPRINT
    if fingerprint.is_file() and fingerprint.read_bytes() == _fingerprint(root):
        return
    say("Collecting static files ...")
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=[*_UNUSED])
    fingerprint.write_bytes(_fingerprint(root))


def _fingerprint(root: Path) -> bytes:
    makers = (RELEASE, version("django"), version("whitenoise"), settings.STORAGES["staticfiles"], _UNUSED)
    collected = {path for path in root.rglob("*") if path.is_file() and path.name != _FINGERPRINT}
    files = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sorted({*_sources(), *collected})]
    return hashlib.sha256(repr((makers, files)).encode()).hexdigest().encode()


def _sources() -> Iterator[Path]:
    for finder in get_finders():
        for name, storage in finder.list([*_UNUSED]):
            yield Path(storage.path(name))
