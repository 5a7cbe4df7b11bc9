"""The list of a roll-call, read without a database: each line once, in the order of the list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.forms.roll_call import MOST_LINES, NOTHING_ENTERED, EnteredLine, RollCallForm
from tests.factories import BASE


def checked(text: str) -> RollCallForm:
    form = RollCallForm({"lines": text})
    form.is_valid()
    return form


def entered(text: str) -> tuple[EnteredLine, ...]:
    form = checked(text)
    assert form.is_valid()
    return form.entered


def test_each_line_is_an_oid_or_an_own_identifier_in_the_order_of_the_list():
    lines = entered(f" LSC-014 \r\n\r\n{BASE}.2\n  urn:oid:{BASE}.1.\n12345\n")
    assert [(line.numbers, line.text, line.oid, line.identifier) for line in lines] == [
        ((1,), "LSC-014", "", "LSC-014"),
        ((3,), f"{BASE}.2", f"{BASE}.2", f"{BASE}.2"),
        ((4,), f"urn:oid:{BASE}.1.", f"{BASE}.1", f"urn:oid:{BASE}.1."),
        ((5,), "12345", "", "12345"),
    ]
    assert not any(line.error for line in lines)


@pytest.mark.parametrize("prefix", ["OID:", "oid ", "Oid: ", "OID = ", "URN:OID:", "urn : oid : "])
def test_an_oid_may_follow_a_prefix(prefix):
    [line] = entered(f"{prefix}{BASE}.1")
    assert (line.oid, line.identifier, line.error) == (f"{BASE}.1", f"{prefix}{BASE}.1".strip(), "")


def test_lines_that_mean_the_same_become_one():
    lines = entered(f"{BASE}\nLSC  014\nurn:oid:{BASE}\nLSC 014\n{BASE}")
    assert [(line.numbers, line.text) for line in lines] == [((1, 3, 5), BASE), ((2, 4), "LSC 014")]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("2.16..840", "'2.16..840' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
        ("1.02", "Part 2 of the OID begins with 0. Remove the leading zero."),
        ("urn:oid:abc", "'abc' is not an OID. Use digits and dots, for example 2.16.840.1.113883.3.1."),
        (f"{BASE} {BASE}", "There is a blank or a line break inside. Enter one OID: if these are two, delete one;"),
    ],
)
def test_a_text_that_is_meant_as_an_oid_says_what_is_wrong(line, error):
    [entered_line] = entered(line)
    assert entered_line.error.startswith(error)
    assert (entered_line.oid, entered_line.identifier) == ("", line)


@pytest.mark.parametrize("line", ["a\x00b", "a\ud800b", "\u202eabc", "x" * 201])
def test_a_text_that_no_field_can_hold_is_never_looked_up(line):
    [entered_line] = entered(line)
    assert (entered_line.oid, entered_line.identifier, bool(entered_line.error)) == ("", "", True)


def test_only_lines_with_a_text_count_towards_the_limit():
    most = [f"2.999.{number}" for number in range(MOST_LINES)]
    assert len(entered("\n\n".join(most))) == MOST_LINES
    form = checked("\n".join([*most, "2.999.0", "one more"]))
    assert form.errors["lines"] == ["Up to 1,000 lines can be looked up at once. You entered 1,002. Remove 2."]
    assert form.entered == ()


@pytest.mark.parametrize("text", ["", " \r\n\t\n"])
def test_an_empty_list_is_refused(text):
    assert checked(text).errors["lines"] == [NOTHING_ENTERED]


@given(st.text(alphabet=st.characters() | st.sampled_from("\r\n.0129 "), max_size=80))
def test_every_line_is_read_and_no_line_is_lost(text):
    form = checked(text)
    numbers = [number for line in form.entered for number in line.numbers]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert sorted(numbers) == [number for number, line in enumerate(lines, start=1) if line.strip()]
    firsts = [line.numbers[0] for line in form.entered]
    assert firsts == sorted(firsts)
