"""A server whose handheld can change: the same program over a copy of the app's files, restarted on its port."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

from tests import running
from tests.running import ROOT, Server


class Editions(Server):
    """`write` puts a text into a file of the app; the next start serves another edition, under the same address."""

    forks = False  # a program that begins with its modules loaded has read the files already

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch) -> None:
        super().__init__(directory / "installation", settings={"PYTHONPATH": "", "MENQIAN_LOG_LEVEL": "warning"})
        self.tree = directory / "tree"
        patch.setattr(running, "ROOT", self.tree)
        for root in ("schemas", "sync", "media"):
            self._link(ROOT / root, self.tree / root)
        for path in (ROOT / "server").iterdir():
            if path.name != "handheld":
                self._link(path, self.tree / "server" / path.name)
        for path in (ROOT / "server" / "handheld").iterdir():
            if path.name != "app":
                self._link(path, self.tree / "server" / "handheld" / path.name)
        self.app = shutil.copytree(ROOT / "server" / "handheld" / "app", self.tree / "server" / "handheld" / "app")
        self.serial = itertools.count(1)
        self.said = ""
        self.change()

    def change(self) -> None:
        """Make another edition: its `later.js` says something else, in `said`."""
        self.said = f"edition {next(self.serial)}"
        self.write("later.js", f"export const said = {self.said!r};\n")

    def write(self, name: str, text: str) -> None:
        (self.app / name).parent.mkdir(parents=True, exist_ok=True)
        (self.app / name).write_text(text, encoding="utf-8")

    @staticmethod
    def _link(source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
