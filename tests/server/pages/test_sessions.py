"""Sign in and out, the way back, CSRF, the limit of failures, the headers of pages."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from tests.bureau import PASSWORD
from tests.server.indoors import Indoors
from tests.server.pages.conftest import Visitor

PAGES = ["/", "/reviews", "/spot-checks", "/devices", "/conflicts", "/quarantine", "/records", "/zones",
         "/zones.geojson", f"/photos/{'a' * 64}/thumb", f"/photos/{'a' * 64}/original"]


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_sent_to_sign_in(visitor: Visitor, path: str) -> None:
    answer = visitor.http.get(path)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")


def test_sign_in_leads_back_to_the_page_that_was_asked_for(office: Indoors, visitor: Visitor) -> None:
    reviewer = office.person("reviewer")
    asked = visitor.http.get("/reviews?state=returned").headers["Location"]
    assert 'value="/reviews?state=returned"' in visitor.see(asked)
    answer = visitor.send("/sign-in", {"username": reviewer.username, "password": PASSWORD,
                                       "next": "/reviews?state=returned"})
    assert answer.headers["Location"] == "/reviews?state=returned"


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", "/\\example.org", "javascript:1", ""])
def test_sign_in_leads_nowhere_else(office: Indoors, visitor: Visitor, elsewhere: str) -> None:
    visitor.see("/sign-in")
    answer = visitor.send("/sign-in", {"username": "root", "password": PASSWORD, "next": elsewhere})
    assert answer.headers["Location"] == "/"


def test_a_wrong_password_shows_the_form_again(visitor: Visitor) -> None:
    visitor.see("/sign-in")
    answer = visitor.send("/sign-in", {"username": "nobody-here", "password": "wrong"})
    assert answer.status_code == 401
    assert "用户名或密码错误" in answer.text
    assert 'value="nobody-here"' in answer.text


def test_failed_logins_are_limited_together_with_those_of_the_api(office: Indoors, visitor: Visitor) -> None:
    victim = office.newcomer("reviewer")
    visitor.see("/sign-in")
    wrong = {"username": victim.username, "password": "wrong"}
    seen = [visitor.send("/sign-in", wrong).status_code for _ in range(3)]
    seen += [visitor.http.post("/api/v1/sessions", json=wrong).status_code for _ in range(3)]
    assert seen == [401] * 5 + [429]


def test_a_form_without_its_token_is_refused(office: Indoors, visitor: Visitor) -> None:
    visitor.signed_in(office.person("supervisor"))
    visitor.token = "forged"
    answer = visitor.send("/devices/invitations", {"username": "root"})
    assert answer.status_code == 403
    assert "页面已过期" in answer.text


def test_signing_out_ends_the_login_itself(office: Indoors, visitor: Visitor) -> None:
    visitor.signed_in(office.person("reviewer"))
    cookies = dict(visitor.http.cookies)
    visitor.see("/reviews")
    assert visitor.send("/sign-out").status_code == 303
    thief = Visitor(office.url)
    thief.http.cookies.update(cookies)
    assert thief.http.get("/reviews").status_code == 303


def test_a_login_that_ended_sends_back_to_sign_in(office: Indoors, visitor: Visitor) -> None:
    visitor.signed_in(office.person("reviewer"))
    office.clock.put_on(hours=13)
    try:
        assert visitor.http.get("/reviews").status_code == 303
    finally:
        office.clock.put_on(hours=-13)


def test_the_api_takes_no_cookie(office: Indoors, visitor: Visitor) -> None:
    visitor.signed_in(office.person("reviewer"))
    assert visitor.http.get("/api/v1/reviews").status_code == 401


def test_the_cookie_is_kept_from_scripts_and_other_sites(visitor: Visitor) -> None:
    cookie = visitor.http.get("/sign-in").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_pages_carry_a_strict_policy(visitor: Visitor) -> None:
    headers = visitor.http.get("/sign-in").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(("role", "first"), [("reviewer", "/reviews"), ("supervisor", "/reviews"),
                                             ("auditor", "/reviews"), ("admin", "/records"),
                                             ("inspector", "/records")])
def test_each_role_begins_at_a_page_that_it_may_see(office: Indoors, visitor: Visitor, role: str, first: str) -> None:
    visitor.signed_in(office.person(role))
    assert visitor.http.get("/").headers["Location"] == first
    visitor.see(first)


@pytest.mark.parametrize(("role", "paths"), [
    ("inspector", ["/reviews", "/spot-checks", "/devices", "/quarantine"]), ("reviewer", ["/devices", "/quarantine"]),
    ("auditor", ["/devices", "/quarantine"])])
def test_pages_beyond_the_role_are_refused_in_words(office: Indoors, visitor: Visitor, role: str,
                                                    paths: list[str]) -> None:
    visitor.signed_in(office.person(role))
    for path in paths:
        assert "角色无此权限" in visitor.see(path, 403)


def test_english_first_turns_both_languages_round(visitor: Visitor) -> None:
    assert '<html lang="zh-CN">' in visitor.see("/sign-in")
    assert visitor.send("/language", {"lang": "en", "next": "/sign-in"}).headers["Location"] == "/sign-in"
    page = visitor.see("/sign-in")
    assert '<html lang="en">' in page
    assert page.index("Password") < page.index("密码")


def test_a_page_that_is_not_there_says_so(visitor: Visitor) -> None:
    page = visitor.see("/nowhere", 404)
    assert "不存在" in page and "/sign-out" not in page


@pytest.mark.parametrize(("path", "status", "chinese"), [
    ("/nope", 404, "没有这个地址"), ("/devices/zz", 404, "没有这个地址"),
    ("/reviews/x/claim", 405, "此地址不接受这种请求"),
    ("/records/finding/x", 404, "没有此记录"), ("/reviews?state=zork", 422, "没有这种审核状态"),
    ("/records?type=zork", 422, "未知记录类型")])
def test_an_error_page_keeps_the_way_back(office: Indoors, visitor: Visitor, path: str, status: int,
                                          chinese: str) -> None:
    person = office.person("reviewer")
    page = visitor.signed_in(person).see(path, status)
    assert chinese in page
    assert 'href="/reviews"' in page and "/sign-out" in page
    assert "The requested URL" not in page and "The method is not allowed" not in page
    assert "已填写的内容还在" not in page


def test_a_refused_form_says_that_what_was_typed_is_still_there(office: Indoors, visitor: Visitor) -> None:
    visitor.signed_in(office.person("supervisor")).see("/spot-checks")
    answer = visitor.send("/spot-checks", {"title": ""})
    assert answer.status_code == 422
    assert "已填写的内容还在" in answer.text and "/sign-out" in answer.text


def test_the_page_of_a_failing_database_needs_no_database(office: Indoors, visitor: Visitor) -> None:
    visitor.signed_in(office.person("reviewer"))
    database = create_engine(office.app.extensions["menqian"].settings.database_url)
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE login RENAME TO away"))
    try:
        assert "服务器繁忙" in visitor.see("/reviews", 503)
        assert "没有这个地址" in visitor.see("/nope", 404)
    finally:
        with database.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO login"))
