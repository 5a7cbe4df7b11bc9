"""Run an action of somebody else in the middle of a request, triggered by a query of that request."""

from collections.abc import Callable
from typing import Any

from django.db import connection


def just_before_saving(act: Callable[[], object]) -> Any:
    """Run `act` when the form is valid and the service begins its transaction."""
    return _before(lambda sql, params: sql.startswith("SAVEPOINT"), act)


def when_queried_for(text: str, act: Callable[[], object]) -> Any:
    """Run `act` before the first query that has `text` as a parameter."""
    return _before(lambda sql, params: text in (params or ()), act)


def _before(is_due: Callable[[str, Any], bool], act: Callable[[], object]) -> Any:
    pending = [act]

    def execute(run: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
        if pending and is_due(sql, params):
            pending.pop()()
        return run(sql, params, *rest)

    return connection.execute_wrapper(execute)
