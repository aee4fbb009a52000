"""Audits on a page: for auditors and admins, asked for and watched by admins, their faults in words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from server import jobs, nightly
from server.db import db, writing
from server.models import AuditRun
from tests.server.indoors import Indoors, indoors
from tests.server.pages.conftest import SCOPE, Visitor


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indoors]:
    with indoors(tmp_path_factory.mktemp("audits")) as made:
        yield made


def test_an_admin_runs_one_now_watches_it_and_reads_its_faults(office: Indoors, visitor: Visitor) -> None:
    finding = office.handheld(SCOPE).report(SCOPE)
    visitor.signed_in(office.admin)
    assert "还没有核验" in visitor.see("/audits")
    asked = visitor.send("/audits")
    where = asked.headers["Location"]
    assert "等待后台开始" in visitor.see(where) and "等待" in visitor.see("/audits")
    assert visitor.send("/audits").headers["Location"] == where, "one at a time"
    with office.app.app_context(), writing() as door:
        run_id = nightly.take(door, None)
        door.session.get_one(AuditRun, run_id).checked = {"records": 1234}
    page = visitor.see(f"{where}/progress")
    assert "1,234" in page and "every 2s" in page
    with create_engine(office.app.extensions["menqian"].settings.database_url).begin() as connection:
        connection.execute(text("UPDATE record SET status = 'closed' WHERE id = :id"), {"id": finding})
    with office.app.app_context():
        nightly.perform(str(run_id))
    assert visitor.http.get(f"{where}/progress").status_code == 303
    assert visitor.http.get(f"{where}/progress", headers={"HX-Request": "true"}).headers["HX-Redirect"] == where
    page = visitor.see(where)
    assert "记录被改动" in page and finding in page and "结果已入日志" in page and "日志条目" in page
    assert "发现" in visitor.see("/audits")
    assert "最近一次核验发现问题" in visitor.see("/records"), "whoever can do something about it is told everywhere"
    assert "最近一次核验发现问题" not in Visitor(office.url).signed_in(office.person("auditor")).see("/records")


def test_the_next_one_that_finds_nothing_ends_the_alarm(office: Indoors, visitor: Visitor) -> None:
    with create_engine(office.app.extensions["menqian"].settings.database_url).begin() as connection:
        connection.execute(text("UPDATE record SET status = 'reported'"))
    visitor.signed_in(office.admin)
    visitor.see("/audits")
    visitor.send("/audits")
    with office.app.app_context():
        jobs._tick()
        run = nightly.newest(db.session())
    assert run is not None and nightly.problems_of(run) == 0
    assert "没有发现问题" in visitor.see(f"/audits/{run.id}")
    assert "最近一次核验发现问题" not in visitor.see("/records")


def test_auditors_read_and_others_do_not_even_that(office: Indoors) -> None:
    auditor = Visitor(office.url).signed_in(office.person("auditor"))
    assert "现在核验" not in auditor.see("/audits")
    assert auditor.send("/audits").status_code == 403
    for role in ("inspector", "reviewer", "supervisor"):
        other = Visitor(office.url).signed_in(office.person(role))
        assert "角色无此权限" in other.see("/audits", 403)
        assert 'href="/audits"' not in other.see("/records")
    auditor.see(f"/audits/{'0' * 8}-0000-4000-8000-{'0' * 12}", 404)
