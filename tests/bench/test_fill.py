"""The rows that a benchmark fills a deployment with are rows like those of the door."""

import json

from tests.bench.deployment import deployed
from tests.bench.fill import fill


def test_a_filled_deployment_passes_its_own_audit(tmp_path):
    with deployed(tmp_path, zones=False) as deployment:
        fill(deployment, 300)
        found = json.loads(deployment.server.cli("verify").stdout)
    assert found["ok"], found
