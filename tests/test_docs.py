"""The documents against what they describe: each package has a reason, each command and setting a line."""

import ast
import json
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOTS = ("schemas", "sync", "media", "server")
# Part of a listed package's own interface, at the version that it asks for.
COMES_WITH = {
    "werkzeug": "flask", "click": "flask", "jinja2": "flask", "markupsafe": "flask", "itsdangerous": "flask",
    "babel": "flask-babel", "limits": "flask-limiter", "webargs": "flask-smorest", "apispec": "flask-smorest",
    "wtforms": "flask-wtf", "botocore": "boto3",
}
# Named in a setting's URL or run as a program, never imported by us.
USED_BY_NAME = {"gunicorn", "psycopg", "redis"}
PINNED = re.compile(r"(?P<name>[\w.-]+)(\[[\w,]+\])?==(?P<version>[\w.]+)")


def canonical(name: str) -> str:
    """Return a Python package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: str) -> dict[str, str]:
    """Read {name: version} from a list; a line that is neither a pin, an option nor a comment fails."""
    found = {}
    for line in (ROOT / path).read_text().splitlines():
        if line.startswith(("#", "-")) or not line:
            continue
        pin = PINNED.fullmatch(line)
        assert pin, f"{path}: not pinned: {line}"
        found[canonical(pin["name"])] = pin["version"]
    return found


def reasons(title: str) -> set[str]:
    """Read the names that the table below a heading of docs/dependencies.md gives a reason for."""
    section = (ROOT / "docs/dependencies.md").read_text().split(f"## {title}")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \| \S", section, re.MULTILINE))


@pytest.mark.parametrize(("path", "title"), [("requirements.txt", "To run"), ("requirements-dev.txt", "To test")])
def test_each_python_package_has_a_reason_and_each_reason_a_package(path, title):
    assert set(pins(path)) == {canonical(name) for name in reasons(title)}


def imported_distributions() -> set[str]:
    """Return what the four roots import from outside, as canonical names of packages; stdlib and roots left out."""
    known, found = packages_distributions(), set()
    for path in (path for root in ROOTS for path in (ROOT / root).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            found |= {name.partition(".")[0] for name in names}
    outside = found - set(ROOTS) - sys.stdlib_module_names
    names = {canonical(distribution) for name in outside for distribution in known[name]}
    return {COMES_WITH.get(name, name) for name in names}


def test_what_the_roots_import_is_in_the_list():
    assert imported_distributions() - set(pins("requirements.txt")) == set()


def test_what_is_in_the_list_is_used():
    assert set(pins("requirements.txt")) - imported_distributions() - USED_BY_NAME == set()


def test_each_npm_package_has_a_reason_and_each_reason_a_package():
    package = json.loads((ROOT / "package.json").read_text())
    assert {*package["dependencies"], *package["devDependencies"]} == reasons("In the browser")


@pytest.mark.parametrize("path", ["requirements.txt", "requirements-dev.txt"])
def test_the_lists_agree_with_the_constraints(path):
    constraints = pins("constraints.txt")
    assert {name: constraints.get(name) for name in pins(path)} == pins(path)


def test_the_npm_lock_holds_the_versions_and_digests_but_no_address():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    package = json.loads((ROOT / "package.json").read_text())
    asked = package["dependencies"] | package["devDependencies"]
    locked = {name.removeprefix("node_modules/"): entry for name, entry in lock["packages"].items() if name}
    assert {name: locked[name]["version"] for name in asked} == asked
    assert all("integrity" in entry and "resolved" not in entry for entry in locked.values())


def test_the_readme_names_each_command():
    readme = (ROOT / "README.md").read_text()
    assert [path.name for path in (ROOT / "bin").iterdir() if f"bin/{path.name}" not in readme] == []


def settings_in(*paths: Path) -> set[str]:
    return {name for path in paths for name in re.findall(r"\bMENQIAN_[A-Z0-9_]+\b", path.read_text())}


def test_each_setting_is_documented_and_each_documented_one_exists():
    assert settings_in(*(ROOT / "server").rglob("*.py")) == settings_in(ROOT / "docs/settings.md")
    assert settings_in(ROOT / "README.md") <= settings_in(ROOT / "docs/settings.md")
