"""What the documents tell people to type and to press is there."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("README.md", "CONTRIBUTING.md", "docs/operate.md", "benchmarks/README.md", ".env.example")
# Commands that ./dev and Django know without a module of their own.
ALWAYS_THERE = {"help", "test"}


@pytest.mark.parametrize("folder", ["guides", "orgportal", "organizations", "templates"])
def test_every_command_that_is_named_exists(folder):
    files = [ROOT / guide for guide in GUIDES] if folder == "guides" else (ROOT / folder).rglob("*.*")
    texts = [path.read_text(encoding="utf-8") for path in files if path.suffix in (".md", ".py", ".html", ".example")]
    named = {word for text in texts for word in re.findall(r"\./dev ([a-z_]+)", text)}
    assert named - ALWAYS_THERE - set(get_commands()) == set()


def test_every_option_of_restore_that_the_guide_names_exists():
    source = (ROOT / "organizations" / "management" / "commands" / "restore.py").read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\./dev restore (--[a-z-]+)", guide))
    assert named
    assert {option for option in named if f'"{option}"' not in source} == set()


def test_every_button_and_word_that_the_guide_names_after_a_restore_is_on_a_page():
    guide = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    section = guide.partition("\n## After a restore")[2].partition("\n## ")[0]
    pages = [*(ROOT / "templates").rglob("*.html"), ROOT / "organizations/text/vocabulary.py"]
    shown = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    # The environment's name is filled in.
    named = {re.sub(" (STAGING|PRODUCTION)$", "", word) for word in re.findall(r'"([^"]+)"', section)}
    assert named >= {"Connection", "Check connection", "Resume sending to"}
    assert {word for word in named if word not in shown} == set()


def is_there(test):
    """Whether a function of this name is in this file: "tests/test_oid.py::test_..."."""
    name, _, function = test.partition("::")
    path = ROOT / name
    return path.is_file() and function in {
        node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    }


def test_each_rule_of_the_design_names_a_test_that_is_there():
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| (\d+ |[A-F]\d+ )?\| (?!rule|kind)", line)]
    tests = [row.rstrip(" |").rpartition("| ")[2].strip("`") for row in rows]
    assert len(tests) > 90
    assert [test for test in tests if not is_there(test)] == []
