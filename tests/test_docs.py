"""The documents against what they describe: each package has a reason, each command and setting a line."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
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


def test_the_documents_name_each_setting():
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    written = set(re.findall(r"\bMENQIAN_[A-Z_]+\b", "\n".join(path.read_text() for path in documents)))
    code = "\n".join(path.read_text() for path in (ROOT / "server").rglob("*.py"))
    assert set(re.findall(r"\bMENQIAN_[A-Z_]+\b", code)) - written == set()
