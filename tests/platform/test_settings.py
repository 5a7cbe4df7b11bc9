"""Settings: where they come from, what is refused, and that example and documentation name all of them."""

import dataclasses
import os
import re
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from orgportal.start_errors import SettingsError
from orgportal.variables import RedoxSettings, Variables, read_variables, redox_settings

ROOT = Path(__file__).resolve().parents[2]


def test_the_example_names_every_setting_and_no_other():
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^#?([A-Z][A-Z_]+)=", example, re.MULTILINE)
    assert sorted(names) == sorted(settings.VARIABLES.names)


def test_the_documentation_names_every_setting_and_no_other():
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.partition("## Settings")[2].splitlines() if line.startswith("| `")]
    names = [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]
    assert sorted(names) == sorted(settings.VARIABLES.names)


def test_example_and_documentation_have_the_same_defaults():
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    for name, value in re.findall(r"^#([A-Z_]+)=(.+)$", example, re.MULTILINE):
        if not name.startswith("REDOX_STAGING_") and not name.startswith("REDOX_PRODUCTION_"):
            documented = re.search(rf"^\| `{name}` \| `([^`]+)`", guide, re.MULTILINE)
            assert documented, name
            assert documented[1] == value, name


def test_the_example_can_be_read_as_a_settings_file():
    variables = read_variables({}, ROOT / ".env.example")
    assert variables.flag("HTTPS", default=True) is False
    assert variables.unknown("REDOX_") != []  # no setting was read yet


def test_a_variable_of_the_process_wins_over_the_file(tmp_path):
    file = tmp_path / "settings"
    file.write_text("BIND=127.0.0.1:1\nTIME_ZONE='America/Chicago'\n", encoding="utf-8")
    variables = read_variables({"BIND": "127.0.0.1:2"}, file)
    assert variables.text("BIND") == "127.0.0.1:2"
    assert variables.text("TIME_ZONE") == "America/Chicago"


def test_reading_a_file_leaves_the_environment_of_the_process_alone(tmp_path):
    file = tmp_path / "settings"
    file.write_text("ONLY_IN_THE_FILE=1\n", encoding="utf-8")
    read_variables(os.environ, file)
    assert "ONLY_IN_THE_FILE" not in os.environ


def test_an_invalid_line_is_refused_without_showing_it(tmp_path):
    file = tmp_path / "settings"
    file.write_text("A=1\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_variables({}, file)
    assert "line 2" in str(caught.value)
    assert "MIIE" not in str(caught.value)


def test_a_binary_file_is_refused(tmp_path):
    file = tmp_path / "settings"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_variables({}, file)


def test_an_empty_value_is_not_set():
    assert Variables({"BIND": "  "}).text("BIND", "default") == "default"


def test_a_dollar_sign_is_not_a_reference_to_another_variable():
    with pytest.raises(SettingsError, match=r"^API: begins with \$"):
        Variables({"API": "$HOME", "HOME": "/secret"}).text("API")
    assert Variables({"API": r"\$HOME"}).text("API") == "$HOME"


@pytest.mark.parametrize("word", ["true", "TRUE", "yes", "on", "1"])
def test_each_word_for_true_is_read(word):
    assert Variables({"DEBUG": word}).flag("DEBUG", default=False) is True


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda v: v.flag("NAME", default=False), "maybe"),
        (lambda v: v.count("NAME", 1, least=0), "many"),
        (lambda v: v.count("NAME", 1, least=0), "1.5"),
        (lambda v: v.count("NAME", 1, least=1), "0"),
        (lambda v: v.positive("NAME", 1), "soon"),
        (lambda v: v.positive("NAME", 1), "0"),
        (lambda v: v.positive("NAME", 1), "-3"),
        (lambda v: v.positive("NAME", 1), "inf"),
        (lambda v: v.positive("NAME", 1), "nan"),
        (lambda v: v.database("NAME", ""), "rubbish"),
        (lambda v: v.database("NAME", ""), "mysql://host/name"),
        (lambda v: v.database("NAME", ""), "postgres://host:port/name"),
        (lambda v: v.database("NAME", ""), "postgres://host/"),
        (lambda v: v.database("NAME", ""), "postgres://user:12/34@host/name"),
        (lambda v: v.database("NAME", ""), "sqlite://:memory:"),
        (lambda v: v.one_of("NAME", "INFO", ("INFO", "ERROR")), "loud"),
        (lambda v: v.time_zone("NAME", "UTC"), "Springfield"),
        (lambda v: v.time_zone("NAME", "UTC"), "../../etc/passwd"),
        (lambda v: v.mailer("NAME", ""), "rubbish"),
        (lambda v: v.mailer("NAME", ""), "smtp://host:port"),
    ],
)
def test_an_invalid_value_names_its_variable_and_is_hidden(read, value):
    with pytest.raises(SettingsError) as caught:
        read(Variables({"NAME": value}))
    assert caught.value.variable == "NAME"
    assert value not in caught.value.error or value == "0"


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
def test_any_value_is_read_or_refused_with_its_name(value):
    variables = Variables({"NAME": value})
    readers = (
        lambda: variables.text("NAME"),
        lambda: variables.flag("NAME", default=True),
        lambda: variables.count("NAME", 1, least=0),
        lambda: variables.positive("NAME", 1),
        lambda: variables.one_of("NAME", "INFO", ("INFO", "ERROR")),
        lambda: variables.time_zone("NAME", "UTC"),
        lambda: variables.items("NAME"),
        lambda: variables.database("NAME", "sqlite:///x"),
        lambda: variables.mailer("NAME", "consolemail://"),
    )
    blamed = set()
    for read in readers:
        try:
            read()
        except SettingsError as error:
            blamed.add(error.variable)
    assert blamed <= {"NAME"}


