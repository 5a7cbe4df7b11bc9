"""Checks the HTML of pages, as the server sent it, with the Nu Html Checker (vnu). Needs Java and npm."""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "package-lock.json"
PACKAGES = ROOT / "node_modules"
JAR = PACKAGES / "vnu-jar" / "build" / "dist" / "vnu.jar"

# What differs between two answers with the same page.
_ONCE = re.compile(rb'(?<=name="csrfmiddlewaretoken" value=)"\w+"|(?<=nonce=)"[\w-]+"')
# A fragment is checked inside the smallest page that can contain it.
_PART = b'<!doctype html><html lang="en">%s%s<h1>A part of a page</h1>'
_AROUND = {b"tr": b"<table>%s</table>", b"option": b"<datalist>%s</datalist>"}


class CheckerMissing(Exception):
    """The checker cannot run on this machine; the text says what to install."""


def saves_pages(application: Any, folder: Path) -> Any:
    """The WSGI application; it also writes each page that it sends to a file named after the address."""

    def called(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        head: dict[str, str] = {}

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            head.update({name.lower(): value for name, value in headers}, status=status[:3])
            return start_response(status, headers, *rest)

        answer = application(environ, start)
        if not head.get("content-type", "").startswith("text/html"):
            return answer
        page = b"".join(answer)
        answer.close()
        if page:
            address = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {environ['QUERY_STRING']} {head['status']}"
            _save(folder, address, _whole(page) if "HTTP_HX_REQUEST" in environ else page)
        return [page]

    return called


def _whole(part: bytes) -> bytes:
    """A whole page around a fragment that htmx puts into a page, with the forms that its fields belong to."""
    part = part.strip()
    if part.lower().startswith(b"<!doctype"):
        return part
    forms = {name for name in re.findall(rb' form="([\w-]+)"', part) if b'id="%s"' % name not in part}
    title = b"" if part.startswith(b"<title>") else b"<title>Part</title>"
    for tag, around in _AROUND.items():
        if part.startswith(b"<%s" % tag):
            body, end, rest = part.rpartition(b"</%s>" % tag)
            part = around % (body + end) + rest
    part += b"".join(b'<form id="%s"></form>' % name for name in sorted(forms))
    return _PART % (title, part)


def _save(folder: Path, address: str, page: bytes) -> None:
    number = hashlib.sha256(_ONCE.sub(b"", page)).hexdigest()[:8]
    name = re.sub(r"[^\w=.]+", "-", address, flags=re.ASCII)
    (folder / f"{name[:150]}-{number}.html").write_bytes(page)


def html_errors(folder: Path) -> list[str]:
    """Each error and warning about the pages in the folder, with the first page that has it.

    Raises:
        CheckerMissing: there is no Java or npm, or one of them failed.
    """
    java = _program("java", "default-jre-headless")
    _install()
    # The checker needs a deep stack. Compiling beyond level 1 takes longer than it saves.
    command = [java, "-Xss2m", "-XX:TieredStopAtLevel=1", "-jar", str(JAR)]
    options = ["--format", "json", "--stdout", "--no-langdetect"]
    ended = subprocess.run([*command, *options, str(folder)], capture_output=True, text=True, check=False)
    try:
        messages = json.loads(ended.stdout)["messages"]
    except ValueError:
        raise CheckerMissing(f"The HTML checker failed; it needs Java 17 or newer. {ended.stderr[:500]}") from None
    places: dict[str, list[str]] = {}
    for message in messages:
        page = unquote(str(message.get("url", ""))).rpartition("/")[2]
        place = f"{page} line {message.get('lastLine')}: {' '.join(message.get('extract', '').split())}"
        places.setdefault(re.sub(r"\d+", "0", message["message"]), []).append(place)
    return [f"{text} ({len(pages)} times, first in {pages[0]})" for text, pages in places.items()]


def _install() -> None:
    """Install what the lock file names, unless it is installed already."""
    installed = PACKAGES / "installed.lock"
    if installed.exists() and installed.read_bytes() == LOCK.read_bytes():
        return
    ended = subprocess.run([_program("npm", "npm"), "ci"], cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise CheckerMissing(f"'npm ci' failed: {ended.stderr[-500:]}")
    shutil.copy(LOCK, installed)


def _program(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise CheckerMissing(f"No {name} on this machine (Debian: apt-get install {package}).")
    return path
