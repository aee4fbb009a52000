"""Lists of records, and one record's page: photos, facts, flags, map, history, decision and commands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from schemas.office import CommandGiven
from schemas.records import RECORD_TYPES
from schemas.records import record_type as declared_type
from schemas.values import parse_time
from server import roads
from server.api.pull import number_argument
from server.api.records import write
from server.api.zones import features_at
from server.auth import me
from server.db import db, reading
from server.house import house
from server.inspected import Inspected
from server.listing import list_page, visible_record
from server.pages.bundles import exports_of
from server.pages.commands import arguments, choices, offers
from server.pages.entrance import bp, done, loaded
from server.pages.evidence import Panel, distance_between, evidence_about, file_place, panels
from server.pages.history import sentences
from server.pages.inspections import inspection_of, made_in, questions
from server.pages.keeping import keeping_of
from server.pages.lookups import learn_names, seen, status_choices, zone_name
from server.pages.numbers import may_open
from server.pages.photos import copies_of
from server.pages.reviews import review_of
from server.pages.tracks import places_on_tracks
from server.wire import answer
from sync.kept import Kept
from sync.models import Record

PAGE = 50
PHOTOGRAPHED = ("finding", "inspection", "enforcement", "letter", "register_entry", "task")
APART = ("normalized", "handling", "media", "flags", "capture", "outline", "bracket")
BESIDE_M = 120
METRES_A_DEGREE = 111_000
FILTERS = ("type", "status", "scope", "sort", "cursor", "inspector_id", "zone_id", "class_code")


@bp.get("/records")
def records() -> str:
    """Records in the person's scopes, newest first."""
    asked = {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}
    asked.setdefault("type", "finding")
    with reading():
        page = list_page(db.session(), me().scopes, asked, PAGE)
        learn_names(row["fields"].get("inspector_id") or row["created_by"] for row in page["items"])
        return render_template("records.html", page=page, asked=asked, types=tuple(RECORD_TYPES),
                               statuses=status_choices(asked["type"]))


@bp.get("/records/<record_type>/<record_id>")
def record(record_type: str, record_id: str) -> str:
    """One record."""
    with reading():
        kept = visible_record(db.session(), me().scopes, record_type, record_id)
        where = made_in([kept]).get(kept.id)
        photos = _photos(kept, where)
        offered, zone = offers(kept), kept.fields.get("zone") if kept.type == "finding" else None
        learn_names([kept.created_by, kept.fields.get("inspector_id"), kept.device_id])
        history, earlier = sentences(kept, number_argument("before", kept.version + 1, least=2, most=kept.version + 1))
        return render_template(
            "record.html", kept=kept, photos=photos, review=review_of(kept), history=history, earlier=earlier,
            offered=offered, choices=choices(kept, offered), zone=zone, zone_name=zone_name,
            others=seen(_named(kept), me().scopes), conflicts=_conflicts(kept.id), made_in=where,
            questions=questions(where.inspection) if where else {}, **inspection_of(kept),
            exports=exports_of(kept), **keeping_of(kept),
            numbers_hidden=may_open(kept), distance_between=distance_between, tracks=places_on_tracks(photos),
            has_map=bool(_places(kept, photos)), **copies_of(photos),
            details={name: value for name, value in kept.fields.items()
                     if name not in APART and (name != "answers" or kept.type != "inspection")})


@bp.post("/records/<record_type>/<record_id>/commands")
def command(record_type: str, record_id: str) -> AnyResponse:
    """Carry out a command in the state that was looked at."""
    with reading():
        kept = visible_record(db.session(), me().scopes, record_type, record_id)
    status = request.form.get("expect_status")
    given = loaded(CommandGiven(), {"name": request.form.get("name", ""), "args": arguments(kept, request.form),
                                    "expect": {"status": status} if status else {}})
    write(record_type, record_id, op="command", command=given)
    return done(url_for("pages.record", record_type=record_type, record_id=record_id), "已执行", "Done")


@bp.get("/records/<record_type>/<record_id>/map.geojson")
def record_map(record_type: str, record_id: str) -> Response:
    """Roads and zones in force near by when it was observed, and where device and files say that it was."""
    declared_type(record_type)
    with reading():
        kept = visible_record(db.session(), me().scopes, record_type, record_id)
        places = _places(kept, _photos(kept, made_in([kept]).get(kept.id)))
        zones = features_at(_moment(kept), me().scopes, _box(places)) if places else []
        beside = [*roads.features_in(db.session(), me().scopes, _box(places))] if places else []
    chosen = kept.marks.get("zone_id")
    for road in beside:
        road["properties"] |= {"what": "road"}
    for zone in zones:
        zone["properties"] |= {"what": "zone", "chosen": zone["id"] == chosen}
    return answer({"type": "FeatureCollection", "features": [*beside, *zones, *places]})


def _photos(kept: Kept, where: Inspected | None) -> list[Panel]:
    """The record's photos, behind them those of the item of the inspection in which it was found."""
    if kept.type == "evidence":
        return panels([kept], me().scopes)
    return panels(evidence_about([kept.id]), me().scopes) + (panels(where.photos, me().scopes) if where else [])


def _named(kept: Kept) -> list[Any]:
    """The ids of other records that the fields of this one name."""
    fields, about = kept.fields, kept.fields.get("about")
    return [*(fields.get(name) for name in ("inspection_id", "finding_id", "party_id")),
            about.get("id") if isinstance(about, dict) else None,
            *(fields.get("duplicates") or [] if kept.type == "finding" else [])]


def _places(kept: Kept, photos: list[Panel]) -> list[dict[str, Any]]:
    """Points in EPSG:4490: the record's own, each photo's, and each file's claim."""
    own = [_point("record", kept.fields.get("position") if "position" in kept.declared.fields else None, kept.id)]
    device = [_point("device", panel.fields.get("position"), panel.kept.id) for panel in photos]
    file = [_point("file", file_place(panel), panel.kept.id) for panel in photos]
    return [point for point in (*own, *device, *file) if point]


def _point(what: str, position: Any, about: str) -> dict[str, Any] | None:
    place = position.get("normalized") if isinstance(position, dict) else None
    if not place:
        return None
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [place["lon"], place["lat"]]},
            "properties": {"what": what, "about": about, "accuracy_m": position.get("accuracy_m")}}


def _box(places: list[dict[str, Any]]) -> tuple[float, float, float, float]:
    margin = BESIDE_M / METRES_A_DEGREE
    lons, lats = zip(*(place["geometry"]["coordinates"] for place in places), strict=True)
    return min(lons) - margin, min(lats) - margin, max(lons) + margin, max(lats) + margin


def _moment(kept: Kept) -> datetime:
    observed = kept.marks.get("observed_at")
    return parse_time(observed) if observed else house().clock()


def _conflicts(record_id: str) -> int:
    """How many conflicts of the record are open."""
    return len(db.session.execute(select(Record.id).where(
        Record.type == "conflict", Record.about_id == record_id, Record.status == "open",
        Record.deleted.is_(False))).all())
