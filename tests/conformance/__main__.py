"""Hold a server to the wire protocol, from outside and over plain HTTP.

`python -m tests.conformance --url http://127.0.0.1:8080 --admin-token TOKEN` plays every check against a server that
claims protocol 1. It needs httpx and cryptography, and nothing of Menqian. Exit: 0 when all checks pass, 1 when one
fails, 2 for wrong use (no such check, no server there, no administrator's token).
"""

from __future__ import annotations

import argparse
import sys

import httpx

from tests.conformance import subjects
from tests.conformance.checks import Check, chosen
from tests.conformance.office import Office
from tests.conformance.report import as_json, line_of, listing, summary
from tests.conformance.runner import run
from tests.conformance.wire import Line, Wire

SCOPE, ELSEWHERE = "320412100", "320412102"


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="where the server is, without /api/v1")
    parser.add_argument("--admin-token", help="token of somebody with role admin whose scopes cover both below")
    parser.add_argument("--scope", default=SCOPE, help="the scope that the run works in (%(default)s)")
    parser.add_argument("--elsewhere", default=ELSEWHERE, help="another, for moves and foreign eyes (%(default)s)")
    parser.add_argument("--only", help="subjects or names of checks, with commas between")
    parser.add_argument("--list", action="store_true", help="list the checks and end")
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")
    parser.add_argument("--trace", action="store_true", help="print each exchange on standard error")
    parser.add_argument("--timeout", type=float, default=60, help="seconds to wait for an answer (%(default)s)")
    parser.add_argument("--patience", type=float, default=1, help="on a busy machine: how many times longer than the "
                        "protocol allows to wait for what a server does by itself (%(default)s)")
    return parser


def main() -> int:
    parser = arguments()
    asked = parser.parse_args()
    try:
        checks = list(chosen(asked.only))
    except ValueError as error:
        parser.error(str(error))
    if asked.list:
        print(listing(checks))
        return 0
    if not asked.url or not asked.admin_token:
        parser.error("--url and --admin-token are needed")
    if asked.scope == asked.elsewhere or len(asked.scope) < 6:
        parser.error("--scope and --elsewhere are two codes of six digits or more")
    told = (lambda text: print(text, file=sys.stderr)) if asked.trace else None
    line = Line(asked.url, told, timeout_s=asked.timeout, patience=asked.patience)
    must_be_administrator(parser, line, asked.admin_token)
    return play(Office(line, asked.admin_token, asked.scope, asked.elsewhere), checks, asked.json)


def must_be_administrator(parser: argparse.ArgumentParser, line: Line, token: str) -> None:
    """End with 2 unless the server is there and the token is an administrator's."""
    try:
        answer = Wire(line, token).get("/hello")
        told = answer.json()
        roles = told["user"]["roles"] if answer.status_code == 200 else []
        known = answer.status_code in (200, 401) and (told.get("protocol") or told.get("code"))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError, AttributeError) as error:
        parser.error(f"no server of this protocol at {line.url}: {error}")
    if not known:
        parser.error(f"no server of this protocol at {line.url}: /api/v1/hello answers {answer.status_code}")
    if "admin" not in roles or told.get("device"):
        parser.error(f"the token is not an administrator's own ({answer.status_code}, roles {roles}"
                     f"{', of a device' if told.get('device') else ''})")


def play(office: Office, checks: list[Check], as_data: bool) -> int:
    """Run, report, and give the exit status."""
    print(f"{len(checks)} checks of {len({check.subject for check in checks})} subjects "
          f"({len(subjects.ORDER)} modules), run {office.run}", file=sys.stderr)
    results = run(office, checks, None if as_data else lambda result: print(line_of(result), flush=True))
    print(as_json(office.line.url, results) if as_data else summary(results))
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
