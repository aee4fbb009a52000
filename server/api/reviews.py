"""Review over HTTP: the queue, claims and decisions (protocol section 10)."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from marshmallow import RAISE

from schemas.pull import Nothing
from schemas.reviews import LONGEST_PAGE, BundleAsked, DecisionGiven, QueueAsked
from schemas.values import stamp
from server import reviews
from server.api import blueprint
from server.auth import me, needs_role
from server.bundles.export import EXPORTERS, bundle, must_be_exportable
from server.db import db, reading, writing
from server.house import house
from server.wire import answer

blp = blueprint("reviews", "审核 Reviews")


@blp.get("/reviews")
@needs_role("reviewer", "supervisor", "auditor")
@blp.arguments(QueueAsked, location="query", unknown=RAISE)
@blp.response(200)
def list_reviews(asked: dict[str, Any]) -> Response:
    """The queue in the caller's scopes, riskiest and oldest first; `counts` tells how many are in each state."""
    with reading():
        page = reviews.queue(db.session(), me().scopes, stamp(house().clock()), state=asked["state"],
                             scope=asked.get("scope"), limit=min(asked["limit"], LONGEST_PAGE),
                             cursor=asked.get("cursor"))
    return answer(page)


@blp.post("/reviews/<record_id>/claim")
@needs_role("reviewer")
@blp.arguments(Nothing, required=False)
@blp.response(200)
def claim(_: dict[str, Any], record_id: str) -> Response:
    """Lease the record for 15 minutes; again renews. 403 `own_work`, 409 `claimed`, `version_changed`."""
    with writing() as door:
        lease = reviews.claim(door, me().writer(), record_id)
    return answer(lease)


@blp.post("/reviews/<record_id>/decisions")
@needs_role("reviewer")
@blp.arguments(DecisionGiven)
@blp.response(201)
def decide(given: dict[str, Any], record_id: str) -> Response:
    """Accept, return, exclude or escalate one version. 403 `own_work`, 409 `claimed`, `version_changed`."""
    with writing() as door:
        made = reviews.decide(door, me().writer(), record_id, given)
    return answer(made, 201)


@blp.get("/reviews/<record_id>/bundle")
@needs_role(*EXPORTERS)
@blp.arguments(BundleAsked, location="query", unknown=RAISE)
@blp.response(200, content_type="application/zip")
def get_bundle(asked: dict[str, Any], record_id: str) -> Response:
    """The case of a finding or an enforcement record as a BagIt 1.0 zip, deleted ones too, whose `verify.py` checks it
    without this server. `court`: everything; `party`: no originals, numbers masked; `public`: digests instead of
    photos. The export is journalled."""
    if request.method == "HEAD":
        must_be_exportable(record_id)
        return Response(mimetype="application/zip")
    return bundle(record_id, asked["profile"], asked["reason"].strip())
