"""Django system checks of the Redox settings."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Error, register

from organizations.services.connection import redox_settings
from orgportal.faults import SettingsFault


@register()
def check_redox_settings(app_configs: Sequence[object] | None, **_: object) -> list[CheckMessage]:
    """Find mixed-up environments in `manage.py check`, as each process does at its start."""
    try:
        redox_settings.verify_settings()
    except SettingsFault as fault:
        return [Error(str(fault), hint=f"Change {fault.variable}.", id="organizations.E001")]
    return []
