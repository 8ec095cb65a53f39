"""Signing in and out, and what sessions are worth afterwards."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask

from admin.sessions import COOKIE
from tests.admin.conftest import SignedIn
from tests.admin.visiting import Visitor
from tests.app.company import Company, email


def test_whoever_has_not_signed_in_is_led_there_and_back(stranger: Visitor, shop: Company) -> None:
    answer = stranger.get("/account/?a=1")
    assert (answer.status_code, answer.location) == (302, "/sign-in?next=/account/?a%3D1")

    stranger.get(answer.location)
    known = shop.passwords["max"]
    answer = stranger.post("/sign-in", email=email("max"), password=known, next="/account/?a=1")

    assert (answer.status_code, answer.location) == (302, "/account/?a=1")
    assert "Max" in stranger.get("/account/").text


def test_a_wrong_password_and_an_unknown_address_are_refused_alike(stranger: Visitor) -> None:
    said = []
    for address in (email("max"), email("nobody"), "", "max"):
        stranger.get("/sign-in")
        answer = stranger.post("/sign-in", email=address, password="wrong")
        said.append((answer.status_code, "is not its password" in answer.text))

    assert said == [(200, True)] * 4
    assert stranger.get("/account/").status_code == 302


def test_after_ten_failures_even_the_right_password_has_to_wait(
    stranger: Visitor, shop: Company
) -> None:
    stranger.get("/sign-in")
    for _ in range(10):
        stranger.post("/sign-in", email=email("max"), password="wrong")

    answer = stranger.post("/sign-in", email=email("max"), password=shop.passwords["max"])
    assert "Too many attempts" in answer.text

    shop.clock.advance(minutes=5)
    assert stranger.sign_in("max").get("/account/").status_code == 200


def test_signing_in_gives_a_new_cookie_that_is_for_this_host_and_no_script(
    stranger: Visitor, shop: Company
) -> None:
    before = stranger.get("/sign-in").headers["Set-Cookie"]
    answer = stranger.post("/sign-in", email=email("max"), password=shop.passwords["max"])
    [after] = answer.headers.getlist("Set-Cookie")

    assert before.startswith(f"{COOKIE}=")
    assert after.startswith(f"{COOKIE}=")
    assert before != after
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(after.split("; "))


def test_a_cookie_is_worth_nothing_after_signing_out(
    signed_in: SignedIn, pages: Flask, shop: Company
) -> None:
    visitor = signed_in("max")
    cookie = visitor.browser.get_cookie(COOKIE)
    assert cookie is not None

    assert visitor.post("/sign-out").status_code == 302

    thief = Visitor(pages.test_client(), shop)
    thief.browser.set_cookie(COOKIE, cookie.value)
    assert thief.get("/account/").status_code == 302


def test_a_session_ends_an_hour_after_the_last_page_and_twelve_after_signing_in(
    signed_in: SignedIn, shop: Company
) -> None:
    visitor = signed_in("max")
    for _ in range(12):
        shop.clock.advance(minutes=59)
        assert visitor.get("/account/").status_code == 200
    shop.clock.advance(minutes=13)
    assert visitor.get("/account/").status_code == 302

    visitor.sign_in("max")
    shop.clock.advance(minutes=61)
    assert visitor.get("/account/").status_code == 302


def test_a_new_password_ends_wherever_one_is_signed_in(signed_in: SignedIn, shop: Company) -> None:
    here, there = signed_in("max"), signed_in("max")
    new = "a longer password"

    assert here.post("/account/password", new_password=new, again=new).status_code == 302

    assert there.get("/account/").status_code == 302
    shop.passwords["max"], old = new, shop.passwords["max"]
    try:
        assert here.sign_in("max").get("/account/").status_code == 200
    finally:
        shop.passwords["max"] = old


def test_a_password_has_to_be_long_and_the_same_twice(signed_in: SignedIn) -> None:
    visitor = signed_in("max")

    short = visitor.post("/account/password", new_password="short", again="short")
    other = visitor.post("/account/password", new_password="long enough 1", again="long enough 2")

    assert (short.status_code, "at least 12 characters" in short.text) == (422, True)
    assert (other.status_code, "the same twice" in other.text) == (422, True)


def test_no_token_signs_anybody_in(stranger: Visitor, shop: Company) -> None:
    """The library as it comes gives one to who asks with ?include_auth_token."""
    stranger.get("/sign-in")
    known = shop.passwords["max"]
    answer = stranger.post("/sign-in?include_auth_token", email=email("max"), password=known)

    assert (answer.status_code, answer.mimetype) == (302, "text/html")
    assert "token" not in answer.text.replace("csrf_token", "")


def test_signing_in_leads_nowhere_else(stranger: Visitor, shop: Company) -> None:
    known = shop.passwords["max"]
    for elsewhere in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"):
        stranger.get("/sign-in")
        answer = stranger.post("/sign-in", email=email("max"), password=known, next=elsewhere)
        assert answer.status_code == 302
        assert urlsplit(answer.location).netloc == ""
        assert not answer.location.startswith(("//", "/\\"))
        stranger.get("/account/")
        stranger.post("/sign-out")


def test_every_answer_says_what_its_page_may_do(stranger: Visitor) -> None:
    first, second = (stranger.get("/sign-in").headers for _ in range(2))

    policy = first["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy != second["Content-Security-Policy"]
    assert first["X-Content-Type-Options"] == "nosniff"
    assert first["Cache-Control"] == "no-store"
