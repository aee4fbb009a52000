"""What a record type is: its fields, which values they take, how each merges, what it refers to.

Serves `schemas/records.py`, where the types themselves stand, and the engine that merges by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from marshmallow import ValidationError, fields

from schemas.problems import Problem, by_path
from schemas.values import REFUSED, Refused


class Merge(StrEnum):
    """How a field merges when two writers changed it apart (protocol section 5)."""

    LATEST = "latest"
    BOUND = "bound"
    SET = "set"
    MAP = "map"
    APPEND = "append"
    GUARDED = "guarded"
    ONCE = "once"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared field: what values it takes, how it merges, what it refers to."""

    value: fields.Field[Any]
    rule: Merge = Merge.LATEST
    bound: str | None = None
    refers: str | None = None


@dataclass(frozen=True)
class RecordType:
    """One record type. `origin` tells who makes such records: field (handhelds), office, or server. Fields that are
    null are not kept, but for the `nullable`, which a record always has."""

    name: str
    fields: Mapping[str, Declared]
    origin: str = "field"
    required: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    immutable: bool = False
    reaches_down: bool = False
    nullable: frozenset[str] = frozenset()

    def rule(self, field: str) -> Merge:
        """The merge rule of a field; `latest` for one that is not declared."""
        declared = self.fields.get(field)
        return declared.rule if declared else Merge.LATEST

    def known(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values of declared fields; others may hold anything."""
        return values if values.keys() <= self.fields.keys() \
            else {name: values[name] for name in values.keys() & self.fields.keys()}

    @cached_property
    def server_fields(self) -> frozenset[str]:
        """The fields that only the server sets."""
        return frozenset(name for name, declared in self.fields.items() if declared.rule is Merge.SERVER)

    @cached_property
    def set_fields(self) -> tuple[str, ...]:
        """The fields that are sets."""
        return tuple(name for name, declared in self.fields.items() if declared.rule is Merge.SET)

    @cached_property
    def list_fields(self) -> tuple[str, ...]:
        """The fields that are lists which only grow."""
        return tuple(name for name, declared in self.fields.items() if declared.rule is Merge.APPEND)

    @cached_property
    def bounds(self) -> Mapping[str, tuple[str, ...]]:
        """The fields that make up each bound value, in the order of their declaration."""
        names = dict.fromkeys(declared.bound for declared in self.fields.values() if declared.bound)
        return {bound: tuple(name for name, declared in self.fields.items() if declared.bound == bound)
                for bound in names}

    @cached_property
    def referring(self) -> Mapping[str, str]:
        """The record type that each referring field refers to, `*` for any."""
        return {name: declared.refers for name, declared in self.fields.items() if declared.refers}

    def members(self, bound: str) -> tuple[str, ...]:
        """The fields that make up a bound value; none for another name."""
        return self.bounds.get(bound, ())

    def references(self, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """(type, id) of every record that the values refer to."""
        for name, refers in self.referring.items():
            if (value := values.get(name)) is not None:
                yield (value["type"], value["id"]) if refers == "*" else (refers, value)

    def load(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Checked values of the named fields; null clears a field. Raises `field_invalid` or a code of its own."""
        loaded: dict[str, Any] = {}
        errors: dict[str, list[str]] = {}
        code, fields = "field_invalid", self.fields
        for name, value in values.items():
            try:
                if name in fields:
                    loaded[name] = value if value is None else fields[name].value.deserialize(value)
                elif self._is_reserved(name):
                    errors[name] = ["no name for a field"]
                else:
                    loaded[name] = value
            except ValidationError as error:
                errors |= by_path(error.messages, name)
                code = code_of(error) or code
        if errors:
            raise Problem(code, "; ".join(f"{name}: {texts[0]}" for name, texts in errors.items()), errors=errors)
        return loaded

    def _is_reserved(self, name: str) -> bool:
        """Names by which merging speaks of units: a bound value, a map's key, a set's member."""
        head, dot, _ = name.partition(".")
        return name in ("", "*") or name.startswith("@") or bool(self.members(name)) \
            or (bool(dot) and self.rule(head) in (Merge.MAP, Merge.SET, Merge.APPEND))

    def check_complete(self, values: Mapping[str, Any]) -> None:
        """Raise `field_missing` unless everything that a record of this type needs is there."""
        missing = [name for name in self.required if _is_blank(values.get(name))]
        errors = {name: ["必填 required"] for name in missing}
        for name in self.one_of:
            if not _is_blank(values.get(name)):
                break
        else:
            missing += [" | ".join(self.one_of)] if self.one_of else []
            errors |= {name: ["至少填一项 one of these is required"] for name in self.one_of}
        if missing:
            raise Problem("field_missing", f"缺少内容 {self.name} needs {', '.join(missing)}", errors=errors)


def _is_blank(value: Any) -> bool:
    return not value.strip() if isinstance(value, str) else value is None or value == [] or value == {}


def code_of(error: ValidationError) -> str | None:
    """The problem code of a refusal, also of one inside a list."""
    if isinstance(error, Refused):
        return error.code
    found = str(error.messages)
    return next((code for code in ("crs_missing", "crs_unknown") if REFUSED[code] in found), None)
