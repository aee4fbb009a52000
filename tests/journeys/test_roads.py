"""Roads for the handheld's map, from a file of the city to a device (protocol section 8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.bureau import Bureau, a_road, collection, frontage
from tests.running import Server
from tests.wire import Person, granted, new_id

SCOPE, SEEN_FROM = "320412101", "320412101001"
LINE = [[119.91, 31.71], [119.92, 31.72]]


def drawn(reader: Any) -> dict[str, Any]:
    return {one["properties"]["name"]: one for one in granted(reader.get("/roads"))["features"]}


def test_roads_are_imported_once_changed_and_fetched_by_their_tag(bureau: Bureau, admin: Person) -> None:
    name, device = f"测试路 {new_id()[-8:]}", bureau.handheld(SEEN_FROM)
    feature = a_road(LINE, SCOPE, name=name, carriageway_m=12.5)
    for counted in ("created", "unchanged"):
        answer = granted(admin.post("/roads/import", collection(feature, frontage(*LINE[0], SCOPE))))
        assert (answer["imported"], answer[counted], answer["skipped"], answer["rejected"]) == (1, 1, 1, [])
    assert drawn(device)[name]["geometry"] == feature["geometry"]
    tag = device.get("/roads").headers["ETag"]
    assert device.get("/roads", headers={"If-None-Match": tag}).status_code == 304
    feature["properties"]["carriageway_m"] = 9
    assert granted(admin.post("/roads/import", collection(feature)))["updated"] == 1
    again = device.get("/roads", headers={"If-None-Match": tag})
    assert (again.status_code, again.headers["ETag"] != tag) == (200, True)
    assert drawn(device)[name]["properties"]["carriageway_m"] == 9
    assert name not in drawn(bureau.handheld("320481"))


def test_texts_as_long_as_allowed_are_kept_on_every_engine(admin: Person) -> None:
    road_id, name = f"R-{new_id()}".ljust(80, "x"), "路" * 500
    feature = a_road(LINE, SCOPE, road_id=road_id, name=name, section="段" * 500)
    assert granted(admin.post("/roads/import", collection(feature)))["rejected"] == []
    assert drawn(admin)[name]["id"] == road_id


def test_the_command_line_imports_a_file(server: Server, admin: Person, tmp_path: Path) -> None:
    name, file = f"测试路 {new_id()[-8:]}", tmp_path / "roads.geojson"
    file.write_text(json.dumps(collection(a_road(LINE, SCOPE, name=name), {"type": "Feature"}), ensure_ascii=False))
    answer = json.loads(server.cli("roads", "import", str(file)).stdout)
    assert (answer["created"], [one["index"] for one in answer["rejected"]]) == (1, [1])
    assert json.loads(server.cli("roads", "import", str(file)).stdout)["unchanged"] == 1
    assert name in drawn(admin)
    for wrong, said in (("{", "not valid JSON"), ("[]", "invalid_request")):
        file.write_text(wrong)
        done = server.cli("roads", "import", str(file), check=False)
        assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr
