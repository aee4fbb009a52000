"""Section 12: what an operator's tools ask; and the description that stands in for documentation."""

from __future__ import annotations

from tests.conformance.checks import must, must_be, subject
from tests.conformance.office import Office
from tests.conformance.wire import granted

holds = subject("operation", "12")
DESCRIBED = {"/sessions": "post", "/devices": "post", "/users": "post", "/hello": "get", "/sync/push": "post",
             "/sync/pull": "get", "/sync/verify": "post", "/quarantine": "get", "/records": "get", "/uploads": "post",
             "/zones.geojson": "get", "/zones/import": "post", "/zones/attribute": "get", "/journal/checkpoint": "get",
             "/journal/entries": "get", "/reviews": "get", "/spot-checks": "post"}


@holds("GET /healthz (process lives), GET /readyz (database, media store, queue reachable; says which is not)")
def the_process_lives_and_is_ready(office: Office) -> None:
    for path in ("//healthz", "//readyz"):
        must_be(office.anyone.get(path).status_code, 200, f"status of {path[1:]}")


@holds("GET /metrics (Prometheus)")
def metrics_are_in_the_form_of_prometheus(office: Office) -> None:
    answer = office.anyone.get("//metrics")
    must_be(answer.status_code, 200, "status")
    must("# TYPE" in answer.text, "lines of # TYPE", answer.text[:200])


@holds("The server may offer more (and documents all of it in its OpenAPI 3.1 description at /api/v1/openapi.json)")
def the_description_names_every_call(office: Office) -> None:
    paths = granted(office.anyone.get("/openapi.json"))["paths"]
    known = {path.removeprefix("/api/v1"): verbs for path, verbs in paths.items()}
    missing = [path for path, verb in DESCRIBED.items() if verb not in known.get(path, {})]
    must_be(missing, [], "calls that the description lacks")
