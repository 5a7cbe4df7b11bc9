"""The settings of a worker process that a test starts. ORGPORTAL_FAULTS holds the settings of that one worker."""

import json
import os
from typing import Any

from orgportal.variables import Variables, redox_settings
from tests.settings import *  # noqa: F403
from tests.settings import DATABASES


def own(given: dict[str, Any]) -> dict[str, Any]:
    """The settings of this one worker. Times are as short as a busy machine allows."""
    variables = Variables(given.get("variables", {}))
    return {
        "REDOX": {name: redox_settings(variables, name, {}) for name in ("staging", "production")},
        "REDOX_DEADLINE": 1.0,
        "REDOX_LEASE": 2.5,
        "REDOX_SETTLE": 0.5,
        "REDOX_RATE": 1000.0,
        "VAR_DIR": given.get("var_dir", ""),
        "FAILPOINT": given.get("failpoint", ""),
    } | given.get("settings", {})


_given: dict[str, Any] = json.loads(os.environ.get("ORGPORTAL_FAULTS", "{}"))
_given.setdefault("failpoint", os.environ.get("ORGPORTAL_FAILPOINT", ""))
globals().update(own(_given))
if "database" in _given:
    DATABASES["default"]["NAME"] = _given["database"]