def test_a_mail_server_is_described_with_its_port():
    mailer = Variables({"EMAIL_URL": "smtp+tls://me:p%40ss@mail.example.org:587"}).mailer("EMAIL_URL", "")
    assert mailer["OPTIONS"] == {
        "host": "mail.example.org",
        "port": 587,
        "username": "me",
        "password": "p@ss",
        "use_tls": True,
        "use_ssl": False,
        "timeout": 30,
    }


def redox(values: dict[str, str]) -> RedoxSettings:
    return redox_settings(Variables(values), "staging", {"base_url": "https://redox.example.org"})


def test_no_settings_are_not_an_error():
    nothing = redox({})
    assert (nothing.auth, nothing.base_url, nothing.errors) == ("", "https://redox.example.org", ())


def test_base_oids_are_separated_by_commas():
    assert redox({"REDOX_STAGING_BASE_OIDS": "2.16.1 , 2.16.2,"}).base_oids == ("2.16.1", "2.16.2")


def test_a_private_key_is_read_from_its_file(tmp_path):
    file = tmp_path / "key.pem"
    file.write_text("-----BEGIN-----\nabc\n", encoding="ascii")
    assert redox({"REDOX_STAGING_PRIVATE_KEY_FILE": str(file)}).private_key == "-----BEGIN-----\nabc\n"


def test_a_private_key_in_one_line_is_split_into_lines():
    assert redox({"REDOX_STAGING_PRIVATE_KEY": r"-----BEGIN-----\nabc"}).private_key == "-----BEGIN-----\nabc"


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({"REDOX_STAGING_PRIVATE_KEY_FILE": "/nowhere/key.pem"}, "REDOX_STAGING_PRIVATE_KEY_FILE"),
        ({"REDOX_STAGING_PRIVATE_KEY_FILE": "/"}, "REDOX_STAGING_PRIVATE_KEY_FILE"),
        (
            {"REDOX_STAGING_PRIVATE_KEY_FILE": "/nowhere", "REDOX_STAGING_PRIVATE_KEY": "x"},
            "REDOX_STAGING_PRIVATE_KEY_FILE",
        ),
        ({"REDOX_STAGING_API_SECRET": "$ecret"}, "REDOX_STAGING_API_SECRET"),
    ],
)
def test_an_error_of_one_environment_is_stored_and_not_raised(values, variable):
    assert [error.variable for error in redox(values).errors] == [variable]


def test_secrets_are_not_printed():
    secret = {name: f"the-{name}" for name in ("private_key", "api_key", "api_secret", "access_token")}
    values = {each.name: "" for each in dataclasses.fields(RedoxSettings)} | {"base_oids": (), "errors": ()} | secret
    assert "the-" not in repr(RedoxSettings(**values))  # type: ignore[arg-type]
