"""The rules of the house that run: import arrows, module size, docstrings, no foreign paths, no promises left open."""

import ast
import re
import subprocess
from pathlib import Path

import grimp
import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).resolve().parent.parent
ROOTS = ("schemas", "sync", "media", "server")
LONGEST_MODULE = 300
# What the device's half of the protocol may use of sync: pure modules that need no database.
DEVICE_MAY_USE = {"sync", "sync.merkle", "sync.notes", "sync.outbox_file", "sync.signing", "sync.statements"}

# Written so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w./~${}-])/(?:work|tmp|root|home|farm)/[\w.]")
REGISTRY_HOST = re.compile(r"\b(?:npmjs|npmmirror|yarnpkg|pypi|pythonhosted|tuna\.tsinghua)\.(?:org|com|io|edu)\b")
OPEN_PROMISE = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")


def files(*suffixes: str) -> list[Path]:
    """List what git tracks or would track, as paths from the repository's root; all files without suffixes."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True,
    ).stdout
    paths = [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]
    return [path for path in paths if not suffixes or path.suffix in suffixes]


def text_of(path: Path) -> str | None:
    """Return the file's text, None when it is binary."""
    content = (ROOT / path).read_bytes()
    return None if b"\0" in content else content.decode()


def lines_that_match(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path in files()
        for number, line in enumerate((text_of(path) or "").splitlines(), 1)
        if pattern.search(line)
    ]


def test_a_root_imports_only_what_stands_to_its_right(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == EXIT_STATUS_SUCCESS


def test_the_device_uses_only_the_pure_part_of_sync():
    arrows = grimp.build_graph("sync", cache_dir=None)
    device = arrows.find_descendants("sync.device") | {"sync.device"}
    reached = {used for module in device for used in arrows.find_upstream_modules(module)}
    assert reached - device <= DEVICE_MAY_USE


def test_no_module_is_longer_than_a_reader_can_hold():
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in files(".py", ".js")}
    assert {str(path): length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_every_module_says_what_it_owns():
    modules = [path for path in files(".py") if path.parts[0] in ROOTS]
    assert [str(path) for path in modules if not ast.get_docstring(ast.parse((ROOT / path).read_text()))] == []


def test_tests_mirror_the_roots_without_packages():
    assert [str(path) for path in files(".py") if path.parts[0] == "tests" and path.name == "__init__.py"] == []


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY_HOST, OPEN_PROMISE], ids=["path", "registry", "promise"])
def test_no_file_names_a_machine_or_leaves_a_promise(pattern):
    assert lines_that_match(pattern) == []


def test_every_command_can_be_run():
    commands = [path for path in files() if path.parts[0] in ("bin", ".ci")]
    assert {str(path) for path in commands} >= {"bin/setup", "bin/menqian", "bin/demo", "bin/test", ".ci/run"}
    assert [str(path) for path in commands if not (ROOT / path).stat().st_mode & 0o111] == []
