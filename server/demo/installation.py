"""The directory of one demonstration: the server's data, the handhelds, and a file that tells who may log in.

Serves `server.demo`. A demonstration that was told to its end can be served again; a broken-off one cannot.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import orjson

from server.demo.people import Person, cast

FILE_NAME = "demo.json"


class NotReusable(Exception):
    """The directory holds something else, or a demonstration that was broken off; the text says what to do."""


@dataclass
class Installation:
    """A demonstration's directory and people; `told` is what was told when its shift was run, None before."""

    directory: Path
    people: list[Person]
    told: str | None = None

    @classmethod
    def at(cls, directory: Path) -> Installation:
        """Begin one in an empty directory, or open the one that was told there; raises NotReusable."""
        file = directory / FILE_NAME
        if file.exists():
            kept = orjson.loads(file.read_bytes())
            if kept["told"] is None:
                raise NotReusable(f"{directory} 中的演示未完成,请换一个目录或删除它 holds a demonstration "
                                  "that was broken off: remove it or name another directory")
            return cls(directory, [Person(**person) for person in kept["people"]], kept["told"])
        if any(directory.iterdir()):
            raise NotReusable(f"{directory} 不是空目录,也不是演示 is neither empty nor a demonstration")
        fresh = cls(directory, cast())
        fresh.write()
        return fresh

    @property
    def handhelds(self) -> Path:
        """Where the devices keep their outboxes and photos."""
        return self.directory / "handhelds"

    def write(self, told: str | None = None) -> None:
        """Keep people (with their passwords: for the owner's eyes only) and what was told."""
        self.told = told
        content = orjson.dumps({"people": [person.as_json() for person in self.people], "told": told},
                               option=orjson.OPT_INDENT_2)
        part = self.directory / f"{FILE_NAME}.part"
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        part.rename(self.directory / FILE_NAME)
