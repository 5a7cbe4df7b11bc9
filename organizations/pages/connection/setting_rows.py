"""The settings of one environment as rows, and its last check in words."""

from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import EnvironmentGate
from organizations.pages.submission.attempts import seconds
from organizations.services.connection import overview
from organizations.services.connection.overview import ConnectionFacts
from organizations.text.markup import moment, plain, with_oids, written

NOT_SET = "not set"
INVALID = "set, not valid"
WHERE_OAUTH = (
    "Redox dashboard, OAuth API key; its environment selector must show the environment that has your Carequality"
    " subscription"
)
_MEANS = {
    "AUTH": "How to sign in: oauth, api-key or token. Redox recommends oauth.",
    "CLIENT_ID": "The client ID of the OAuth API key in Redox's dashboard.",
    "KEY_ID": "The name (kid) of the public key that you added to that API key.",
    "PRIVATE_KEY_FILE": "The file with the private key in PEM form. Only the portal may read it.",
    "API_KEY": "The legacy API key of the source in Redox's dashboard.",
    "API_SECRET": "Its secret, shown once when the key was made.",
    "ACCESS_TOKEN": "An access token from elsewhere. It expires after minutes or hours: for trials only.",
}


class SettingRow(NamedTuple):
    """One setting: its value, where that comes from, and its variable. `copy` is the whole value for the clipboard."""

    label: str
    value: str
    source: str
    variable: str
    note: str = ""
    copy: str = ""


class MissingVariable(NamedTuple):
    """A variable that must be set, and what it means."""

    variable: str
    means: str


def settings_in_force(facts: ConnectionFacts) -> list[SettingRow]:
    """All settings. A secret has no value here, only whether it is set."""
    return [_without_invalid_value(row, facts) for row in _rows(facts)]


def _without_invalid_value(row: SettingRow, facts: ConnectionFacts) -> SettingRow:
    # The invalid value is not shown: it may be a secret in the wrong place.
    return (
        row._replace(value="cannot be used", source=INVALID, copy="")
        if row.variable in facts.invalid_variables
        else row
    )


def _rows(facts: ConnectionFacts) -> list[SettingRow]:
    return [
        SettingRow("Address", facts.base_url, *_source(facts, "base_url")),
        SettingRow("Way to sign in", _sign_in(facts), *_source(facts, "auth", facts.auth), _sign_in_note(facts)),
        *_key_rows(facts),
        SettingRow(
            "Source ID",
            facts.source_id or NOT_SET,
            *_source(facts, "source_id", facts.source_id),
            "Needed when this Redox environment has more than one source or API key.",
            facts.source_id,
        ),
        SettingRow("Routing ID", _routing(facts), *_source(facts, "routing_id"), copy=facts.routing_id),
        SettingRow("Gateway", facts.gateway_oid, *_source(facts, "gateway_oid"), copy=facts.gateway_oid),
        SettingRow(
            "Base OIDs",
            ", ".join(facts.base_oids) or NOT_SET,
            *_source(facts, "base_oids", facts.base_oids),
            "Your own roots; a record outside gets a warning.",
        ),
        SettingRow(
            "Document repository",
            facts.document_repository_id or NOT_SET,
            *_source(facts, "document_repository_id", facts.document_repository_id),
        ),
    ]


def missing(facts: ConnectionFacts) -> list[MissingVariable]:
    return [MissingVariable(name, _MEANS[name.removeprefix(facts.prefix)]) for name in facts.missing]


def lines_to_set(facts: ConnectionFacts) -> str:
    """The missing variables as lines of the settings file."""
    auth = f"{facts.prefix}AUTH"
    return "\n".join(f"{name}={'oauth' if name == auth else ''}" for name in facts.missing)


def check_sentence(gate: EnvironmentGate) -> SafeString | str:
    """Who checked when, how long it took, and whether the directory shows the OID of the check; "" without a check."""
    if gate.checked_at is None:
        return ""
    facts = gate.check_facts
    if gate.check_succeeded:
        times = f"token in {seconds(facts.get('token_ms', 0))}, Query in {seconds(facts.get('query_ms', 0))}."
        result = f"{times} {_oid_sentence(gate)}"
    else:
        result = plain(facts.get("sentence", ""))
    return format_html("Checked {} by {}: {}", moment(gate.checked_at), plain(gate.checked_by), with_oids(result))


def clock_sentence(gate: EnvironmentGate) -> str:
    """How far this machine's clock was from Redox's at the last check; "" if that is not known."""
    difference = overview.clock_difference(gate)
    if difference is None:
        return ""
    if abs(difference) < 2:
        return "less than 2 seconds apart"
    return f"{abs(difference):.0f} seconds {'behind' if difference > 0 else 'ahead of'} Redox's"


def _oid_sentence(gate: EnvironmentGate) -> str:
    facts = gate.check_facts
    oid = plain(facts.get("oid", ""))
    meaning = overview.describe_checked_oid(gate.environment, oid)
    text = f"{oid} ({meaning})" if meaning else oid
    if not facts.get("known"):
        return f"The directory did not show {text}."
    state = "Active" if facts.get("active") else "Active = false"
    return f"The directory showed {text}: “{plain(facts.get('name', ''))}”, {state}."


def _source(facts: ConnectionFacts, name: str, value: object = "set") -> tuple[str, str]:
    source = "default" if name in facts.defaults else "set" if value else NOT_SET
    return source, facts.prefix + name.upper()


def _sign_in(facts: ConnectionFacts) -> str:
    return {
        "oauth": f"OAuth, client {facts.client_id or NOT_SET}, key {facts.key_id or NOT_SET}",
        "api-key": "Legacy API key",
        "token": "Fixed access token",
    }.get(facts.auth, NOT_SET)


def _sign_in_note(facts: ConnectionFacts) -> str:
    if facts.auth == "token":
        return "Redox's tokens last minutes or hours. Fixed tokens are for trials."
    return WHERE_OAUTH if facts.auth in ("", "oauth") else "Redox dashboard, the source's API key"


def _key_rows(facts: ConnectionFacts) -> list[SettingRow]:
    if facts.auth == "oauth":
        origin = "read from file" if facts.private_key_file else "read from a variable"
        loaded = written(facts.loaded_at, "clock")
        value = f"{origin}, loaded {loaded}, thumbprint {facts.thumbprint}" if facts.thumbprint else NOT_SET
        source = "set" if facts.thumbprint else NOT_SET
        note = f"never shown. {facts.key_warning}" if facts.key_warning else "never shown"
        return [SettingRow("Private key", value, source, facts.private_key_variable, note)]
    if facts.auth in ("api-key", "token"):
        variable = facts.prefix + ("API_SECRET" if facts.auth == "api-key" else "ACCESS_TOKEN")
        is_set = variable not in facts.missing
        return [
            SettingRow("Secret", "set" if is_set else NOT_SET, "set" if is_set else NOT_SET, variable, "never shown")
        ]
    return []


def _routing(facts: ConnectionFacts) -> str:
    if facts.routing_name:
        return f"{facts.routing_id} = “{facts.routing_name}” in Redox's table"
    return f"{facts.routing_id}, NOT in Redox's table"
