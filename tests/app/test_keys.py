"""Keys of the API: shown once, good for what and as long as they were made for."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.database import DatabaseUnsuitable
from app.models import HistoryEntry, Key
from app.services.authority import Scope
from app.services.errors import Invalid, NotActionable, NotThere
from app.services.keys import (
    LONGEST,
    MOST_PER_MINUTE,
    NewKey,
    Secret,
    Terms,
    _checksum,
    _require_fit,
    create_key,
    is_good,
    keys,
    parse,
    revoke_key,
    rotate_key,
)
from tests.app.company import NOW, Company

DAY, WEEK = timedelta(days=1), timedelta(days=7)
TERMS = Terms("desk", [Scope.STANDING_READ, Scope.POLICY_READ], timedelta(days=30), 60)


def made(company: Company, terms: Terms = TERMS) -> NewKey:
    with company.merit.acting(company.actor("anna")) as act:
        return create_key(act, company.merit.secret, terms)


def rotated(company: Company, key_id: str, overlap: timedelta = WEEK) -> NewKey:
    with company.merit.acting(company.actor("ben")) as act:
        return rotate_key(act, company.merit.secret, key_id, overlap)


def revoked(company: Company, key_id: str) -> None:
    with company.merit.acting(company.actor("anna")) as act:
        revoke_key(act, key_id)


def row(company: Company, key_id: str) -> Key:
    with company.merit.database.reading() as session:
        return session.get_one(Key, key_id)


def test_a_key_is_as_it_was_asked_for_and_its_secret_is_stored_nowhere(
    new_company: Company,
) -> None:
    new = made(new_company)
    stored = row(new_company, new.id)

    assert re.fullmatch(r"merit_[0-9a-f]{12}_[A-Za-z0-9_-]{43}_[0-9a-f]{8}", new.text)
    assert (stored.name, stored.scopes, stored.per_minute) == (
        "desk",
        ["policy:read", "standing:read"],
        60,
    )
    assert (stored.created_at, stored.expires_at) == (NOW, NOW + timedelta(days=30))
    assert stored.created_by == new_company.actor("anna").person_id
    found = parse(new.text)
    assert found is not None
    assert found[0] == new.id
    assert stored.digest == new_company.merit.secret.digest(found[1])
    with new_company.merit.database.reading() as session:
        leaf = session.execute(
            select(HistoryEntry.leaf).where(HistoryEntry.object == f"key:{new.id}")
        ).scalar_one()
    for part in ("desk", "standing:read", '"per_minute":60', '"verb":"key.created"'):
        assert part in leaf
    assert found[1] not in leaf


@pytest.mark.parametrize("place", [0, 6, 20, 40, 70])
def test_a_mistyped_key_is_none(place: int) -> None:
    key_id, secret = "0123456789ab", "a" * 43
    right = f"merit_{key_id}_{secret}_{_checksum(key_id, secret)}"
    assert parse(right) is not None

    other = "0" if right[place] != "0" else "1"
    assert parse(right[:place] + other + right[place + 1 :]) is None
    assert parse(right + "0") is None


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms("", [Scope.POLICY_READ], DAY), "name"),
        (Terms("n" * 101, [Scope.POLICY_READ], DAY), "name"),
        (Terms("n\0", [Scope.POLICY_READ], DAY), "name"),
        (Terms("desk", [], DAY), "scopes"),
        (Terms("desk", [Scope.POLICY_READ], timedelta(0)), "days"),
        (Terms("desk", [Scope.POLICY_READ], LONGEST + DAY), "days"),
        (Terms("desk", [Scope.POLICY_READ], DAY, 0), "per_minute"),
        (Terms("desk", [Scope.POLICY_READ], DAY, MOST_PER_MINUTE + 1), "per_minute"),
    ],
)
def test_unfit_terms_are_refused(terms: Terms, field: str) -> None:
    with pytest.raises(Invalid, match=f"^{field}: "):
        _require_fit(terms)


def test_a_key_is_good_until_the_instant_it_ends(new_company: Company) -> None:
    new = made(new_company)
    stored = row(new_company, new.id)

    assert is_good(stored, new.expires_at - timedelta(microseconds=1))
    assert not is_good(stored, new.expires_at)


def test_a_rotated_key_and_its_successor_are_good_together_for_the_overlap(
    new_company: Company,
) -> None:
    old = made(new_company)
    new_company.clock.now += DAY
    new = rotated(new_company, old.id)
    first, second = row(new_company, old.id), row(new_company, new.id)
    now = new_company.clock.now

    assert first.expires_at == now + WEEK
    assert is_good(first, now)
    assert is_good(second, now)
    assert second.expires_at == now + timedelta(days=30), "as long as the old one was made for"
    assert (second.name, second.scopes, second.per_minute) == (
        first.name,
        first.scopes,
        first.per_minute,
    )
    assert new.text != old.text


def test_an_overlap_makes_no_key_last_longer(new_company: Company) -> None:
    old = made(new_company)
    rotated(new_company, old.id, LONGEST)

    assert row(new_company, old.id).expires_at == old.expires_at
    with pytest.raises(Invalid, match="overlap"):
        rotated(new_company, made(new_company, Terms("b", [Scope.POLICY_READ], DAY)).id, -DAY)


def test_at_most_two_keys_of_a_name_live_by_rotation(new_company: Company) -> None:
    old = made(new_company)
    new = rotated(new_company, old.id)

    for each in (old, new):
        with pytest.raises(NotActionable, match="two live keys"):
            rotated(new_company, each.id)
    new_company.clock.now += WEEK
    with pytest.raises(NotActionable, match="not good any more"):
        rotated(new_company, old.id)
    rotated(new_company, new.id)


def test_of_two_who_rotate_at_the_same_moment_one_does(new_company: Company) -> None:
    old = made(new_company)

    def run(_: int) -> object:
        try:
            return rotated(new_company, old.id)
        except NotActionable as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(run, range(2)))

    assert sorted(type(each).__name__ for each in found) == ["NewKey", "NotActionable"]


def test_a_revoked_key_is_good_no_more(new_company: Company) -> None:
    new = made(new_company)
    revoked(new_company, new.id)

    assert not is_good(row(new_company, new.id), NOW)
    with pytest.raises(NotActionable):
        revoked(new_company, new.id)
    with pytest.raises(NotActionable):
        rotated(new_company, new.id)
    for verb in (revoked, rotated):
        with pytest.raises(NotThere):
            verb(new_company, "0" * 12)


def test_keys_are_listed_the_newest_first(new_company: Company) -> None:
    new_company.clock.now += DAY
    new = made(new_company)

    with new_company.merit.database.reading() as session:
        assert [each.name for each in keys(session)] == ["desk", "everything"]
        assert keys(session)[0].id == new.id


# -- the installation's secret ---------------------------------------------------------------


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    secret = Secret(path)
    secret.ensure()
    first = path.read_text()
    secret.ensure()

    assert path.read_text() == first
    assert len(first) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    secret.require_safe()
    assert Secret(path).digest("a") == secret.digest("a") != secret.digest("b")


def test_a_secret_that_is_missing_short_or_open_to_others_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    with pytest.raises(DatabaseUnsuitable, match="cannot be read"):
        Secret(path).digest("a")
    path.write_text("short")
    with pytest.raises(DatabaseUnsuitable, match="too short"):
        Secret(path).digest("a")
    path.write_text("x" * 64)
    path.chmod(0o644)
    with pytest.raises(DatabaseUnsuitable, match="chmod 600"):
        Secret(path).require_safe()
