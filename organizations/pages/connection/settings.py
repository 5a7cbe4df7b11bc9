"""The settings of one environment as rows, and the last check in words."""

from typing import NamedTuple

from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.models import EnvironmentGate
from organizations.pages.submission.attempts import seconds
from organizations.services.connection import overview
from organizations.services.connection.overview import ConnectionFacts
from organizations.text.markup import moment, plain, with_oids, written

NOT_SET = "not set"
FAULTY = "set, faulty"
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
    "ACCESS_TOKEN": "An access token got elsewhere. It ends after minutes or hours: for trials only.",
}


class Setting(NamedTuple):
    """One setting in force: where its value comes from, and where to find or change it. `copy` is the whole value."""

    label: str
    value: str
    source: str
    variable: str
    note: str = ""
    copy: str = ""


class Missing(NamedTuple):
    """A variable that has to be set, and what it is."""

    variable: str
    means: str


def settings_in_force(facts: ConnectionFacts) -> list[Setting]:
    """Every setting but the secrets, of which only is said that they are set."""
    return [_told(row, facts) for row in _rows(facts)]


def _told(row: Setting, facts: ConnectionFacts) -> Setting:
    # The value itself is not shown: what is faulty may be a secret in the wrong place.
    return row._replace(value="cannot be used", source=FAULTY, copy="") if row.variable in facts.faulty else row


def _rows(facts: ConnectionFacts) -> list[Setting]:
    return [
        Setting("Address", facts.base_url, *_from(facts, "base_url")),
        Setting("Way to sign in", _way(facts), *_from(facts, "auth", facts.way), _note(facts)),
        *_key_rows(facts),
        Setting(
            "Source ID",
            facts.source_id or NOT_SET,
            *_from(facts, "source_id", facts.source_id),
            "Needed when this Redox environment has more than one source or API key.",
            facts.source_id,
        ),
        Setting("Routing ID", _routing(facts), *_from(facts, "routing_id"), copy=facts.routing_id),
        Setting("Gateway", facts.gateway_oid, *_from(facts, "gateway_oid"), copy=facts.gateway_oid),
        Setting(
            "Base OIDs",
            ", ".join(facts.base_oids) or NOT_SET,
            *_from(facts, "base_oids", facts.base_oids),
            "Your own roots; a record outside gets a warning.",
        ),
        Setting(
            "Document repository",
            facts.document_repository_id or NOT_SET,
            *_from(facts, "document_repository_id", facts.document_repository_id),
        ),
    ]


def missing(facts: ConnectionFacts) -> list[Missing]:
    return [Missing(name, _MEANS[name.removeprefix(facts.prefix)]) for name in facts.missing]


def lines_to_set(facts: ConnectionFacts) -> str:
    """The missing variables as lines of the settings file."""
    auth = f"{facts.prefix}AUTH"
    return "\n".join(f"{name}={'oauth' if name == auth else ''}" for name in facts.missing)


def check_sentence(gate: EnvironmentGate) -> SafeString | str:
    """What the last check found: who, when, how long, and whether the directory knows the OID it asked for."""
    if gate.checked_at is None:
        return ""
    said, found = gate.check_facts, ""
    if gate.check_succeeded:
        found = f"token in {seconds(said.get('token_ms', 0))}, Query in {seconds(said.get('query_ms', 0))}."
        found += f" {_known(gate)}"
    else:
        found = plain(said.get("sentence", ""))
    return format_html("Checked {} by {}: {}", moment(gate.checked_at), plain(gate.checked_by), with_oids(found))


def clock_sentence(gate: EnvironmentGate) -> str:
    """How this machine's clock stood against Redox's at the last check; empty when that is not known."""
    difference = overview.clock_difference(gate)
    if difference is None:
        return ""
    if abs(difference) < 2:
        return "less than 2 seconds apart"
    return f"{abs(difference):.0f} seconds {'behind' if difference > 0 else 'ahead of'} Redox's"


def _known(gate: EnvironmentGate) -> str:
    said = gate.check_facts
    oid = plain(said.get("oid", ""))
    what = overview.describe_checked_oid(gate.environment, oid)
    named = f"{oid} ({what})" if what else oid
    if not said.get("known"):
        return f"The directory does not know {named}."
    state = "Active" if said.get("active") else "Active = false"
    return f"The directory knows {named}: yes, “{plain(said.get('name', ''))}”, {state}."


def _from(facts: ConnectionFacts, name: str, value: object = "set") -> tuple[str, str]:
    source = "default" if name in facts.defaults else "set" if value else NOT_SET
    return source, facts.prefix + name.upper()


def _way(facts: ConnectionFacts) -> str:
    return {
        "oauth": f"OAuth, client {facts.client_id or NOT_SET}, key {facts.key_id or NOT_SET}",
        "api-key": "Legacy API key",
        "token": "Fixed access token",
    }.get(facts.way, NOT_SET)


def _note(facts: ConnectionFacts) -> str:
    if facts.way == "token":
        return "Redox's tokens last minutes or hours. Fixed tokens are for trials."
    return WHERE_OAUTH if facts.way in ("", "oauth") else "Redox dashboard, the source's API key"


def _key_rows(facts: ConnectionFacts) -> list[Setting]:
    if facts.way == "oauth":
        read = "read from file" if facts.private_key_file else "read from a variable"
        loaded = written(facts.loaded_at, "clock")
        value = f"{read}, loaded {loaded}, thumbprint {facts.thumbprint}" if facts.thumbprint else NOT_SET
        source = "set" if facts.thumbprint else NOT_SET
        note = f"never shown. {facts.key_warning}" if facts.key_warning else "never shown"
        return [Setting("Private key", value, source, facts.private_key_variable, note)]
    if facts.way in ("api-key", "token"):
        variable = facts.prefix + ("API_SECRET" if facts.way == "api-key" else "ACCESS_TOKEN")
        is_set = variable not in facts.missing
        return [Setting("Secret", "set" if is_set else NOT_SET, "set" if is_set else NOT_SET, variable, "never shown")]
    return []


def _routing(facts: ConnectionFacts) -> str:
    if facts.routing_name:
        return f"{facts.routing_id} = “{facts.routing_name}” in Redox's table"
    return f"{facts.routing_id}, NOT in Redox's table"
