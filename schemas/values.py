"""The values that fields carry: times, ids, digests, positions. What a person sent is kept as it was sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from marshmallow import ValidationError, fields, missing

from schemas.positions import CRS_NAMES

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)  # what `stamp` gives
YUAN = re.compile(r"\d{1,12}(\.\d{1,2})?")
SHA256_HEX = re.compile(r"[0-9a-f]{64}")
SCOPE = re.compile(r"[0-9]{2,15}")
NUMBERS = frozenset((int, float))  # True is none


@lru_cache(maxsize=4096)
def parse_time(text: str) -> datetime:
    """An RFC 3339 time as an aware UTC datetime; raises ValueError for anything else."""
    if not RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 time")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError("time out of range") from None


def is_time(value: object) -> bool:
    """True for a text that is an RFC 3339 time."""
    try:
        return isinstance(value, str) and parse_time(value) is not None
    except ValueError:
        return False


def is_day_or_time(value: object) -> bool:
    """True for a calendar day, `2026-11-22`, or an RFC 3339 time."""
    return isinstance(value, str) and (is_time(value) or is_time(f"{value}T00:00:00Z"))


def stamp(at: datetime) -> str:
    """A time as it crosses the wire and stands in tables: UTC, milliseconds, `Z`; such texts sort by time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_uuid(value: object) -> bool:
    """True for a UUID in lower case with hyphens, the only form an id has on the wire."""
    return isinstance(value, str) and UUID.fullmatch(value) is not None


class Lean(fields.Field[Any]):
    """A field whose value goes straight to its check; a push has thousands. What is null or missing, which only
    schemas ask about, goes marshmallow's way."""

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        if value is None or value is missing:
            return super().deserialize(value, attr, data, **kwargs)
        found = self._deserialize(value, attr, data)
        for validator in self.validators:
            validator(found)
        return found


class Text(Lean, fields.String):
    """A text without NUL, which no PostgreSQL column could hold."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if "\0" in value:
            raise ValidationError("contains NUL")
        return value


class Texts(Lean):
    """A list of texts, none longer than `longest`."""

    def __init__(self, longest: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.longest = longest

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[str]:
        if not isinstance(value, list):
            raise ValidationError("Not a valid list.")
        for place, text in enumerate(value):
            if not isinstance(text, str) or "\0" in text or len(text) > self.longest:
                raise ValidationError(f"{place}: not a text of at most {self.longest} characters")
        return value


class Time(Lean):
    """An RFC 3339 time, kept as the text that was sent."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("not a time")
        try:
            parse_time(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return value


TIME = Time()


class Keyed(fields.Dict):
    """Values by keys that the sender chooses. A fault is told of its key, as of a member of any mapping."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._deserialize(value, *args, **kwargs)  # type: ignore[no-untyped-call]  # marshmallow's has none
        except ValidationError as error:
            if not isinstance(error.messages, dict):
                raise
            raise ValidationError({key: found.get("key") or found["value"]  # marshmallow tells the two apart
                                   for key, found in error.messages.items()}) from None


class Day(fields.Field[str]):
    """A calendar day, `2026-11-22`."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        try:
            return datetime.strptime(value, "%Y-%m-%d").date().isoformat()
        except (TypeError, ValueError):
            raise ValidationError("not a day like 2026-11-22") from None


class Id(Lean):
    """A UUID in lower case."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not is_uuid(value):
            raise ValidationError("not a UUID in lower case")
        return str(value)


class Sha256(Lean):
    """64 lower-case hex digits."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
            raise ValidationError("not 64 lower-case hex digits")
        return value


class ScopeCode(fields.Field[str]):
    """A division code prefix such as `320412100` (street) or `3204` (city)."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not SCOPE.fullmatch(value):
            raise ValidationError("not a scope code")
        return value


class Scalar(Lean):
    """A text, number or boolean: fields that cities fill in their own way."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, (str, int, float, bool)) or (isinstance(value, str) and "\0" in value):
            raise ValidationError("not a text or number")
        return value


class Amount(Lean):
    """An amount of money in yuan, not negative: a number, or its decimal text (`"50.00"`). Kept as sent."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int | float | str:
        if isinstance(value, str) and YUAN.fullmatch(value):
            return value
        if not within(value, 1e12) or value < 0:
            raise ValidationError("not an amount of yuan")
        found: int | float = value
        return found


class About(Lean):
    """`{type, id}`: the record that this one speaks of."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not is_uuid(value.get("id")) or not isinstance(value.get("type"), str):
            raise ValidationError("not {type, id}")
        return {"type": value["type"], "id": value["id"]}


REFUSED = {"crs_missing": "a position needs its coordinate system (crs)",
           "crs_unknown": f"crs must be one of {', '.join(CRS_NAMES)}"}


class Refused(ValidationError):
    """A validation error that has a problem code of its own, such as `crs_missing`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


MOST_ACCURACY_M = 10_000_000  # a quarter of the way around the earth; more says nothing
ACCURACIES = f"from 0 to {MOST_ACCURACY_M:,}"


class Point(Lean):
    """One point of a patrol: `{id, at, lon, lat, crs, accuracy_m}`; known by its id. It is kept as sent and never
    converted, so one without `crs` is no guess; an unknown `crs` is refused, and what is given must be in range."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or not isinstance(value.get("id"), str) or not value["id"]:
            raise ValidationError("a point needs an id")
        if value.get("at") is not None:
            TIME.deserialize(value["at"])
        if value.get("crs") is not None:
            POSITION.deserialize(value)
        elif not all(value.get(name) is None or (within(value[name], most) and value[name] >= least)
                     for name, least, most in (("lon", -180, 180), ("lat", -90, 90),
                                               ("accuracy_m", 0, MOST_ACCURACY_M))):
            raise ValidationError(f"lon and lat must be degrees, accuracy_m metres {ACCURACIES}")
        return value


class Position(Lean):
    """`{lon, lat, crs, accuracy_m?, provider?, fixed_at?, mock?}`; without `crs` it is refused, never guessed.

    Degrees; `accuracy_m` in metres. Kept as sent, less a `normalized` that only the server may add.
    """

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("not a position")
        if value.get("crs") is None:
            raise Refused("crs_missing", REFUSED["crs_missing"])
        if value["crs"] not in CRS_NAMES:
            raise Refused("crs_unknown", REFUSED["crs_unknown"])
        if not within(value.get("lon"), 180) or not within(value.get("lat"), 90):
            raise ValidationError("lon and lat must be degrees")
        accuracy = value.get("accuracy_m")
        if accuracy is not None and (not within(accuracy, MOST_ACCURACY_M) or accuracy < 0):
            raise ValidationError(f"accuracy_m must be metres {ACCURACIES}")
        if value.get("fixed_at") is not None:
            TIME.deserialize(value["fixed_at"])
        return {name: part for name, part in value.items() if name != "normalized"}


POSITION = Position()


def within(value: object, limit: float) -> bool:
    """True for a finite number from -limit to limit."""
    return type(value) in NUMBERS and -limit <= value <= limit  # type: ignore[operator]  # a number by then
