"""All modules of checks in the order in which they are played; importing this registers every check."""

from importlib import import_module

ORDER = ("conventions", "people", "enrolment", "numbers", "outcomes", "quarantine", "pulling", "scopes", "fields",
         "states", "office_calls", "merging", "conflicts", "media", "chain", "zones", "journal", "review",
         "operation", "throttle")

for _name in ORDER:
    import_module(f"tests.conformance.{_name}")
