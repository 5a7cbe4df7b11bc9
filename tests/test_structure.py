"""Which module may import which, and rules that keep the code easy to change."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "organizations"
SOURCES = sorted(
    path for folder in (APP, ROOT / "orgportal") for path in folder.rglob("*.py") if "migrations" not in path.parts
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# Each area, and the other areas that it may import. All other imports are not allowed.
_VALUES = {"posted_numbers", "characters", "fields", "phones", "places", "countries", "folding", "csv_cells"}
_OUTER = {
    "services",
    "posted_numbers",
    "csv_cells",
    "forms",
    "permissions",
    "models",
    "knowledge",
    "records",
    "oid",
    "fields",
    "text",
}
_READING = {"services", "posted_numbers", "permissions", "models", "records"}
ARROWS = {
    "oid": set(),
    "posted_numbers": set(),
    "characters": set(),
    "folding": {"characters", "countries"},
    "csv_cells": {"characters"},
    "fields": {"characters", "oid"},
    "phones": {"fields"},
    "countries": {"fields"},
    "places": {"fields", "countries"},
    "records": {"oid"},
    "knowledge": {"records"},
    "redox": {"characters", "records", "oid", "fields"},
    "practice": {"oid"},
    "models": {"knowledge", "records", "oid", "folding"},
    "permissions": {"models"},
    "services": {"models", "redox", "knowledge", "records", "oid", "permissions"} | _VALUES,
    "forms": {"records", "oid", "posted_numbers", "fields", "phones", "places", "countries", "models", "text"},
    "text": {"characters", "models", "permissions", "records"},
    "queries": _READING | {"folding", "places"},
    "pages": _READING | {"text", "queries", "forms", "knowledge", "oid", "csv_cells"},
    "views": _OUTER | {"pages", "queries", "context"},
    "templatetags": _OUTER,
    "context": _OUTER | {"pages"},
    "jinja": _OUTER | {"context"},
    "checks": _OUTER,
    "apps": _OUTER | {"checks"},
    "urls": {"views", "models"},
    "management": _OUTER | {"practice"},
}
# The packages that a bounded area may import. The standard library is always allowed.
PACKAGES = {
    "oid": set(),
    "posted_numbers": set(),
    "characters": set(),
    "folding": set(),
    "csv_cells": set(),
    "fields": set(),
    "phones": {"phonenumbers"},
    "places": set(),
    "countries": set(),
    "records": set(),
    "knowledge": set(),
    "redox": {"httpx", "joserfc"},
    "practice": {"joserfc"},
}

OF_PAGES = ("django.template", "django.urls", "django.utils.html", "django.utils.safestring")


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imports(path: Path) -> tuple[str, ...]:
    """The full names of everything that a file imports, also inside functions."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parent.parts
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join((*parent, node.module) if node.module else parent)
            yield from (f"{start}.{each.name}" for each in node.names)


def area_of(path: Path) -> str:
    return path.relative_to(APP).parts[0].removesuffix(".py")


APP_SOURCES = [path for path in SOURCES if path.is_relative_to(APP) and path != APP / "__init__.py"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def areas_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.startswith("organizations.")}


def test_an_area_imports_only_what_its_arrows_allow():
    assert {area_of(path) for path in APP_SOURCES} - set(ARROWS) == set(), "say in this file what these may import"
    allowed = {path: ARROWS[area_of(path)] | {area_of(path)} for path in APP_SOURCES}
    assert breaking({path: areas_imported(path) - areas for path, areas in allowed.items()}) == []


def modules_imported(path: Path) -> set[str]:
    """The modules of this project that a file imports, also inside functions and only for types."""
    modules = module_names()
    found = set()
    for name in imports(path):
        module = name if name in modules else name.rpartition(".")[0]
        found |= {module} & modules
    return found - {module_of(path)}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def module_names() -> frozenset[str]:
    return frozenset(module_of(path) for path in SOURCES)


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter({module_of(path): modules_imported(path) for path in SOURCES}).prepare()


