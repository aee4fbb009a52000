"""The JSON API under `/api/v1`, one module a noun, described by OpenAPI 3.1 at `/api/v1/openapi.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, current_app, request
from werkzeug.exceptions import NotFound

from schemas.health import HEADER, read_header
from schemas.problems import Problem
from server.api.openapi import Description, Noun, describe_the_rest
from server.auth import authenticate
from server.contacts import note_contact
from server.refusals import note_refusal

BASE = "/api/v1"
HARMLESS = ("limit", "cursor", "reason")  # none of them makes a list less than it says


def blueprint(name: str, description: str) -> Noun:
    """A blueprint under the base path, closed to whoever does not say who he is."""
    made = Noun(name, f"server.api.{name}", url_prefix=BASE, description=description)
    made.before_request(_authenticate)
    made.after_request(note_refusal)
    return made


def init_app(app: Flask) -> None:
    """Register every noun."""
    from server.api import (
        conflicts,
        derivatives,
        devices,
        disposals,
        erasures,
        hello,
        journal,
        legal_holds,
        media,
        poke,
        pull,
        push,
        quarantine,
        receipts,
        records,
        retention,
        reviews,
        roads,
        sessions,
        snapshot,
        spot_checks,
        uploads,
        users,
        zones,
    )
    app.config.update(
        API_TITLE="Menqian 门前", API_VERSION="1", OPENAPI_VERSION="3.1.0", OPENAPI_URL_PREFIX=BASE,
        OPENAPI_JSON_PATH="openapi.json", OPENAPI_SWAGGER_UI_PATH="docs",
        OPENAPI_SWAGGER_UI_URL="/static/vendor/swagger-ui/",
        API_SPEC_OPTIONS={"components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
                          "security": [{"bearer": []}], "servers": [{"url": "/"}]})
    api = Description(app)
    app.before_request(_authenticate_the_lost)
    for module in (sessions, users, devices, hello, push, pull, snapshot, quarantine, records, receipts, uploads, media,
                   derivatives, zones, roads, journal, reviews, spot_checks, conflicts, retention,
                   legal_holds, disposals, erasures, poke):
        api.register_blueprint(module.blp)
    describe_the_rest(api, BASE)


def _authenticate() -> None:
    if "\0" in request.path or any("\0" in value for value in request.args.values()):
        raise Problem("invalid_request", "NUL has no place in an address")
    view = current_app.view_functions.get(request.endpoint or "")
    greets = request.method == "OPTIONS" and request.blueprint == "uploads"  # tus: a client asks before it logs in
    if not getattr(view, "is_public", False) and not greets:
        principal = authenticate()
        if principal.known is not None and request.endpoint != "push.push":  # a push tells in its body
            note_contact(principal.id, principal.known, read_header(request.headers.get(HEADER)))
    if request.method == "GET" and request.args:
        _must_be_described(getattr(view, "_apidoc", {}))


def _must_be_described(call: Mapping[str, Any]) -> None:
    """Raise `unknown_field` for a parameter by which a list, or a search, would be less, and which its description does
    not name; what is read by a schema is held to that."""
    named = {one["name"] for one in call.get("manual_doc", {}).get("parameters", ()) if one["in"] == "query"}
    if not named.difference(HARMLESS) and ".list_" not in (request.endpoint or ""):
        return  # it gives one thing, whatever else is said
    unknown = sorted(set(request.args) - {*HARMLESS, *named})
    if unknown and not any(one["in"] == "query" for one in call.get("arguments", {}).get("parameters", ())):
        raise Problem("unknown_field", f"未知参数 unknown parameter {unknown[0]!r}",
                      errors={name: ["unknown"] for name in unknown})


def _authenticate_the_lost() -> None:
    """An address that leads nowhere is told only to whoever says who he is."""
    if f"{request.path}/".startswith(f"{BASE}/") and isinstance(request.routing_exception, NotFound):
        _authenticate()
