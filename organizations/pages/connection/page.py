"""The connection to one environment: its settings, the last check, and the workers."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from organizations.models import Environment, EnvironmentGate, User
from organizations.pages import Page
from organizations.pages.addresses import environment_url
from organizations.pages.connection import setting_rows
from organizations.pages.connection.setting_rows import MissingVariable, SettingRow
from organizations.permissions import Right, block_reason, right_to_send
from organizations.queries import environments
from organizations.services.connection import overview
from organizations.services.connection.overview import ConnectionFacts
from organizations.services.delivery import heartbeat, resume
from organizations.services.delivery.heartbeat import WorkerFacts

CHECK = "check the connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPage(Page):
    """What the portal knows; building this page sends nothing to Redox."""

    template = "connection/page.html"

    gate: EnvironmentGate
    facts: ConnectionFacts
    settings_in_force: list[SettingRow]
    missing: list[MissingVariable]
    lines_to_set: str
    checked: SafeString | str
    clock: str
    can_resume: bool
    check_block_reason: str
    block_reason: str
    workers: list[WorkerFacts]
    routing_table: tuple[tuple[str, str, str], ...]
    switch_url: str


def build(environment: Environment, user: User) -> ConnectionPage:
    gate = environments.gate_of(environment)
    facts = overview.connection_facts(environment)
    return ConnectionPage(
        gate=gate,
        facts=facts,
        settings_in_force=setting_rows.settings_in_force(facts),
        missing=setting_rows.missing(facts),
        lines_to_set=setting_rows.lines_to_set(facts),
        checked=setting_rows.check_sentence(gate),
        clock=setting_rows.clock_sentence(gate),
        can_resume=resume.can_resume(gate),
        check_block_reason=block_reason(user, Right.EDIT, environment, CHECK),
        block_reason=block_reason(user, right_to_send(environment)),
        workers=heartbeat.known_workers(environment),
        routing_table=overview.routing_table(),
        switch_url=environment_url("connection", environment.other),
    )
