"""An installation and the hands at its console, for tests that back it up, lose it and restore it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.bureau import with_root
from tests.running import Server


class Console:
    """One installation with its administrator, `root`, and what is done where it stands."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        self.directory, self.settings = directory, dict(settings or {})
        self.server = with_root(Server(directory / "server", settings=self.settings)).start()

    def back_up(self, name: str) -> None:
        folder = self.directory / "backups"
        folder.mkdir(exist_ok=True)
        self.server.cli("backup", str(folder / name))

    def restore(self, name: str) -> None:
        """kill -9, all is gone but the backup, which is restored at the same address."""
        self.server.kill()
        shutil.rmtree(self.server.directory)
        fresh = Server(self.server.directory, settings=self.settings)
        fresh.port, fresh.url = self.server.port, self.server.url
        fresh.cli("restore", str(self.directory / "backups" / name))
        self.server = fresh.start()
