"""Exports: a file that is written while it is downloaded."""

from collections.abc import Iterable

from django.http import HttpRequest, StreamingHttpResponse


def download(request: HttpRequest, lines: Iterable[str], *, name: str, content_type: str) -> StreamingHttpResponse:
    """A file of these lines. The response to HEAD has none: it is not an export, and the web server would send them."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    content = () if request.method == "HEAD" else lines
    return StreamingHttpResponse(content, content_type=content_type, headers=headers)