def declared_packages() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[\[<>=]", each)[0] for each in project["dependencies"]}


def test_the_portal_imports_only_packages_that_it_declares():
    """In production only the declared packages are certain to be installed; test packages are not."""
    declared, distributions = declared_packages(), packages_distributions()
    paths = [*SOURCES, *APP.glob("migrations/*.py"), ROOT / "manage.py"]
    foreign = {path: {name.partition(".")[0] for name in imports(path)} & distributions.keys() for path in paths}
    used = {path: {each.lower() for name in names for each in distributions[name]} for path, names in foreign.items()}
    assert declared & set().union(*used.values()) >= {"django", "httpx"}
    assert breaking({path: packages - declared for path, packages in used.items()}) == []


def test_the_portal_uses_each_package_that_it_declares():
    """An import, or a name in the settings: Django loads applications and middleware by name."""
    words = set().union(*(re.findall(r"\w+", path.read_text(encoding="utf-8")) for path in SOURCES))
    modules = {
        each.lower(): name for name, found in packages_distributions().items() for each in found if name in words
    }
    loaded_by_django = {"psycopg"}  # for a DATABASE_URL of PostgreSQL
    assert declared_packages() - modules.keys() == loaded_by_django


# The folders of an area, each with those of the same area that it may import.
FOLDERS: dict[str, dict[str, set[str]]] = {
    "services": {
        "audit": set(),
        "accounts": {"audit"},
        "connection": {"audit"},
        "records": {"audit", "connection"},
        "review": {"connection", "records"},
        "outbox": {"audit", "connection", "records", "review"},
        "delivery": {"accounts", "audit", "connection", "outbox", "records", "review"},
        "directory": {"audit", "connection", "delivery", "records"},
    },
    "pages": {
        "comparison": set(),
        "organizations": set(),
        "people": set(),
        "search": {"organizations"},
        "review": {"comparison"},
        "submission": {"comparison", "organizations", "review"},
        "connection": {"submission"},
        "differences": {"comparison", "submission"},
        "take_over": {"submission"},
        "directory": {"submission", "take_over"},
        "roll_call": {"organizations", "record"},
        "audit": {"organizations", "submission"},
        "record": {"audit", "comparison", "organizations", "submission"},
        "home": {"record"},
        "counterpart": {"record"},
        "record_form": {"comparison", "counterpart", "submission"},
        "deactivation": {"record", "review"},
        "plan": {"deactivation", "organizations", "review"},
    },
}


@pytest.mark.parametrize("area", FOLDERS)
def test_a_folder_imports_only_those_below_it(area: str):
    arrows, start = FOLDERS[area], f"organizations.{area}."
    folders = {path.name for path in (APP / area).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(arrows)
    found = {}
    for folder, allowed in arrows.items():
        for path in (APP / area / folder).rglob("*.py"):
            used = {name.removeprefix(start).split(".")[0] for name in imports(path) if name.startswith(start)}
            found[path] = (used & folders) - allowed - {folder}
    assert breaking(found) == []


def test_no_folders_of_an_area_import_each_other_in_a_circle():
    for arrows in FOLDERS.values():
        TopologicalSorter(arrows).prepare()


def breaking(found: Mapping[Path, Iterable[object]]) -> list[str]:
    """A line for each file that breaks a rule: its name, and what breaks the rule."""
    return [f"{name_of(path)}: {', '.join(sorted(map(str, what)))}" for path, what in found.items() if what]


def test_queries_write_no_html_and_no_addresses():
    found = {
        path: {name for name in imports(path) if name.startswith(OF_PAGES)}
        for path in APP_SOURCES
        if area_of(path) == "queries"
    }
    assert breaking(found) == []


def test_pages_and_text_do_not_query_the_database():
    """Queries do: a page is built from what they return."""
    calls = {
        path: [ast.unparse(node)[:60] for node in nodes(path) if is_manager(node)]
        for path in APP_SOURCES
        if area_of(path) in ("pages", "text")
    }
    assert breaking(calls) == []


def is_manager(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager")


def test_evidence_modules_do_not_import_folding():
    assert "folding" not in ARROWS["redox"] | ARROWS["knowledge"] | ARROWS["records"]


def test_a_bounded_area_uses_only_its_own_packages():
    always = set(sys.stdlib_module_names) | {"organizations"}
    bounded = [path for path in APP_SOURCES if area_of(path) in PACKAGES]
    used = {path: {name.split(".")[0] for name in imports(path)} for path in bounded}
    assert breaking({path: names - always - PACKAGES[area_of(path)] for path, names in used.items()}) == []


def test_the_project_reaches_into_the_app_only_to_verify():
    project = [path for path in SOURCES if path.parent == ROOT / "orgportal"]
    used = {path: {name for name in imports(path) if name.startswith("organizations.")} for path in project}
    used[ROOT / "orgportal" / "startup.py"] -= {
        f"organizations.services.{name}" for name in ("connection.redox_settings", "installation", "timing")
    }
    assert breaking(used) == []


def test_one_module_reads_the_redox_settings():
    readers = {
        name_of(path)
        for path in APP_SOURCES
        if "REDOX" in path.read_text(encoding="utf-8")
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr == "REDOX"
    }
    assert readers == {"organizations/services/connection/redox_settings.py"}


# Calls that write to a table. `update`, `add` and `set` also belong to dictionaries and sets: they count if
# they are called on a manager or a queryset.
WRITES = {
    "save",
    "create",
    "bulk_create",
    "bulk_update",
    "get_or_create",
    "update_or_create",
    "delete",
    "execute",
    "executemany",
    "set_password",
}
_QUERYSET = re.compile(r"\.(objects|filter\(.*\)|exclude\(.*\)|all\(\)|\w+_set)\.update\(", re.DOTALL)


def services_of(path: Path) -> set[str]:
    """The modules of `services` that a file calls by name: calling their functions is allowed."""
    return {name.rpartition(".")[2] for name in imports(path) if name.startswith("organizations.services.")}


def writes(path: Path) -> Iterator[str]:
    services = services_of(path)
    for node in nodes(path):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            text = ast.unparse(node)
            if text.startswith("super()") or ast.unparse(node.func.value) in services:
                continue
            if node.func.attr in WRITES or _QUERYSET.search(text):
                yield f"{name_of(path)}:{node.lineno} {text[:80]}"


SAVING_AREAS = {"services", "redox", "practice"}  # the latter two know no table
# They run SQL, which only reads.
ONLY_READ = {f"organizations/models/{name}.py" for name in ("clock", "destinations", "tree")}


def test_no_write_reaches_a_table_from_outside_the_services():
    found = [
        line
        for path in APP_SOURCES
        if area_of(path) not in SAVING_AREAS and name_of(path) not in ONLY_READ
        for line in writes(path)
    ]
    assert found == []


def test_files_stay_small():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in [*SOURCES, *TESTS]}
    assert breaking({path: [f"{number} lines"] for path, number in lines.items() if number > 500}) == []


def test_functions_stay_small():
    assert breaking({path: list(long_functions(path)) for path in [*SOURCES, *TESTS]}) == []


def long_functions(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > 40:
                yield f"{node.name} has {lines} lines"


LONGEST_HANDLER = 12
"""Lines of a function that answers a request, below its docstring: load, check the right, call, render."""


def handlers(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file that takes a request, with its lines below the docstring."""
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef) and "request" in {each.arg for each in node.args.args}:
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            yield node.name, (node.end_lineno or 0) - body[0].lineno + 1


def test_a_view_loads_checks_calls_and_renders():
    views = sorted((APP / "views").glob("*.py"))
    assert breaking({path: [each for each in handlers(path) if each[1] > LONGEST_HANDLER] for path in views}) == []


def test_every_path_that_the_guides_name_exists():
    for guide in ("CONTRIBUTING.md", "README.md", "docs/operate.md", "docs/design.md"):
        text = (ROOT / guide).read_text(encoding="utf-8")
        named = re.findall(r"`((?:organizations|orgportal|tests|templates|static|docs|benchmarks)/[\w./-]*)`", text)
        links = [
            link
            for link in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text)
            if not (ROOT / guide).parent.joinpath(link).exists()
        ]
        # The design names the modules of services by their folder.
        short = [name for name in re.findall(r"`([a-z_]+/[a-z_]+\.py)`", text) if not (APP / name).exists()]
        named += [f"organizations/services/{name}" for name in short if not (ROOT / name).exists()]
        assert [path for path in named if not (ROOT / path).exists()] + links == [], guide
