"""Editable reference data of the trade, one file a noun, and the typed, cached loaders that serve rules and pages.

Every row carries `source`, `confidence` (H, H-, M, L), `valid_from` and `valid_to` (empty: not stated). What a city
sets differently is changed here, never in code. The loaders read a file once a process.
"""

from server.reference.calendar import Workdays, WorkHours, hours, workdays
from server.reference.codes import (
    Class,
    Condition,
    Limit,
    Offence,
    class_known,
    classes,
    condition,
    conditions,
    offences,
)
from server.reference.files import document, settings, table, valid_on
from server.reference.places import Division, divisions, gcj02_area, known_scope
from server.reference.procedure import (
    Step,
    checklists,
    enforcement_steps,
    forms,
    indicators,
    rights,
    states,
    template_known,
    timers,
)

__all__ = [
    "Class",
    "Condition",
    "Division",
    "Limit",
    "Offence",
    "Step",
    "WorkHours",
    "Workdays",
    "checklists",
    "class_known",
    "classes",
    "condition",
    "conditions",
    "divisions",
    "document",
    "enforcement_steps",
    "forms",
    "gcj02_area",
    "hours",
    "indicators",
    "known_scope",
    "offences",
    "rights",
    "settings",
    "states",
    "table",
    "template_known",
    "timers",
    "valid_on",
    "workdays",
]
