"""Accounts, roles and keys on their page."""

from __future__ import annotations

import re

from app.services.keys import keys
from app.services.people import find_person
from tests.admin.conftest import SignedIn
from tests.app.company import Company, email


def test_an_account_is_opened_and_its_password_shown_once(
    signed_in: SignedIn, shop: Company
) -> None:
    visitor = signed_in("anna")
    visitor.get("/people/")

    shown = visitor.post("/people/add", name="Nils", email="nils@example.com")

    password = re.search(r"<code>([^<]{12,})</code>", shown.text)
    assert password
    shop.passwords["nils"] = password[1]
    assert password[1] not in visitor.get("/people/").text
    assert signed_in("nils").get("/account/").status_code == 200


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(signed_in: SignedIn) -> None:
    visitor = signed_in("anna")
    visitor.get("/people/")

    answer = visitor.post("/people/add", name="Nils", email="nowhere")

    assert answer.status_code == 422
    assert 'value="nowhere"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'href="#f-email"' in answer.text


def test_an_editor_takes_two_administrators(signed_in: SignedIn, shop: Company) -> None:
    anna, ben = signed_in("anna"), signed_in("ben")
    anna.get("/people/")
    asked = {"email": email("olga"), "role": "editor"}
    assert anna.post("/people/ask", asked, reason="Moved.").status_code == 302
    assert anna.post("/people/grant", asked).status_code == 403
    assert "editor" not in shop.actor("olga").roles

    ben.get("/people/")
    assert ben.post("/people/grant", asked).status_code == 302
    assert "editor" in shop.actor("olga").roles

    assert ben.post("/people/end", asked).status_code == 302
    assert "editor" not in shop.actor("olga").roles


def test_who_makes_accounts_makes_no_rules(signed_in: SignedIn) -> None:
    visitor = signed_in("anna")
    visitor.get("/people/")

    answer = visitor.post("/people/ask", email=email("ben"), role="approver", reason="x")

    assert answer.status_code == 422
    assert "makes no rules: end the other role first" in answer.text


def test_an_unknown_role_address_or_key_is_refused(signed_in: SignedIn) -> None:
    visitor = signed_in("anna")
    visitor.get("/people/")

    assert visitor.post("/people/ask", email=email("max"), role="king").status_code == 422
    assert visitor.post("/people/password", email="nobody@example.com").status_code == 404
    assert visitor.post("/people/keys/0/revoke").status_code == 404


def test_a_key_is_made_shown_once_succeeded_and_revoked(signed_in: SignedIn, shop: Company) -> None:
    visitor = signed_in("anna")
    visitor.get("/people/")
    terms = {"key_name": "desk", "days": "90", "scopes": ["standing:read"]}

    shown = visitor.post("/people/keys/create", terms)

    made = re.search(r"<code>merit_([0-9a-f]{12})_", shown.text)
    assert made
    assert "merit_" not in visitor.get("/people/").text
    assert visitor.post(f"/people/keys/{made[1]}/rotate").status_code == 200
    assert visitor.post(f"/people/keys/{made[1]}/revoke").status_code == 302
    with shop.merit.database.reading() as session:
        found = {each.id: each.revoked_at for each in keys(session) if each.name == "desk"}
    assert len(found) == 2
    assert found[made[1]] is not None


def test_a_key_without_a_sensible_length_is_refused(signed_in: SignedIn, shop: Company) -> None:
    visitor = signed_in("anna")
    visitor.get("/people/")
    for days in ("0", "401", "many", "", "1e3"):
        terms = {"key_name": "desk", "days": days, "scopes": ["standing:read"]}
        answer = visitor.post("/people/keys/create", terms)
        assert (answer.status_code, "from 1 to 400" in answer.text) == (422, True), days
    with shop.merit.database.reading() as session:
        assert [each.name for each in keys(session)] == ["everything"]


def test_what_matters_asks_for_the_password_once_more_after_half_an_hour(
    signed_in: SignedIn, shop: Company
) -> None:
    visitor = signed_in("anna")
    with visitor.browser.session_transaction() as session:
        session["fs_paa"] -= 31 * 60
        session.pop("fs_gexp", None)

    answer = visitor.post("/people/add", name="Nils", email="nils@example.com")

    assert (answer.location or "").startswith("/confirm?next=/people")
    visitor.get(answer.location)
    assert "not your password" in visitor.post(answer.location, password="wrong").text
    assert visitor.post(answer.location, password=shop.passwords["anna"]).status_code == 302
    with shop.merit.database.reading() as session:
        assert find_person(session, email("anna"))
    assert visitor.post("/people/add", name="Nils", email="nils@example.com").status_code == 200
