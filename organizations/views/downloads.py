"""What every export gives: a file that is made while it is read."""

from collections.abc import Iterable

from django.http import HttpRequest, StreamingHttpResponse


def download(request: HttpRequest, lines: Iterable[str], *, name: str, content_type: str) -> StreamingHttpResponse:
    """A file of these lines. HEAD gets none of them: it is not noted, and the web server sends what it is given."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    given = () if request.method == "HEAD" else lines
    return StreamingHttpResponse(given, content_type=content_type, headers=headers)
