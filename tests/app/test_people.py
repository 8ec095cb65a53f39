"""Accounts: who may do what, and that nobody gives themselves what it takes two to give."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import ModuleType
from typing import Literal

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import func, select, text

from app.models import HistoryEntry, Installation, Person, RoleGrant
from app.services import governance, keys, measures, people
from app.services.authority import SYSTEM, Actor, Role, Scope
from app.services.errors import (
    Conflict,
    Invalid,
    NotActionable,
    NotAllowed,
    NotThere,
    Refused,
    TooMany,
)
from app.services.governance import draft, review, save, schedule, submit, withdraw
from app.services.history import Act, read_input
from app.services.keys import Terms, create_key, revoke_key, rotate_key
from app.services.limits import MOST, WINDOW
from app.services.people import (
    NewPerson,
    add_person,
    ask_role,
    choose_password,
    end_role,
    find_person,
    grant_role,
    new_password,
    set_up,
    show_public_page,
    sign_in,
    use_authenticator,
)
from tests.app.company import NOW, Company, email
from tests.app.granting import HOLD

ADMINISTRATOR, EDITOR, APPROVER = Role.ADMINISTRATOR, Role.EDITOR, Role.APPROVER


def do(company: Company, by: str, verb: Callable[[Act], object]) -> object:
    with company.merit.acting(company.actor(by)) as act:
        return verb(act)


def ask(company: Company, by: str, whose: str, role: Role) -> object:
    return do(company, by, lambda act: ask_role(act, email(whose), role, "Needed."))


def grant(company: Company, by: str, whose: str, role: Role) -> object:
    return do(company, by, lambda act: grant_role(act, email(whose), role))


def end(company: Company, by: str, whose: str, role: Role) -> object:
    return do(company, by, lambda act: end_role(act, email(whose), role))


def added(company: Company, name: str, *roles: Role) -> str:
    """Give somebody an account with these roles; return their password."""
    password = do(company, "anna", lambda act: add_person(act, NewPerson(email(name), name)))
    for role in roles:
        if not ask(company, "anna", name, role):
            grant(company, "ben", name, role)
    return str(password)


def roles(company: Company, name: str) -> frozenset[Role]:
    return company.actor(name).roles


def enter(company: Company, name: str, password: str) -> Actor:
    return sign_in(company.merit.database, email(name), password, company.clock())


def told(company: Company) -> int:
    """Return how long the history is."""
    with company.merit.database.reading() as session:
        return session.execute(select(func.count()).select_from(HistoryEntry)).scalar_one()


# -- who may do what -------------------------------------------------------------------------

E, P, A, M = {"edith"}, {"paul"}, {"anna"}, {"max"}
ALLOWED: dict[str, tuple[set[str], Callable[[Company, Actor], object]]] = {
    "governance.draft": (E, lambda company, who: _act(company, who, lambda act: draft(act, {}))),
    "governance.save": (
        E,
        lambda company, who: _act(company, who, lambda act: save(act, 17, 1, {})),
    ),
    "governance.submit": (
        E,
        lambda company, who: submit(company.merit.database, who, 17, "Why.", NOW),
    ),
    "governance.review": (
        P,
        lambda company, who: _act(
            company, who, lambda act: review(act, 17, "", "approved", "Good.")
        ),
    ),
    "governance.withdraw": (
        E | P,
        lambda company, who: _act(company, who, lambda act: withdraw(act, 17, "Why.")),
    ),
    "governance.schedule": (
        P,
        lambda company, who: _act(company, who, lambda act: schedule(act, 17, NOW, "Why.")),
    ),
    "measures.ask": (
        E | M,
        lambda company, who: _act(
            company,
            who,
            lambda act: measures.ask(act, company.merit.rulebook, "C-17", HOLD, "Why."),
        ),
    ),
    "measures.grant": (
        P,
        lambda company, who: _act(
            company, who, lambda act: measures.grant(act, company.merit.rulebook, 17, "Why.")
        ),
    ),
    "measures.refuse": (
        P,
        lambda company, who: _act(company, who, lambda act: measures.refuse(act, 17, "Why.")),
    ),
    "measures.withdraw": (
        E | M,
        lambda company, who: _act(company, who, lambda act: measures.withdraw(act, 17, "Why.")),
    ),
    "measures.end": (
        E | M | P,
        lambda company, who: _act(company, who, lambda act: measures.end(act, 17, "Why.")),
    ),
    "people.add_person": (
        A,
        lambda company, who: _act(
            company, who, lambda act: add_person(act, NewPerson("new@example.com", "New"))
        ),
    ),
    "people.ask_role": (
        A,
        lambda company, who: _act(
            company, who, lambda act: ask_role(act, "nobody@example.com", EDITOR, "Why.")
        ),
    ),
    "people.grant_role": (
        A,
        lambda company, who: _act(
            company, who, lambda act: grant_role(act, "nobody@example.com", EDITOR)
        ),
    ),
    "people.end_role": (
        A,
        lambda company, who: _act(
            company, who, lambda act: end_role(act, "nobody@example.com", EDITOR)
        ),
    ),
    "people.new_password": (
        A,
        lambda company, who: _act(
            company, who, lambda act: new_password(act, "nobody@example.com")
        ),
    ),
    "people.show_public_page": (
        A,
        lambda company, who: _act(company, who, lambda act: show_public_page(act, True)),
    ),
    "people.use_authenticator": (
        {"anna", "edith", "paul", "olga", "max", "fred", "nils"},
        lambda company, who: _act(company, who, lambda act: use_authenticator(act, None)),
    ),
    "people.choose_password": (
        {"anna", "edith", "paul", "olga", "max", "fred", "nils"},
        lambda company, who: _act(company, who, lambda act: choose_password(act, "x" * 12)),
    ),
    "keys.create_key": (
        A,
        lambda company, who: _act(
            company,
            who,
            lambda act: create_key(
                act, company.merit.secret, Terms("key", [Scope.POLICY_READ], timedelta(days=1))
            ),
        ),
    ),
    "keys.rotate_key": (
        A,
        lambda company, who: _act(
            company, who, lambda act: rotate_key(act, company.merit.secret, "0", timedelta(0))
        ),
    ),
    "keys.revoke_key": (
        A,
        lambda company, who: _act(company, who, lambda act: revoke_key(act, "0")),
    ),
}
"""Each use case, who may carry it out, and a try at it."""


def _act(company: Company, who: Actor, verb: Callable[[Act], object]) -> object:
    with company.merit.acting(who) as act:
        return verb(act)


def use_cases(module: ModuleType) -> set[str]:
    """Return the functions of a module that somebody carries out."""
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and {"act", "actor"} & inspect.signature(function).parameters.keys()
    }


def test_the_table_has_every_use_case() -> None:
    found = set().union(*map(use_cases, (governance, keys, measures, people)))
    assert found - {"people.require"} == ALLOWED.keys()


def test_each_role_may_do_its_own_and_nothing_else(new_company: Company) -> None:
    company = new_company
    added(company, "fred", Role.FRONT_DESK)
    added(company, "nils")
    cast = {name: company.actor(name) for name in ("anna", "edith", "paul", "olga", "max")}
    cast |= {"fred": company.actor("fred"), "nils": company.actor("nils")}
    everyone = {*cast, "the service", "a key", "a stranger"}
    actors = {
        **cast,
        "the service": SYSTEM,
        "a key": Actor("key:0"),
        "a stranger": Actor("person:x", 10**6, frozenset(Role)),
    }
    assert {role for each in cast.values() for role in each.roles} == set(Role)

    for name, (able, verb) in ALLOWED.items():
        for who in sorted(everyone - able):
            before = told(company)
            with pytest.raises(NotAllowed):
                verb(company, actors[who])
            assert told(company) == before, (name, who)
        for who in sorted(able):
            try:
                verb(company, actors[who])
            except NotAllowed:
                pytest.fail(f"{who} may not {name}")
            except Refused:
                pass  # there is no such version, account or key: they got as far as that


# -- signing in ------------------------------------------------------------------------------


def test_a_person_signs_in_with_their_password(new_company: Company) -> None:
    found = enter(new_company, "edith", new_company.passwords["edith"])

    assert found == new_company.actor("edith")
    assert found.roles == {EDITOR}
    assert re.fullmatch("person:[0-9a-f]{32}", found.name)


def test_what_was_wrong_is_not_said(new_company: Company) -> None:
    for name, password in (("edith", "wrong"), ("nobody", "wrong"), ("\0", "\ud800"), ("", "")):
        with pytest.raises(NotAllowed) as refused:
            enter(new_company, name, password)
        assert refused.value.message == "There is no such account, or this is not its password."


def test_an_address_is_the_same_however_it_is_written(new_company: Company) -> None:
    password = new_company.passwords["edith"]

    assert sign_in(new_company.merit.database, "EDITH@Example.com", password, NOW).person_id


def test_after_ten_failures_not_even_the_right_password_is_looked_at(
    new_company: Company,
) -> None:
    for _ in range(MOST):
        with pytest.raises(NotAllowed):
            enter(new_company, "edith", "wrong")

    with pytest.raises(TooMany):
        enter(new_company, "edith", new_company.passwords["edith"])
    enter(new_company, "emil", new_company.passwords["emil"])
    new_company.clock.now += WINDOW
    enter(new_company, "edith", new_company.passwords["edith"])


def test_who_signs_in_rightly_begins_anew(new_company: Company) -> None:
    for _ in range(2):
        for _ in range(MOST - 1):
            with pytest.raises(NotAllowed):
                enter(new_company, "edith", "wrong")
        enter(new_company, "edith", new_company.passwords["edith"])


def test_an_account_that_is_closed_can_do_nothing(new_company: Company) -> None:
    before = new_company.actor("edith")
    with new_company.merit.database.writing() as session:
        session.execute(text("UPDATE people SET active = false WHERE name = 'Edith'"))

    with pytest.raises(NotAllowed):
        enter(new_company, "edith", new_company.passwords["edith"])
    with pytest.raises(NotAllowed, match="account is open"):
        _act(new_company, before, lambda act: draft(act, {}))
    assert roles(new_company, "edith") == frozenset()


def test_as_much_is_computed_for_an_account_that_is_not_there(
    new_company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            verified.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(people, "_hasher", Counting())
    for name in ("edith", "nobody"):
        with pytest.raises(NotAllowed):
            enter(new_company, name, "wrong")

    assert len(verified) == 2
    assert len({str(extract_parameters(each)) for each in verified}) == 1


def test_passwords_are_hashed_as_is_advised(new_company: Company) -> None:
    with new_company.merit.database.reading() as session:
        stored = find_person(session, email("edith")).password_hash
    found = extract_parameters(stored)

    assert found.type.name == "ID"
    assert (found.memory_cost, found.time_cost) >= (64 * 1024, 3)
    assert new_company.passwords["edith"] not in stored
    assert len(set(new_company.passwords.values())) == len(new_company.passwords)


# -- accounts --------------------------------------------------------------------------------


def test_the_first_accounts_are_made_only_on_an_empty_database(new_company: Company) -> None:
    first, second = NewPerson("eve@example.com", "Eve"), NewPerson("adam@example.com", "Adam")
    again = Installation(
        id=1, currency="GBP", time_zone="UTC", language="en", demo=False, created_at=NOW
    )
    with (
        pytest.raises(NotActionable, match="set up already"),
        new_company.merit.database.writing() as session,
    ):
        set_up(session, again, first, second)
    with new_company.merit.owner.writing() as session:
        session.execute(text("DELETE FROM installation"))  # the history is still there
    with (
        pytest.raises(NotActionable, match="set up already"),
        new_company.merit.database.writing() as session,
    ):
        set_up(session, again, first, second)


def test_an_account_is_begun_without_a_role(new_company: Company) -> None:
    password = added(new_company, "nils")

    assert enter(new_company, "nils", password).roles == frozenset()


@pytest.mark.parametrize(
    ("address", "name", "field"),
    [
        ("nils", "Nils", "email"),
        ("nils@example", "Nils", "email"),
        ("ni ls@example.com", "Nils", "email"),
        ("n\0@example.com", "Nils", "email"),
        (f"{'n' * 200}@example.com", "Nils", "email"),
        ("nils@example.com", "", "name"),
        ("nils@example.com", "N\0", "name"),
        ("nils@example.com", "n" * 201, "name"),
    ],
)
def test_an_account_needs_an_address_and_a_name(address: str, name: str, field: str) -> None:
    with pytest.raises(Invalid, match=f"^{field}: "):
        people._require_fit(NewPerson(address, name))


def test_an_address_has_one_account(new_company: Company) -> None:
    with pytest.raises(Conflict):
        do(new_company, "anna", lambda act: add_person(act, NewPerson("EDITH@example.com", "E")))


def test_of_two_who_add_the_same_address_at_the_same_moment_one_does(
    new_company: Company,
) -> None:
    def add(by: str) -> object:
        try:
            return do(new_company, by, lambda act: add_person(act, NewPerson("n@x.org", "N")))
        except Conflict as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(add, ("anna", "ben")))

    assert sorted(type(each).__name__ for each in found) == ["Conflict", "str"]


def test_the_history_names_nobody(new_company: Company) -> None:
    added(new_company, "nils")
    ask(new_company, "anna", "nils", Role.AUDITOR)
    with new_company.merit.database.reading() as session:
        leaves = "".join(session.execute(select(HistoryEntry.leaf)).scalars())
        nils = find_person(session, email("nils"))
        kept = read_input(session, f"person:{nils.subject}", nils.subject)

    assert "nils" not in leaves.casefold()
    assert "Needed." not in leaves
    assert kept == {"reason": "Needed."}


# -- roles -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MANAGER, Role.FRONT_DESK])
def test_what_rules_nothing_is_given_by_one(new_company: Company, role: Role) -> None:
    added(new_company, "nils")

    assert ask(new_company, "anna", "nils", role) is True
    assert roles(new_company, "nils") == {role}


def test_what_rules_is_asked_for_by_one_and_granted_by_another(new_company: Company) -> None:
    for role in (EDITOR, APPROVER, ADMINISTRATOR):
        added(new_company, role.value)
        assert ask(new_company, "anna", role.value, role) is False
        assert roles(new_company, role.value) == frozenset()
        with pytest.raises(NotAllowed, match="Another administrator"):
            grant(new_company, "anna", role.value, role)
        assert roles(new_company, role.value) == frozenset()

        grant(new_company, "ben", role.value, role)

        assert roles(new_company, role.value) == {role}


def test_nobody_grants_themselves_a_role(new_company: Company) -> None:
    for role in (EDITOR, APPROVER):
        with pytest.raises(NotAllowed, match="makes no rules"):
            ask(new_company, "anna", "anna", role)
    with pytest.raises(NotActionable, match="Nobody has asked"):
        grant(new_company, "anna", "anna", APPROVER)
    assert roles(new_company, "anna") == {ADMINISTRATOR}


def test_administrators_make_no_rules_whichever_came_first_and_while_it_is_asked_for(
    new_company: Company,
) -> None:
    for whose, role in (("ben", EDITOR), ("ben", APPROVER), ("edith", ADMINISTRATOR)):
        with pytest.raises(NotAllowed, match="makes no rules"):
            ask(new_company, "anna", whose, role)
    added(new_company, "nils")
    ask(new_company, "anna", "nils", APPROVER)
    with pytest.raises(NotAllowed):
        ask(new_company, "ben", "nils", ADMINISTRATOR)
    end(new_company, "anna", "nils", APPROVER)
    ask(new_company, "anna", "nils", ADMINISTRATOR)
    with pytest.raises(NotAllowed):
        ask(new_company, "ben", "nils", EDITOR)


def test_two_that_exclude_each_other_asked_for_at_the_same_moment_are_one(
    new_company: Company,
) -> None:
    added(new_company, "nils")

    def run(one: tuple[str, Role]) -> object:
        try:
            return ask(new_company, one[0], "nils", one[1])
        except NotAllowed as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(run, (("anna", EDITOR), ("ben", ADMINISTRATOR))))

    assert sorted(type(each).__name__ for each in found) == ["NotAllowed", "bool"]


def test_a_role_is_asked_for_once_and_needs_a_reason(new_company: Company) -> None:
    added(new_company, "nils")
    ask(new_company, "anna", "nils", EDITOR)

    with pytest.raises(Conflict):
        ask(new_company, "ben", "nils", EDITOR)
    for reason in ("", " ", "\0"):
        with pytest.raises(Invalid, match="reason"):
            do(new_company, "anna", lambda act, r=reason: ask_role(act, email("max"), EDITOR, r))  # type: ignore[misc]  # a lambda's default
    with pytest.raises(NotThere):
        ask(new_company, "anna", "nobody", EDITOR)


def test_of_two_who_grant_at_the_same_moment_one_does(new_company: Company) -> None:
    added(new_company, "carl", ADMINISTRATOR)
    added(new_company, "nils")
    ask(new_company, "anna", "nils", EDITOR)
    before = told(new_company)

    def run(by: str) -> object:
        try:
            return grant(new_company, by, "nils", EDITOR)
        except NotActionable as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(run, ("ben", "carl")))

    assert sorted(type(each).__name__ for each in found) == ["NoneType", "NotActionable"]
    assert told(new_company) == before + 1


def test_two_administrators_remain(new_company: Company) -> None:
    for by, whose in (("anna", "ben"), ("anna", "anna")):
        with pytest.raises(NotActionable, match="Two administrators have to remain"):
            end(new_company, by, whose, ADMINISTRATOR)
    added(new_company, "carl", ADMINISTRATOR)

    def run(pair: tuple[str, str]) -> object:
        try:
            return end(new_company, *pair, ADMINISTRATOR)
        except (NotActionable, NotAllowed) as error:
            return error

    with ThreadPoolExecutor(3) as pool:
        pairs = (("anna", "ben"), ("ben", "carl"), ("carl", "anna"))
        found = list(pool.map(run, pairs))

    assert [each is None for each in found].count(True) == 1
    with new_company.merit.database.reading() as session:
        left = session.execute(
            select(func.count())
            .select_from(RoleGrant)
            .where(RoleGrant.role == ADMINISTRATOR, RoleGrant.ended_at.is_(None))
        ).scalar()
    assert left == 2


def test_an_asking_can_be_taken_back_and_a_role_ended_once(new_company: Company) -> None:
    added(new_company, "nils")
    ask(new_company, "anna", "nils", ADMINISTRATOR)
    end(new_company, "anna", "nils", ADMINISTRATOR)
    with pytest.raises(NotActionable, match="Nobody has asked"):
        grant(new_company, "ben", "nils", ADMINISTRATOR)
    end(new_company, "anna", "edith", EDITOR)
    assert roles(new_company, "edith") == frozenset()
    with pytest.raises(NotActionable, match="does not have this role"):
        end(new_company, "anna", "edith", EDITOR)


def test_who_was_administrator_when_they_signed_in_and_is_no_more_grants_nothing(
    new_company: Company,
) -> None:
    added(new_company, "carl", ADMINISTRATOR)
    added(new_company, "nils")
    ask(new_company, "anna", "nils", EDITOR)
    carl = new_company.actor("carl")
    end(new_company, "anna", "carl", ADMINISTRATOR)

    with pytest.raises(NotAllowed):
        _act(new_company, carl, lambda act: grant_role(act, email("nils"), EDITOR))


# -- passwords -------------------------------------------------------------------------------


def test_an_administrator_who_gives_an_approver_a_new_password_cannot_approve_with_it(
    new_company: Company,
) -> None:
    given = str(do(new_company, "anna", lambda act: new_password(act, email("paul"))))

    assert enter(new_company, "paul", given).roles == frozenset()
    with pytest.raises(NotAllowed):
        enter(new_company, "paul", new_company.passwords["paul"])
    with pytest.raises(NotAllowed, match="Another administrator"):
        grant(new_company, "anna", "paul", APPROVER)
    grant(new_company, "ben", "paul", APPROVER)
    assert enter(new_company, "paul", given).roles == {APPROVER}


def test_what_rules_nothing_is_kept_with_a_new_password(new_company: Company) -> None:
    do(new_company, "anna", lambda act: new_password(act, email("olga")))

    assert roles(new_company, "olga") == {Role.AUDITOR}


def test_an_administrator_does_not_take_over_the_only_other_one(new_company: Company) -> None:
    with pytest.raises(NotActionable, match="Two administrators have to remain"):
        do(new_company, "anna", lambda act: new_password(act, email("ben")))
    with pytest.raises(NotAllowed, match="choose yourself"):
        do(new_company, "anna", lambda act: new_password(act, email("anna")))
    enter(new_company, "ben", new_company.passwords["ben"])


def test_one_chooses_ones_own_password_and_keeps_ones_roles(new_company: Company) -> None:
    do(new_company, "paul", lambda act: choose_password(act, "a better one"))

    assert enter(new_company, "paul", "a better one").roles == {APPROVER}
    with pytest.raises(NotAllowed):
        enter(new_company, "paul", new_company.passwords["paul"])
    with pytest.raises(Invalid, match="at least 12 characters"):
        do(new_company, "paul", lambda act: choose_password(act, "x" * 11))


def test_no_password_and_no_hash_is_in_the_history(new_company: Company) -> None:
    given = str(do(new_company, "anna", lambda act: new_password(act, email("paul"))))
    with new_company.merit.database.reading() as session:
        leaves = "".join(session.execute(select(HistoryEntry.leaf)).scalars())
        hashes = list(session.execute(select(Person.password_hash)).scalars())

    assert not any(each in leaves for each in (given, *new_company.passwords.values(), *hashes))
