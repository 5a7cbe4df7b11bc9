"""A portal that is connected to a running practice directory: settings for both environments, by fixed access token."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.test import override_settings

from organizations.practice import Credential, PracticeDirectory
from orgportal.variables import Variables, redox_settings

CREDENTIALS = [
    Credential(environment="staging", access_token="staging-token"),
    Credential(environment="production", access_token="production-token"),
]


def variables(url: str) -> dict[str, str]:
    """The environment variables of a portal whose Redox is at `url`."""
    return {
        "REDOX_STAGING_BASE_URL": url,
        "REDOX_STAGING_AUTH": "token",
        "REDOX_STAGING_ACCESS_TOKEN": "staging-token",
        "REDOX_PRODUCTION_BASE_URL": url,
        "REDOX_PRODUCTION_AUTH": "token",
        "REDOX_PRODUCTION_ACCESS_TOKEN": "production-token",
    }


def redox(url: str, **values: str) -> dict[str, Any]:
    """The settings of both environments for `url`. `values`, such as REDOX_STAGING_SOURCE_ID, override the defaults."""
    variables_given = Variables(variables(url) | values)
    return {name: redox_settings(variables_given, name, {}) for name in ("staging", "production")}


@contextmanager
def connected(
    folder: Path, *, slow_seconds: float = 0.3, deadline: float = 20.0, **values: str
) -> Iterator[PracticeDirectory]:
    """A running practice directory, with settings that connect to it and short waiting times.

    The deadline is long enough for a busy machine. A test that waits for its end passes a shorter one.
    """
    with PracticeDirectory(folder / "practice", CREDENTIALS, slow_seconds=slow_seconds) as practice:
        settings = override_settings(
            REDOX=redox(practice.url, **values),
            REDOX_DEADLINE=deadline,
            REDOX_LEASE=deadline + 20.0,
            REDOX_SETTLE=0.5,
            REDOX_RATE=1000.0,
        )
        with settings:
            yield practice
