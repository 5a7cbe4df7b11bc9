"""Any text is read without an exception, in a time that grows linearly with its length."""

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizations.redox.old_messages.read import read_old_messages
from organizations.redox.old_messages.redact import redacted
from organizations.redox.old_messages.results import MOST_BYTES, Candidate, GivenText, Problem, ProblemKind
from tests.redox.old_messages_samples import body

PIECES = (
    *(
        "{",
        "[",
        "{\n",
        "[\n{\n",
        "}",
        "{}",
        '{"a":',
        '{"a":[',
        '{"a":1}\n',
        "{{a}}",
        '"',
        "'",
        "\\",
        "#\n",
        "{\n#\n",
        " ",
        "\n",
    ),
    *(
        'curl "',
        "curl 'x\n",
        "curl -d '",
        "curl <<A\n",
        "cat <<a <<b ",
        "curl $(",
        "curl `x ",
        "curl -d \\x",
        "curl \\\n",
    ),
    *(
        'curl x\n{"a\n',
        "curl -d $'\\x41",
        'curl -d "$(cat <<E\n',
        "X='{",
        "X=$(cat <<A\n",
        "echo '{",
        "then curl ",
        "(((",
        "a; ",
    ),
    *(
        '{"secret":{',
        '"secret":"',
        '"secret: ',
        '\\"secret: ',
        "secret=",
        "token:\n",
        "-u 'x",
        "-u \u201cx ",
        '"auth":{',
    ),
    *(
        '{"key":"token",',
        '{"value":{"key":"token",',
        "authorization: Bearer ",
        "://",
        " eyJaaaaaa.",
        "1\n\n2\n",
        "\u201c",
    ),
    "-----BEGIN PRIVATE KEY-----",
)
SECONDS = 2.5
"""Far more than the slowest text takes, and less than a reader takes whose time grows quadratically."""

_random = random.Random(7)
WHOLE = {
    "backslashes": "".join("\\" * number + '"secret: ' for number in range(1000)),
    "no end": '"secret: ' + '\\"' * 100_000,
    "an open quotation": "curl 'x\n" + 'curl "a\n' * 25_000,
    "random": "".join(_random.choices("{}[]\"'\\\n :,curl-dtokensecret$(<`E=", k=MOST_BYTES // 20)),
}


def seconds_of(act: Callable[[], object]) -> float:
    start = time.process_time()
    act()
    return time.process_time() - start


@pytest.mark.slow
@pytest.mark.parametrize("piece", [*PIECES, *WHOLE])
def test_an_eighth_of_a_megabyte_is_read_fast(piece: str) -> None:
    text = WHOLE.get(piece) or piece * (MOST_BYTES // 40 // len(piece.encode()))
    assert seconds_of(lambda: read_old_messages([GivenText(text)], "staging")) < SECONDS
    assert seconds_of(lambda: redacted(text)) < SECONDS


@pytest.mark.slow
def test_five_megabytes_are_read_in_seconds() -> None:
    text = "".join(piece * (MOST_BYTES // 3 // len(piece)) for piece in ("{", '{"secret":{', "curl -d '"))
    assert seconds_of(lambda: (read_old_messages([GivenText(text)], "staging"), redacted(text))) < 10 * SECONDS


_words = (
    "curl ",
    "-d ",
    "<<E\n",
    "E\n",
    "secret",
    "$(",
    "cat ",
    "X=",
    "Organizations",
    '\\"',
    "\u201c",
    "{{a}}",
    "@-",
    "| ",
)
_texts = st.lists(st.sampled_from([*_words, *"{}[]\"'\\\n #:,$`()=1"]) | st.text(max_size=3), max_size=60).map("".join)


@given(_texts)
def test_any_text_gives_candidates_or_problems(text: str) -> None:
    results = read_old_messages([GivenText(text)], "staging")
    assert results
    assert all(isinstance(result, Problem) and result.sentence for result in results)
    assert isinstance(redacted(text), str)


@given(st.binary(max_size=60))
def test_any_bytes_give_problems(content: bytes) -> None:
    assert all(isinstance(result, Problem) for result in read_old_messages([GivenText(content)], "staging"))


@given(_texts.filter(lambda text: "curl" not in text))
def test_text_before_a_command_does_not_hide_the_command(text: str) -> None:
    comment = "\n".join(f"- {line}" for line in text.splitlines())
    results = read_old_messages([GivenText(f"{comment}\ncurl -d '{body()}' x")], "staging")
    assert [type(result) for result in results] == [Candidate]


@pytest.mark.slow
def test_a_thousand_messages_are_read_and_one_more_is_refused() -> None:
    many = "\n".join(body(f"1.2.{number}") for number in range(1000))
    assert len(read_old_messages([GivenText(many)], "staging")) == 1000
    (problem,) = read_old_messages([GivenText(many), GivenText(body())], "staging")
    assert isinstance(problem, Problem)
    assert problem.kind is ProblemKind.TOO_MANY
