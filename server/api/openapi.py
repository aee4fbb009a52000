"""The OpenAPI 3.1 description beyond what the views' schemas say: parameters, other bodies, problems, section 12.

Serves client authors, who read it at `/api/v1/openapi.json`. Nothing here changes what the server does.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask_smorest import Api, Blueprint
from werkzeug.routing import Rule

from schemas.problems import ACTIONS, PROBLEMS
from schemas.values import Day, Id, ScopeCode, Time
from server.wire import Arguments

PROBLEM_JSON = "application/problem+json"
PROBLEM = {
    "type": "object", "required": ["type", "title", "status", "code", "detail", "action"],
    "description": "A failure (RFC 9457). Some codes bring members of their own, such as `expect`.",
    "properties": {
        "type": {"type": "string", "format": "uri"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(PROBLEMS)}, "detail": {"type": "string"},
        "action": {"type": "string", "enum": list(ACTIONS)},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}}}

_UUID, _TIME = {"type": "string", "format": "uuid"}, {"type": ["string", "null"], "format": "date-time"}
_COUNT, _FIELDS = {"type": ["integer", "null"], "minimum": 0}, {"type": ["object", "null"]}
MUTATION = {
    "type": "object", "required": ["n", "id", "type", "record_id", "op"],
    "properties": {
        "n": {"type": "integer", "minimum": 1}, "id": _UUID, "type": {"type": "string"}, "record_id": _UUID,
        "op": {"type": "string", "enum": ["put", "delete", "command"]}, "base": {"type": "integer", "minimum": 0},
        "scope": {"type": ["string", "null"]}, "set": _FIELDS, "add": _FIELDS, "remove": _FIELDS,
        "group": {"type": ["string", "null"], "format": "uuid"}, "made_at": _TIME,
        "command": {"type": ["object", "null"], "required": ["name"], "additionalProperties": False,
                    "properties": {"name": {"type": "string"}, "args": _FIELDS, "expect": _FIELDS}}}}
PUSH = {
    "type": "object", "required": ["mutations"], "additionalProperties": False,
    "properties": {
        "mutations": {"type": "array", "items": MUTATION},
        "health": {"type": ["object", "null"], "additionalProperties": False, "properties": {
            "unsent": _COUNT, "oldest_unsent_at": _TIME, "unsent_bytes": _COUNT, "unsent_photos": _COUNT,
            "device_time": _TIME, "round_trip_ms": _COUNT}}}}
FEATURES = {
    "type": "object", "required": ["type", "features"], "description": "A GeoJSON FeatureCollection (RFC 7946)",
    "properties": {"type": {"const": "FeatureCollection"},
                   "features": {"type": "array", "items": {"type": "object"}}}}


def query(name: str, what: str, kind: str = "string", *, required: bool = False, **schema: Any) -> dict[str, Any]:
    """A parameter of the query, for `blp.doc(parameters=[...])`."""
    return {"in": "query", "name": name, "description": what, "required": required, "schema": {"type": kind, **schema}}


def header(name: str, what: str, kind: str = "string", *, required: bool = False, **schema: Any) -> dict[str, Any]:
    """A header of the request, for `blp.doc(parameters=[...])`."""
    return {**query(name, what, kind, required=required, **schema), "in": "header"}


def page(most: int) -> list[dict[str, Any]]:
    """The parameters of a list that comes in pages."""
    return [query("limit", f"how many, at most {most}", "integer", minimum=1),
            query("cursor", "`next` of the page before")]


def body(schema: dict[str, Any], content_type: str = "application/json", *, required: bool = True) -> dict[str, Any]:
    """A request body that the view reads by itself, for `blp.doc(requestBody=...)`."""
    return {"required": required, "content": {content_type: {"schema": schema}}}


def told(**headers: str) -> dict[str, Any]:
    """Headers of an answer, for `blp.response(headers=...)`: what each says, `_` in a name for `-`."""
    return {name.replace("_", "-"): {"description": what, "schema": {"type": "string"}}
            for name, what in headers.items()}


class Description(Api):
    """flask-smorest, with our problems in place of its own error format; `server/errors.py` answers for everything."""

    DEFAULT_ERROR_RESPONSE_NAME = "Problem"

    def _register_error_handlers(self) -> None:
        return None

    def _register_responses(self) -> None:
        for field, kind, form in ((Time, "string", "date-time"), (Day, "string", "date"), (Id, "string", "uuid"),
                                  (ScopeCode, "string", None)):
            self.register_field(field, kind, form)
        self.spec.components.schema("Problem", PROBLEM)
        content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for name in ("Problem", HTTPStatus.UNPROCESSABLE_ENTITY.name):  # webargs names the latter
            self.spec.components.response(name, {"description": "A problem", "content": content})


class Noun(Blueprint):
    """A blueprint whose bodies are read by `server/wire.py`."""

    ARGUMENTS_PARSER = Arguments()

    def response(self, status_code: int, schema: Any = None, *, empty: bool = False, **more: Any) -> Any:
        """As flask-smorest's; an answer without a schema is any JSON, unless it is `empty`."""
        without = empty or status_code == HTTPStatus.NO_CONTENT
        return super().response(status_code, {} if schema is None and not without else schema, **more)

    def ranged(self, content_type: str) -> Any:
        """The 206 of a view that gives one range of bytes where it is asked for one."""
        return self.alt_response(206, schema={}, content_type=content_type, description="The range that was asked for",
                                 headers=told(Content_Range="which bytes of how many"), success=True)


def describe_the_rest(api: Api, base: str) -> None:
    """Describe what no noun serves: operation, this description and its page, and the greeting of tus."""
    unready = {"503": {"description": "One of them cannot be reached", "content": {"application/json": {}}}}
    for path, what, kind, more in (
            ("/healthz", "The process lives.", "application/json", {}),
            ("/readyz", "Database, media store, queue can be reached, photos have room; says what fails.",
             "application/json", unready),
            ("/metrics", "Prometheus text.", "text/plain", {}),
            (f"{base}/openapi.json", "This description.", "application/json", {}),
            (f"{base}/docs", "This description as a page.", "text/html", {})):
        api.spec.path(rule=Rule(path), operations={"get": {
            "summary": what, "tags": ["operation"], "security": [],
            "responses": {"200": {"description": "OK", "content": {kind: {}}}, **more, "default": "Problem"}}})
    api.spec.path(rule=Rule(f"{base}/uploads"), operations={"options": {
        "summary": "What this server offers of tus.", "tags": ["uploads"], "security": [],
        "responses": {"200": {"description": "OK", "headers": told(
            Tus_Resumable="1.0.0", Tus_Version="1.0.0", Tus_Extension="the extensions", Tus_Max_Size="bytes at most",
            Tus_Checksum_Algorithm="the algorithms")}, "default": "Problem"}}})
    api.spec.tag({"name": "operation", "description": "运行 Operation"})
