"""JSON whose numbers keep their text, so that numbers from the directory are sent back unchanged."""

import json
from collections.abc import Callable
from typing import Any


class Number(str):
    """The text of a JSON number. 1.0 and 1 differ; 1e400 and 5,000 digits do not fit a float."""

    __slots__ = ()


def parse_json(text: str, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """The value of a JSON text. `pairs` converts each object. Raises ValueError if it is not JSON, also for NaN."""
    return json.loads(
        text, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant, object_pairs_hook=pairs
    )


def compact_json(value: Any) -> str:
    """The JSON of a value without blanks and with sorted keys."""
    return _format_json(value, "", ":", sorted)


def indented_json(value: Any) -> str:
    """The JSON of a value indented by two, with the keys in their order."""
    return _format_json(value, "\n", ": ", list)


def _format_json(value: Any, line: str, colon: str, ordered: Callable[[Any], list[Any]]) -> str:
    if isinstance(value, Number):
        return str(value)
    if not value or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    deeper = f"{line}  " if line else ""
    if isinstance(value, dict):
        brackets = "{}"
        keys = ordered(value)
        parts = [
            f"{json.dumps(key, ensure_ascii=False)}{colon}{_format_json(value[key], deeper, colon, ordered)}"
            for key in keys
        ]
    else:
        brackets = "[]"
        parts = [_format_json(part, deeper, colon, ordered) for part in value]
    return f"{brackets[0]}{deeper}{f',{deeper}'.join(parts)}{line}{brackets[1]}"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
