"""What somebody else does while a request is handled, at a moment that is found by what the database is asked."""

from collections.abc import Callable
from typing import Any

from django.db import connection


def just_before_saving(act: Callable[[], object]) -> Any:
    """Do this when the form is checked and the service begins its transaction."""
    return _before(lambda sql, params: sql.startswith("SAVEPOINT"), act)


def when_asked_about(text: str, act: Callable[[], object]) -> Any:
    """Do this when the database is first asked about that text."""
    return _before(lambda sql, params: text in (params or ()), act)


def _before(is_due: Callable[[str, Any], bool], act: Callable[[], object]) -> Any:
    waiting = [act]

    def execute(run: Callable[..., Any], sql: str, params: Any, *more: Any) -> Any:
        if waiting and is_due(sql, params):
            waiting.pop()()
        return run(sql, params, *more)

    return connection.execute_wrapper(execute)
