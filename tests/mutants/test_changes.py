"""Which changes of a module become mutants."""

import pytest

from tests.mutants.changes import mutants_of


def changes(source: str) -> set[str]:
    return {mutant.change for mutant in mutants_of(source)}


def in_function(body: str) -> set[str]:
    return changes(f"def f(a, b):\n    {body}")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return a <= b", {"a <= b  ->  (a < b)"}),
        ("return a and b", {"a and b  ->  (b)", "a and b  ->  (a)"}),
        ("return not a", {"not a  ->  (a)"}),
        ("return a if b else 0", {"a if b else 0  ->  (a)", "a if b else 0  ->  (0)", "0  ->  (1)"}),
        ("return f(a, key=b)", {"f(a, key=b)  ->  (f(a))"}),
        ("return a | b", {"a | b  ->  (a)", "a | b  ->  (b)"}),
        ("return a.strip()", {"a.strip()  ->  (a)"}),
        ("return any(a)", {"any  ->  all"}),
        ("a.save()", {"a.save()  ->  pass"}),
        ("a.state = b", {"a.state = b  ->  pass"}),
        ("raise a", {"raise a  ->  pass"}),
        ("if a: return b", {"a  ->  True", "a  ->  False"}),
        ("return [x for x in a if x]", {"x  ->  True", "x  ->  False"}),
        (
            "return (a, b) == (1, 2)",
            {
                "(a, b) == (1, 2)  ->  ((a, b) != (1, 2))",
                "(a, b) == (1, 2)  ->  ((b,) == (2,))",
                "(a, b) == (1, 2)  ->  ((a,) == (1,))",
                "1  ->  (2)",
                "2  ->  (3)",
            },
        ),
        ('return "key"', {"'key'  ->  ('XXkey')"}),
        ('return "A sentence."', set()),
        ('return f"{a}.b"', {"f'{a}.b'  ->  (f'XX{a}.b')"}),
        ('log.info("key")', set()),
        ('failpoints.reach("key")', set()),
        ("c: int = a", set()),
        ('"""Docstring."""', set()),
    ],
)
def test_each_change_of_a_function(body: str, expected: set[str]) -> None:
    assert in_function(body) == expected


def test_an_except_clause_raises_its_exception() -> None:
    assert in_function("try:\n        a()\n    except KeyError:\n        return b") == {
        "a()  ->  pass",
        "return b  ->  raise",
    }


def test_an_enum_member_becomes_another_one_that_the_module_uses() -> None:
    assert in_function("return [Kind.YES] if a == Kind.NO else b") >= {
        "Kind.YES  ->  (Kind.NO)",
        "Kind.NO  ->  (Kind.YES)",
    }


def test_a_table_loses_and_swaps_rows_and_swaps_cells() -> None:
    assert changes("ROWS = (row(A, B), row(C, D))") == {
        "(row(A, B), row(C, D))  ->  ((row(C, D),))",
        "(row(A, B), row(C, D))  ->  ((row(A, B),))",
        "(row(A, B), row(C, D))  ->  ((row(C, D), row(A, B)))",
        "A  ->  (C)",
        "C  ->  (A)",
        "B  ->  (D)",
        "D  ->  (B)",
    }
    assert changes("ROLES = {A: {B, C}, D: E}") == {
        "{A: {B, C}, D: E}  ->  ({D: E})",
        "{A: {B, C}, D: E}  ->  ({A: {B, C}})",
        "{A: {B, C}, D: E}  ->  ({A: E, D: {B, C}})",
        "{B, C}  ->  ({C})",
        "{B, C}  ->  ({B})",
    }


def test_only_the_chosen_names_are_changed() -> None:
    source = "def f(a):\n    return not a\n\n\ndef g(a):\n    return not a\n"
    assert [mutant.line for mutant in mutants_of(source, frozenset({"g"}))] == [6]
    in_class = "class A:\n    def f(self):\n        return not a\n\n    def g(self):\n        return not a\n"
    assert [mutant.function for mutant in mutants_of(in_class, frozenset({"A.g"}))] == ["A.g"]


def test_a_mutant_names_the_function_that_it_changes() -> None:
    source = (
        "class A:\n    def f(self, a=1):\n        def inner(b=2):\n            return not b\n        return inner\n"
    )
    assert {(mutant.change, mutant.function) for mutant in mutants_of(source)} == {
        ("1  ->  (2)", ""),
        ("2  ->  (3)", "A.f"),
        ("not b  ->  (b)", "A.f"),
    }


def test_sentences_are_changed_in_tables_only() -> None:
    assert changes('TEXT = "Two words"') == set()
    assert "'Two words'  ->  ('XXTwo words')" in changes('TEXTS = ["Two words"]')
