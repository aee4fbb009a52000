"""The OpenAPI description against the app: valid, whole, and true enough that what it allows never ends in a 5xx."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error

from server.listing import EQUALS
from tests.server.indoors import Indoors, indoors
from tests.wire import Wire, granted

PATH = "/api/v1/openapi.json"
PAGE = {"limit", "cursor"}
TUS = {"Tus-Resumable"}
QUERIES = {
    "/sync/poke": {"cursor"},
    "/sync/pull": PAGE, "/quarantine": {*PAGE, "state"}, "/records/{record_name}/{record_id}/history": PAGE,
    "/devices": {"holding", "attention", *PAGE},
    "/conflicts": {"scope", "record_type", "record_id", "person", "older_than_h", *PAGE},
    "/records": {*EQUALS, "scope", "updated_since", "sort", *PAGE},
    "/reviews": {"state", "scope", *PAGE}, "/media/{sha256}": {"reason"}, "/zones.geojson": {"bbox", "at"},
    "/zones/attribute": {"lon", "lat", "crs", "accuracy_m", "at", "sticker_serial"},
    "/journal/entries": {"from", "limit"}, "/journal/inclusion": {"index", "size"},
    "/journal/consistency": {"from", "to"}, "/journal/timestamps": {"from", "limit"},
    "/reviews/{record_id}/bundle": {"profile", "reason"},
    "/retention": {"due_before", "class", "scope", *PAGE}, "/legal-holds": {"scope", "state"},
    "/disposals": {"state", "limit"}, "/erasures": {"state", "limit"},
}
HEADERS = {
    ("post", "/sync/push"): {"Menqian-Signature"}, ("get", "/media/{sha256}"): {"Range", "If-Range"},
    ("get", "/roads"): {"If-None-Match"},
    ("get", "/sync/pull"): {"Menqian-Health"}, ("get", "/sync/snapshots/{sha256}"): {"Range", "If-Range"},
    ("post", "/uploads"): {*TUS, "Upload-Length", "Upload-Metadata", "Upload-Checksum"},
    ("head", "/uploads/{upload_id}"): TUS, ("delete", "/uploads/{upload_id}"): TUS,
    ("patch", "/uploads/{upload_id}"): {*TUS, "Upload-Offset", "Upload-Checksum"},
    ("post", "/uploads/{upload_id}"): {*TUS, "X-HTTP-Method-Override"},
}
PUBLIC = {
    ("post", "/sessions"), ("post", "/devices"), ("get", "/journal/checkpoint"), ("get", "/journal/key"),
    ("options", "/uploads"), ("get", "/openapi.json"), ("get", "/docs"), ("get", "/healthz"), ("get", "/readyz"),
    ("get", "/metrics"),
}
WITHOUT_BODY = {"/uploads/{upload_id}"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("openapi")) as office:
        yield office


@pytest.fixture(scope="module")
def description(office: Indoors) -> dict[str, Any]:
    return granted(Wire(office.url).get("/openapi.json"))


@pytest.fixture(scope="module")
def operations(description: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """(verb, path without the base path) → operation, with the parameters of its path."""
    return {(verb, path.removeprefix("/api/v1")): {**operation, "parameters": [
                *operation.get("parameters", []), *members.get("parameters", [])]}
            for path, members in description["paths"].items()
            for verb, operation in members.items() if verb != "parameters"}


def named(operation: dict[str, Any], place: str) -> set[str]:
    return {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == place}


def test_the_description_is_valid_openapi_3_1(office: Indoors, description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1")
    assert description["servers"] == [{"url": "/"}]
    schemathesis.openapi.from_wsgi(PATH, office.app).validate()


def test_each_route_is_described_with_its_parameters(office: Indoors, operations: dict[Any, Any]) -> None:
    for rule in office.app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1/"):
            continue
        path = re.sub(r"<(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
        verbs = {verb.lower() for verb in rule.methods or ()} - {"options"}
        for verb in verbs - {"head"} or verbs:
            operation = operations[verb, path]
            assert named(operation, "path") == rule.arguments
            assert named(operation, "query") == (QUERIES.get(path, set()) if verb == "get" else set()), path
            assert named(operation, "header") == HEADERS.get((verb, path), set())
            takes = verb == "patch" or (verb == "post" and path not in WITHOUT_BODY)
            assert ("requestBody" in operation) == takes, (verb, path)


def test_what_takes_a_range_may_answer_with_a_part(operations: dict[Any, Any]) -> None:
    ranged = {path for (_, path), operation in operations.items() if "Range" in named(operation, "header")}
    assert ranged == {path for (_, path), operation in operations.items() if "206" in operation["responses"]}
    for path in ranged:
        whole, part = (operations["get", path]["responses"][status] for status in ("200", "206"))
        assert part["content"] == whole["content"]
        assert "Content-Range" in part["headers"]


def test_every_operation_may_end_in_a_problem(description: dict[str, Any], operations: dict[Any, Any]) -> None:
    for operation in operations.values():
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
    response = description["components"]["responses"]["Problem"]
    assert response["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert {"code", "action"} <= set(description["components"]["schemas"]["Problem"]["required"])


def test_only_public_operations_need_no_token(description: dict[str, Any], operations: dict[Any, Any]) -> None:
    assert description["security"] == [{"bearer": []}]
    assert {name for name, operation in operations.items() if operation.get("security") == []} == PUBLIC


def test_what_the_description_allows_to_ask_never_ends_in_a_5xx(office: Indoors) -> None:
    schema = schemathesis.openapi.from_wsgi(PATH, office.app).include(method="GET")
    token = {"Authorization": f"Bearer {office.admin.token}"}
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=12, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))
        def asked(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=token, checks=[not_a_server_error])

        asked()
