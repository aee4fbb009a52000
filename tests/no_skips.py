"""Pytest plugin: where CI is set, a test that was skipped counts as failed. Serves .ci/run.

Browser, PostgreSQL and S3 tests skip themselves on a machine that lacks the service; in CI that would hide a hole.
Only a test that needs the reference texts beside the repository (its reason names `shared/data`) may stay skipped.
"""

import os
from collections.abc import Generator

import pytest

OPTIONAL = "shared/data"


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skipped report into a failed one. An expected failure is not a skip."""
    if not os.environ.get("CI") or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if OPTIONAL not in reason:
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: not run, which CI does not allow ({reason})"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _refuse_skip(report)
    return report
