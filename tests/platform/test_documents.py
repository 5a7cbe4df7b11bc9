"""The commands, options, buttons and names in the documents exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.mutants.__main__ import MODULES
from tests.mutants.changes import mutants_of

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("README.md", "CONTRIBUTING.md", "docs/operate.md", "benchmarks/README.md", ".env.example")
# Commands of ./dev and Django without a module in this repository.
ALWAYS_THERE = {"help", "test"}


@pytest.mark.parametrize("folder", ["guides", "orgportal", "organizations", "templates"])
def test_every_command_in_the_documents_exists(folder):
    files = [ROOT / guide for guide in GUIDES] if folder == "guides" else (ROOT / folder).rglob("*.*")
    texts = [path.read_text(encoding="utf-8") for path in files if path.suffix in (".md", ".py", ".html", ".example")]
    names = {word for text in texts for word in re.findall(r"\./dev ([a-z_]+)", text)}
    assert names - ALWAYS_THERE - set(get_commands()) == set()


def test_every_restore_option_in_the_guide_exists():
    source = (ROOT / "organizations" / "management" / "commands" / "restore.py").read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    names = set(re.findall(r"\./dev restore (--[a-z-]+)", guide))
    assert names
    assert {option for option in names if f'"{option}"' not in source} == set()


def test_every_button_and_word_in_the_guide_after_a_restore_is_on_a_page():
    guide = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    section = guide.partition("\n## After a restore")[2].partition("\n## ")[0]
    pages = [*(ROOT / "templates").rglob("*.html"), ROOT / "organizations/text/vocabulary.py"]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    # Pages fill in the name of the environment.
    words = {re.sub(" (STAGING|PRODUCTION)$", "", word) for word in re.findall(r'"([^"]+)"', section)}
    assert words >= {"Connection", "Check connection", "Resume sending to"}
    assert {word for word in words if word not in text} == set()


def test_every_code_name_in_the_design_exists():
    """Files by their path or its end, and functions by their name."""
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    sources = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in ("organizations", "orgportal", "tests")
        for path in (ROOT / folder).rglob("*.py")
    }
    files = set(re.findall(r"`([\w/]+\.py)`", design))
    functions = set(re.findall(r"`([a-z_]+)(?:\([^`]*\))?`", design))
    assert len(files) > 20
    assert "send_message" in functions
    assert {name for name in files if not any(f"/{path}".endswith(f"/{name}") for path in sources)} == set()
    assert {name for name in functions if not any(f"def {name}(" in text for text in sources.values())} == set()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def has_test(test):
    """Whether a test has this name: "tests/test_oid.py::test_..." or "tests/test_oid.py::TestOid::test_..."."""
    name, *parts = test.split("::")
    path = ROOT / name
    if not path.is_file():
        return False
    node: ast.AST = tree_of(path)
    for part in parts:
        matches = [each for each in getattr(node, "body", ()) if getattr(each, "name", "") == part]
        if not matches or not part.lower().startswith("test"):
            return False
        node = matches[-1]
    return True


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("tests/services/outbox/test_plans.py", True),
        ("tests/services/outbox/test_plans.py::TestPauseAndStop", True),
        (
            "tests/services/outbox/test_plans.py::TestPauseAndStop::test_an_attempted_submission_continues_after_a_stop",
            True,
        ),
        ("tests/services/outbox/test_plans.py::test_an_attempted_submission_continues_after_a_stop", False),
        ("tests/services/outbox/test_plans.py::TestDraft::test_an_attempted_submission_continues_after_a_stop", False),
        ("tests/services/outbox/test_plans.py::tree_of", False),
        ("tests/services/test_plans.py", False),
    ],
)
def test_a_test_is_found_only_by_its_full_name(test, expected):
    assert has_test(test) is expected


def test_the_tests_for_mutants_exist():
    names = {test for module in MODULES.values() for test in module.tests}
    assert [test for test in sorted(names) if not has_test(test)] == []


@pytest.mark.parametrize("path", [path for path, module in MODULES.items() if module.names])
def test_the_names_selected_for_mutants_exist_in_their_module(path):
    """A name that does not exist would have no mutants, so its tests would seem complete."""
    source = (ROOT / path).read_text(encoding="utf-8")
    names = sorted(MODULES[path].names)
    assert [name for name in names if next(iter(mutants_of(source, frozenset({name}))), None) is None] == []


@pytest.mark.parametrize("field", ["aliases", "home_phone"])
def test_the_recipe_for_a_new_field_names_each_file_with_fields(field):
    recipe = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add a field")[2].partition("\n## ")[0]
    files = [
        path
        for folder, ending in (("organizations", "*.py"), ("templates", "*.html"))
        for path in (ROOT / folder).rglob(ending)
        if "migrations" not in path.parts and re.search(rf"\b{field}\b", path.read_text(encoding="utf-8"))
    ]
    names = {str(path.relative_to(ROOT)) for path in files}
    assert len(names) > 5
    assert {name for name in names if f"`{name}`" not in recipe} == set()


def test_each_rule_of_the_design_names_an_existing_test():
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| (\d+ |[A-F]\d+ )?\| (?!rule|kind)", line)]
    tests = [row.rstrip(" |").rpartition("| ")[2].strip("`") for row in rows]
    assert len(tests) > 90
    assert [test for test in tests if not has_test(test)] == []
