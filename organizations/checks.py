"""System checks: what Django itself can find before the portal runs."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Error, register

from organizations.services.connection import gateway
from orgportal.faults import SettingsFault


@register()
def redox_settings(app_configs: Sequence[object] | None, **_: object) -> list[CheckMessage]:
    """Crossed environments are found by `manage.py check` as well as at the start of each process."""
    try:
        gateway.verify_settings()
    except SettingsFault as fault:
        return [Error(str(fault), hint=f"Change {fault.variable}.", id="organizations.E001")]
    return []
