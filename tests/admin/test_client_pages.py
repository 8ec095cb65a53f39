"""Clients are found, seen whole, and holds are asked for and decided about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.services.authority import Actor
from app.services.clients import Stated, put_client
from app.services.groups import Membered, put_group
from app.services.notices import Channel, mark_sent
from rules.document.strict_json import loads
from tests.admin.conftest import SignedIn
from tests.admin.visiting import Visitor
from tests.app.asking import EXAMPLE
from tests.app.company import Company
from tests.app.correspondence import issued
from tests.app.dealings import at_odds
from tests.app.granting import asked, client, erase, given, measure
from tests.app.test_verification import busy

TILL = Actor("key:till")
WANTED = {"kind": "hold", "first": "2026-07-01", "last": "2026-07-31", "reason": "A flood."}


def posted(visitor: Visitor, url: str, fields: Mapping[str, Any]) -> TestResponse:
    return visitor.post(url, **fields)


# -- search ------------------------------------------------------------------------------------


def test_clients_are_searched_by_name_and_tier(signed_in: SignedIn, shop: Company) -> None:
    busy(shop)
    client(shop, "N-1")
    max_ = signed_in("max")
    found = max_.get("/clients/?text=stuart&tier=silver").text
    assert 'href="/clients/C-17"' in found
    assert 'value="stuart"' in found
    assert "N-1" not in found
    assert "not decided yet" in max_.get("/clients/?text=N-1").text
    assert "Nobody fits." in max_.get("/clients/?text=nobody").text


@pytest.mark.parametrize(
    "query", ["text=%00", "text=%FF", "tier=%27", "state=x", "after=%00%00", "text=" + "x" * 5000]
)
def test_what_cannot_be_searched_for_is_left_out(signed_in: SignedIn, query: str) -> None:
    assert signed_in("max").get(f"/clients/?{query}").status_code == 200


def test_a_long_list_goes_on_on_further_pages(signed_in: SignedIn, shop: Company) -> None:
    for number in range(51):
        client(shop, f"N-{number:02}")
    max_ = signed_in("max")
    first = max_.get("/clients/?text=N").text
    found = re.search(r'href="([^"]+)" rel="next"', first)
    assert found is not None
    second = max_.get(found[1].replace("&amp;", "&")).text
    assert ("/N-49" in first, "/N-50" in first) == (True, False)
    assert ("/N-49" in second, "/N-50" in second, 'rel="next"' in second) == (False, True, False)


# -- one client --------------------------------------------------------------------------------


def test_a_client_is_seen_whole(signed_in: SignedIn, shop: Company) -> None:
    busy(shop)
    number = given(shop)
    letter = issued(shop)
    with shop.merit.acting(TILL) as act:
        put_group(act, "G-1", Membered(("C-17", "C-18"), "C-18"), date(2026, 7, 1))
    page = signed_in("max").get("/clients/C-17").text
    for said in (
        "Maria Stuart",
        "on hold",
        "A hold keeps Silver until July 31, 2026.",
        "For Gold: Number of orders has to rise by 3 to 6",
        "Number of orders is 3; Gold asks for at least 6: 3 short.",
        f'href="/measures/{number}"',
        f'href="/letters/{letter}"',
        "Max asked for a hold on the tier held.",
        "Group G-1",
        "£600.00",
        "GB123",
    ):
        assert said in page, said
    assert page.count("<h1") == 1


def test_who_is_not_there_is_said_so(signed_in: SignedIn) -> None:
    max_ = signed_in("max")
    assert max_.get("/clients/C-99").status_code == 404
    for reference in ("%00", "a%20b", "x" * 65):
        for url in (f"/clients/{reference}", f"/clients/{reference}/history"):
            assert max_.get(url).status_code == 404, url


def test_an_answer_that_could_not_be_decided_anew_says_so(
    signed_in: SignedIn, shop: Company
) -> None:
    busy(shop)
    max_ = signed_in("max")
    assert "the last answer there is" not in max_.get("/clients/C-17").text
    other: Any = loads(EXAMPLE.read_bytes())
    for condition in other["tiers"][1]["entry"]["all"]:
        condition["value"] = 10**6 if condition["operator"] == "at_least" else 0
    at_odds(shop, other)
    given(shop)
    page = max_.get("/clients/C-17").text
    assert "the last answer there is" in page
    assert "Silver" in page


def test_of_who_was_erased_what_is_left_is_shown(signed_in: SignedIn, shop: Company) -> None:
    busy(shop)
    erase(shop)
    page = signed_in("max").get("/clients/C-17").text
    assert "This client has been erased" in page
    assert "/clients/C-17/ask" not in page


def test_what_people_wrote_is_text_and_nothing_else(signed_in: SignedIn, shop: Company) -> None:
    with shop.merit.acting(TILL) as act:
        stated = Stated("<b>Maria</b>", attributes={"note": "<i>"})
        put_client(act, "C-17", stated, date(2026, 7, 1))
    asked(shop)
    max_ = signed_in("max")
    for url in ("/clients/C-17", "/clients/?text=C-17"):
        page = max_.get(url).text
        assert "<b>Maria" not in page
        assert "&lt;b&gt;Maria" in page
        assert "<i>" not in page


def test_the_history_of_a_client_is_for_who_reads_about_clients(
    signed_in: SignedIn, shop: Company
) -> None:
    busy(shop)
    page = signed_in("max").get("/clients/C-17/history").text
    assert "The key “till” stated what is known of client C-17." in page
    assert signed_in("anna").get("/clients/C-17/history").status_code == 403


def test_how_a_client_stood_is_shown_for_each_day_that_was_decided(
    signed_in: SignedIn, shop: Company
) -> None:
    busy(shop)
    max_ = signed_in("max")
    max_.get("/clients/C-17")
    number = given(shop)
    shop.clock.advance(days=1)
    max_.sign_in("max")
    assert "on hold" in max_.get("/clients/C-17").text
    then = max_.get("/clients/C-17/on?day=2026-07-01")
    assert then.status_code == 200
    assert "Client C-17 on July 1, 2026" in then.text
    assert ("secure" in then.text, "on hold" in then.text) == (True, False)
    assert max_.get("/clients/C-17/on?day=2026-06-30").status_code == 404
    assert max_.get("/clients/C-99/on?day=2026-07-01").status_code == 404
    for day in ("", "x", "2027-01-01", "2026-02-30"):
        assert max_.get(f"/clients/C-17/on?day={day}").status_code == 422, day
    assert number


# -- holds and overrides -----------------------------------------------------------------------


def test_a_hold_is_asked_for_after_it_was_checked(signed_in: SignedIn, shop: Company) -> None:
    client(shop)
    max_ = signed_in("max")
    assert max_.get("/clients/C-17/ask").status_code == 200
    check = posted(max_, "/clients/C-17/ask", WANTED)
    assert check.status_code == 200
    assert "Check what you ask for" in check.text
    assert "July 31, 2026" in check.text
    assert "None was ever asked for." in max_.get("/clients/C-17").text
    done = posted(max_, "/clients/C-17/ask", {**WANTED, "confirmed": "yes"})
    assert (done.status_code, done.location) == (302, "/measures/1")
    assert "It is asked for" in max_.get("/measures/1").text
    assert measure(shop, 1).reason == "A flood."


def test_nothing_is_asked_for_who_is_not_there_or_was_erased(
    signed_in: SignedIn, shop: Company
) -> None:
    client(shop)
    erase(shop)
    max_ = signed_in("max")
    for reference in ("C-99", "a%20b"):
        assert max_.get(f"/clients/{reference}/ask").status_code == 404
        assert posted(max_, f"/clients/{reference}/ask", WANTED).status_code == 404
    max_.get("/account/")
    assert posted(max_, "/clients/C-17/ask", WANTED).status_code == 409


@pytest.mark.parametrize(
    ("fields", "at", "said"),
    [
        ({"kind": ""}, "f-kind", "choose what you ask for"),
        ({"kind": "floor"}, "f-tier", "choose a tier"),
        ({"kind": "exact", "tier": "iron"}, "f-tier", "choose a tier"),
        ({"first": "2026-06-30"}, "f-first", "must not be before today"),
        ({"first": "soon"}, "f-first", "must be a date"),
        ({"last": ""}, "f-last", "Is missing"),
        ({"last": "2027-07-01"}, "f-last", "or earlier; ask again then"),
        ({"reason": " "}, "f-reason", "Is missing"),
        ({"reason": "x" * 4001}, "f-reason", "at most 4000 characters"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    signed_in: SignedIn, shop: Company, fields: dict[str, str], at: str, said: str
) -> None:
    client(shop)
    max_ = signed_in("max")
    for confirmed in ("", "yes"):
        wanted = {**WANTED, **fields, "confirmed": confirmed}
        answer = posted(max_, "/clients/C-17/ask", wanted)
        assert answer.status_code == 422
        assert f'href="#{at}"' in answer.text
        assert said.casefold() in answer.text.casefold()


def test_another_decides_about_it_with_a_reason(signed_in: SignedIn, shop: Company) -> None:
    client(shop)
    number = asked(shop)
    paul = signed_in("paul")
    assert f'href="/measures/{number}"' in paul.get("/measures/").text
    missing = paul.post(f"/measures/{number}/grant", why="")
    assert missing.status_code == 422
    assert 'aria-invalid="true"' in missing.text
    check = paul.post(f"/measures/{number}/grant", why="On the news.")
    assert "Do you grant this?" in check.text
    assert measure(shop, number).state == "asked"
    done = paul.post(f"/measures/{number}/grant", why="On the news.", confirmed="yes")
    assert done.status_code == 302
    assert measure(shop, number).state == "granted"
    again = paul.post(f"/measures/{number}/grant", why="On the news.", confirmed="yes")
    assert again.status_code == 409
    assert "Nothing waits." in paul.get("/measures/").text


def test_each_verb_is_for_whom_it_is_for(signed_in: SignedIn, shop: Company) -> None:
    client(shop)
    number = asked(shop)
    max_, paul = signed_in("max"), signed_in("paul")
    url = f"/measures/{number}"
    own = max_.get(url).text
    assert ("Withdraw it" in own, "Grant it" in own) == (True, False)
    assert "Grant it" in paul.get(url).text
    assert max_.post(f"{url}/grant", why="Me.", confirmed="yes").status_code == 403
    assert paul.post(f"{url}/withdraw", why="Me.", confirmed="yes").status_code == 403
    assert paul.post(f"{url}/burn", why="Me.").status_code == 404
    assert paul.post("/measures/99/grant", why="Me.").status_code == 404
    assert paul.get("/measures/99").status_code == 404
    assert paul.get(f"/measures/{2**31}").status_code == 404
    assert max_.post(f"{url}/withdraw", why="Dry.", confirmed="yes").status_code == 302
    assert measure(shop, number).state == "withdrawn"


def test_a_hold_is_ended_before_its_last_day(signed_in: SignedIn, shop: Company) -> None:
    client(shop)
    number = given(shop)
    paul = signed_in("paul")
    assert "before its last day" in paul.post(f"/measures/{number}/end", why="Over.").text
    paul.post(f"/measures/{number}/end", why="Over.", confirmed="yes")
    assert measure(shop, number).state == "ended"
    assert "It was over after" in paul.get(f"/measures/{number}").text


# -- letters -----------------------------------------------------------------------------------


def test_a_letter_is_read_and_marked_as_sent_once(signed_in: SignedIn, shop: Company) -> None:
    client(shop)
    issued(shop)
    max_ = signed_in("max")
    waiting = max_.get("/letters/").text
    assert 'href="/letters/1"' in waiting
    letter = max_.get("/letters/1")
    assert "Mark as sent" in letter.text
    unchosen = max_.post("/letters/1/sent")
    assert unchosen.status_code == 422
    assert 'href="#f-channel"' in unchosen.text
    check = max_.post("/letters/1/sent", channel="post")
    assert "This cannot be taken back." in check.text
    assert 'href="/letters/1"' in max_.get("/letters/").text
    max_.get("/letters/1")
    assert max_.post("/letters/1/sent", channel="post", confirmed="yes").status_code == 302
    assert 'href="/letters/1"' not in max_.get("/letters/").text
    assert "Mark as sent" not in max_.get("/letters/1").text
    max_.get("/account/")
    assert max_.post("/letters/1/sent", channel="call", confirmed="yes").status_code == 409


def test_letters_are_listed_by_client_and_what_they_are_about(
    signed_in: SignedIn, shop: Company
) -> None:
    client(shop)
    client(shop, "C-18")
    issued(shop)
    max_ = signed_in("max")
    assert "None waits." in max_.get("/letters/?client=C-18").text
    assert "/letters/1" in max_.get("/letters/?client=C-17").text
    listed = max_.get("/letters/?event=demoted").text
    assert listed.count("<tr><td>") < max_.get("/letters/").text.count("<tr><td>")
    for reference in ("C-99", "a%20b"):
        answer = max_.get(f"/letters/?client={reference}")
        assert (answer.status_code, 'href="#f-client"' in answer.text) == (422, True), reference
    assert max_.get("/letters/?event=burnt&after=x").status_code == 200
    assert max_.get("/letters/999").status_code == 404


def test_only_who_sends_letters_marks_them(signed_in: SignedIn, shop: Company) -> None:
    client(shop)
    number = issued(shop)
    olga = signed_in("olga")
    assert "Mark as sent" not in olga.get(f"/letters/{number}").text
    assert olga.post(f"/letters/{number}/sent", channel="post").status_code == 403
    with shop.merit.acting(shop.actor("max")) as act:
        mark_sent(act, number, Channel.POST)
    assert "Sent by post on 1 July 2026, 13:00." in olga.get(f"/letters/{number}").text
