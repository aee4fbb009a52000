"""The commands that bring in the registers of the map: zones and roads. Serves `server.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from server.console import installation, show
from server.db import db, writing

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def zones() -> None:
    """Frontage responsibility zones."""


@zones.command("import")
@FILE
def import_zones(file: Path) -> None:
    """Import a GeoJSON FeatureCollection; prints what was imported and what was rejected."""
    from server.zones import check_collection, import_features
    collection = _read(file)
    with installation():
        checked = check_collection(db.session(), collection, None)
        with writing() as door:
            found = import_features(door, collection, actor="console", scopes=None, checked=checked)
        show(found)


@click.group()
def roads() -> None:
    """Roads, as the handheld's map draws them."""


@roads.command("import")
@FILE
def import_roads(file: Path) -> None:
    """Import the lines of a GeoJSON FeatureCollection; prints what was imported, passed over and rejected."""
    from server.roads import check_collection, import_checked
    checked = check_collection(_read(file), None)
    with installation():
        with writing() as door:
            found = import_checked(door, checked, actor="console", scopes=None)
        show(found)


def _read(file: Path) -> Any:
    try:
        return orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"不是有效的 JSON not valid JSON: {error}") from None
