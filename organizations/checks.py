"""Django system checks of the Redox settings."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Error, register

from organizations.services.connection import redox_settings
from orgportal.start_errors import SettingsError


@register()
def check_redox_settings(app_configs: Sequence[object] | None, **_: object) -> list[CheckMessage]:
    """Find mixed-up environments in `manage.py check`, as each process does at its start."""
    try:
        redox_settings.verify_settings()
    except SettingsError as error:
        return [Error(str(error), hint=f"Change {error.variable}.", id="organizations.E001")]
    return []
