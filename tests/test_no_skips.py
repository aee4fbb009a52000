"""The plugin that keeps CI honest."""

import pytest

pytest_plugins = ["pytester"]

SKIPPING = """
import pytest

def test_needs_a_browser():
    pytest.skip("no chromium")

def test_needs_the_reference_texts():
    pytest.skip("needs ../shared/data")

@pytest.mark.xfail(strict=True)
def test_is_expected_to_fail():
    assert False
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, request: pytest.FixtureRequest) -> pytest.Pytester:
    pytester.syspathinsert(request.config.rootpath)
    pytester.makepyfile(SKIPPING)
    return pytester


def test_a_skipped_test_fails_in_ci(suite, monkeypatch):
    monkeypatch.setenv("CI", "true")
    run = suite.runpytest_inprocess("-p", "tests.no_skips")
    run.assert_outcomes(failed=1, skipped=1, xfailed=1)
    run.stdout.fnmatch_lines(["*no chromium*"])
    assert run.ret == pytest.ExitCode.TESTS_FAILED


def test_a_skipped_test_is_only_told_elsewhere(suite, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    suite.runpytest_inprocess("-p", "tests.no_skips").assert_outcomes(skipped=2, xfailed=1)


def test_a_skipped_module_fails_in_ci(pytester, request, monkeypatch):
    monkeypatch.setenv("CI", "true")
    pytester.syspathinsert(request.config.rootpath)
    pytester.makepyfile('import pytest\npytest.skip("no PostgreSQL", allow_module_level=True)')
    run = pytester.runpytest_inprocess("-p", "tests.no_skips")
    run.assert_outcomes(errors=1)
