"""Store the outcome of a settled submission in its entry's columns, so that the history can be filtered by it."""

import json
from typing import Any

from django.db import migrations

FINAL = ("accepted", "rejected")
AT_ONCE = 500


def name_outcomes(apps: Any, schema_editor: Any) -> None:
    entries = apps.get_model("organizations", "AuditEntry").objects.filter(action="submission.settled", outcome="")
    found: dict[str, list[int]] = {state: [] for state in FINAL}
    for sequence, body in entries.values_list("sequence", "body").iterator(chunk_size=AT_ONCE):
        state = _state(bytes(body))
        if state in found:
            found[state].append(sequence)
    for state, sequences in found.items():
        for start in range(0, len(sequences), AT_ONCE):
            part = sequences[start : start + AT_ONCE]
            entries.filter(sequence__in=part).update(outcome=state)


def _state(body: bytes) -> str:
    try:
        return str(json.loads(body)["details"]["state"])
    except (ValueError, KeyError, TypeError):
        return ""


class Migration(migrations.Migration):
    dependencies = [("organizations", "0013_shown_place")]

    operations = [migrations.RunPython(name_outcomes, migrations.RunPython.noop, elidable=True)]
