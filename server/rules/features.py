"""What any GeoJSON feature of an import may say, read with suspicion: texts, scope, coordinate system, positions.

Pure; nothing here trusts the shape of what came. Serves zone_features.py and road_features.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.positions import CRS_NAMES

LONGEST_TEXT = 500
UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # control characters and lone surrogates
KNOWN_SCOPE = Callable[[str], bool]


class FeatureRefused(Exception):
    """A feature that cannot be imported; `code` is stable, `detail` one sentence in Chinese, then English."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


REFUSED = Callable[[str, str], FeatureRefused]
"""How a bad geometry is refused, by what is wrong in Chinese and in English."""


@dataclass(frozen=True)
class Rejection:
    """Why the feature at `index` is not imported; `detail` is one sentence in Chinese, then English."""

    index: int
    name: str
    code: str
    detail: str

    @classmethod
    def of(cls, index: int, feature: Any, refused: FeatureRefused) -> Rejection:
        """The rejection of whatever came, with its name as far as it has one."""
        properties = feature.get("properties") if isinstance(feature, dict) else None
        name = properties.get("name") if isinstance(properties, dict) else None
        name = name[:80].encode("utf-8", "replace").decode() if isinstance(name, str) else ""
        return cls(index, name, refused.code, refused.detail)

    def as_wire(self) -> dict[str, Any]:
        return {"index": self.index, "name": self.name, "code": self.code, "detail": self.detail}


def parts_of(feature: object) -> tuple[Mapping[Any, Any], Mapping[Any, Any]]:
    """A feature and its properties, none where it has none; raises FeatureRefused for what is no feature."""
    if not isinstance(feature, Mapping) or feature.get("type", "Feature") != "Feature":
        raise FeatureRefused("invalid_geometry", "不是 GeoJSON 要素。Not a GeoJSON Feature.")
    properties = feature.get("properties")
    return feature, properties if isinstance(properties, Mapping) else {}


def text_of(values: Mapping[Any, Any], key: str, *, required: bool = False, path: str = "",
            longest: int = LONGEST_TEXT) -> str:
    """A text of at most `longest` characters, which its column must hold; empty where there is none."""
    value = values.get(key)
    if value is None or (isinstance(value, str) and not value.strip()):
        if required:
            raise missing(path + key)
        return ""
    if not isinstance(value, str) or len(value) > longest or UNFIT.search(value):
        raise invalid(path + key, f"不是 {longest} 字以内的文本", f"is no text of at most {longest} characters")
    return value.strip()


def scope_of(properties: Mapping[Any, Any], scopes: Sequence[str] | None, known_scope: KNOWN_SCOPE) -> str:
    scope = text_of(properties, "scope", required=True)
    if not known_scope(scope):
        raise FeatureRefused("scope_unknown", f"区划代码 {scope[:40]} 未知。Scope {scope[:40]} is not known.")
    if scopes is not None and not any(scope.startswith(one) for one in scopes):
        raise FeatureRefused(
            "out_of_scope",
            f"区划 {scope} 不在导入人的管辖范围内。Scope {scope} is not covered by the importer's scopes.",
        )
    return scope


def crs_of(properties: Mapping[Any, Any]) -> str:
    """Absent means EPSG:4326, as RFC 7946 has it."""
    crs = properties.get("crs")
    if crs is None:
        return "EPSG:4326"
    if crs not in CRS_NAMES:
        raise FeatureRefused(
            "crs_unknown", f"坐标系须为 {'、'.join(CRS_NAMES)} 之一。The crs must be one of {', '.join(CRS_NAMES)}."
        )
    return str(crs)


def point_of(position: object, refused: REFUSED) -> tuple[float, float]:
    """(lon, lat) in degrees; a height is dropped."""
    if not isinstance(position, list | tuple) or not 2 <= len(position) <= 4:
        raise refused("含有非坐标点", "has a position that is no pair of numbers")
    lon, lat = position[0], position[1]
    if type(lon) not in (int, float) or type(lat) not in (int, float):
        raise refused("坐标不是数字", "has a coordinate that is no number")
    if not (-180 <= lon <= 180 and -90 <= lat <= 90) or math.isnan(lon) or math.isnan(lat):
        raise refused("坐标超出经纬度范围", "has a coordinate outside longitude and latitude")
    return float(lon), float(lat)


def missing(path: str) -> FeatureRefused:
    return FeatureRefused("missing_property", f"缺少属性 {path}。Property {path} is missing.")


def invalid(path: str, chinese: str, english: str) -> FeatureRefused:
    return FeatureRefused("invalid_property", f"属性 {path} {chinese}。Property {path} {english}.")
