"""What ids and codes on a page stand for: people, devices, classes, divisions, zones, records. Names are read once a
request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import g
from markupsafe import Markup, escape
from sqlalchemy import select

from server.db import db
from server.listing import sees
from server.models import User, ZoneRow
from server.pages.words import beijing, plain_word, t, word, words
from server.reference import classes, divisions, table
from server.trade.statuses import statuses
from sync.kept import RECORD, Kept, kept_from
from sync.models import Device, Record
from sync.writers import covers

LONGEST_TITLE = 60
SERVER_NAME = "系统 system"


def learn_names(ids: Iterable[Any]) -> dict[str, str]:
    """Names of people and devices by id, those asked for before included; what is no id is passed over."""
    if "names" not in g:
        g.names = {"server": SERVER_NAME, "console": "控制台 console"}
    names: dict[str, str] = g.names
    wanted = {one for one in ids if isinstance(one, str) and one and one not in names}
    if wanted:
        for table in (User, Device):
            rows = db.session.execute(select(table.id, table.name).where(table.id.in_(wanted)))
            names.update({row.id: row.name for row in rows})
        names.update({one: one for one in wanted if one not in names})
    return names


def name_of(one: Any) -> str:
    """The name of a person or device; a dash for nobody."""
    return learn_names([one]).get(one, one) if isinstance(one, str) and one else "—"


def class_name(scheme: object, code: object) -> str:
    """The name of a class; its code where the reference data does not list it, a dash for none."""
    if code in (None, ""):
        return "—"
    found = classes().get((str(scheme), str(code)))
    return found.name if found else str(code)


def scope_name(code: str | None) -> str:
    """The name of a division, or of the nearest listed one above a grid, with the code."""
    known = divisions()
    for length in range(len(code or ""), 1, -1):
        if found := known.get(str(code)[:length]):
            return f"{found.name} {code}"
    return code or "—"


def scope_choices(scopes: Iterable[str]) -> list[tuple[str, str]]:
    """(code, name) of the listed divisions that these scopes cover, the scopes themselves first."""
    own = list(dict.fromkeys(scopes))
    below = [one.code for one in divisions().values() if covers(own, one.code) and one.code not in own]
    return [(code, scope_name(code)) for code in [*own, *below]]


def status_choices(record_name: str) -> list[tuple[str, str]]:
    """(code, words) of the statuses that records of a type can have, in the order of the list of words."""
    known = statuses().get(record_name, frozenset())
    return [(code, plain_word("status", code)) for kind, code in words() if kind == "status" and code in known]


def zone_name(zone_id: str | None, version: int | None = None) -> str | None:
    """The name of a zone version, of the newest one when none is named."""
    if "zone_names" not in g:
        g.zone_names = {}
    names: dict[tuple[Any, Any], str | None] = g.zone_names
    if (zone_id, version) not in names:
        names[zone_id, version] = _read_zone_name(zone_id, version) if zone_id else None
    return names[zone_id, version]


def _read_zone_name(zone_id: str, version: int | None) -> str | None:
    query = select(ZoneRow.name).where(ZoneRow.zone_id == zone_id).order_by(ZoneRow.version.desc()).limit(1)
    if version is not None:
        query = query.where(ZoneRow.version == version)
    return db.session.execute(query).scalar_one_or_none()


def title_of(record_name: str, fields: Mapping[str, Any]) -> Any:
    """What a list or a heading calls a record: in words where it has some, else its type."""
    if record_name == "finding" and fields.get("class_code"):
        return class_name(fields.get("class_scheme"), fields["class_code"])
    if record_name == "enforcement":
        return word("enforcement", fields.get("kind"))
    if record_name == "incident":
        return word("incident", fields.get("kind"))
    if record_name == "evidence":
        return word("photo", fields.get("role"))
    for name in ("name", "title", "text", "facts", "serial"):
        if isinstance(fields.get(name), str) and fields[name].strip():
            return fields[name].strip()[:LONGEST_TITLE]
    return word("type", record_name)


def type_name(record_name: str) -> Any:
    return t(*words().get(("type", record_name), (record_name, "")))


def called(kept: Kept) -> Markup:
    """What a link to a record says: what it is, where it lies, and when that was; never its id. A party has a name."""
    if kept.type == "party":
        return escape(title_of(kept.type, kept.fields))
    at = beijing(kept.marks.get("observed_at") or kept.created_at)
    return Markup(" · ").join((title_of(kept.type, kept.fields), place_of(kept), Markup("<time>{}</time>").format(at)))


def seen(ids: Iterable[Any], scopes: tuple[str, ...]) -> dict[str, Kept]:
    """By id those of these records that somebody with these scopes may see; what is no id is passed over."""
    wanted = {one for one in ids if isinstance(one, str)}
    rows = db.session.execute(select(RECORD).where(Record.id.in_(wanted))).mappings() if wanted else ()
    return {row["id"]: kept_from(row) for row in rows if sees(scopes, row["type"], row["scope"])}


def types_of(ids: Iterable[str], scopes: tuple[str, ...]) -> dict[str, str]:
    """Record types by id, of those records that somebody with these scopes may see."""
    rows = db.session.execute(select(Record.id, Record.type, Record.scope).where(Record.id.in_(set(ids))))
    return {row.id: row.type for row in rows if covers(scopes, row.scope)}


def excerpt(fields: Mapping[str, Any]) -> str:
    """The beginning of what a record says in its own words; a field may hold anything where its type declares none."""
    words = next((fields[name] for name in ("text", "facts", "note") if isinstance(fields.get(name), str)), "")
    return words[:LONGEST_TITLE]


def place_of(kept: Kept) -> str:
    """Where a record lies, in one line: address, zone, degrees of EPSG:4490, or only the division."""
    lon, lat = kept.marks.get("lon"), kept.marks.get("lat")
    degrees = f"{lon:.5f}, {lat:.5f}" if lon is not None and lat is not None else None
    return str(kept.fields.get("address") or zone_name(kept.marks.get("zone_id")) or degrees or scope_name(kept.scope))


def ground_name(ground: str) -> tuple[str, str]:
    """A ground of an erasure in Chinese and English."""
    return next(((row["name_cn"], row["name_en"]) for row in table("erasure_grounds") if row["ground"] == ground),
                (ground, ground))


def retention_name(name: str) -> tuple[str, str]:
    """A retention class in Chinese and English."""
    return next(((row["name_cn"], row["name_en"]) for row in table("retention") if row["class"] == name), (name, name))
