"""The demo: a made-up company in an empty database, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from stat import S_IMODE

import pytest
from sqlalchemy import func, select

from app import create_app
from app.cli.installation import migrate
from app.config import Config
from app.merit import Merit
from app.models import Approval, Client, ContactPerson, HistoryEntry, PolicyVersion, Standing
from app.services.authority import Role
from app.services.demo import documents
from app.services.demo.filling import Demo, Filling, tiers_held
from app.services.demo.invention import CANCELLED, GOLD, JOINED, NEARLY_GOLD, Invented, invent
from app.services.governance import authors
from app.services.people import sign_in
from rules.document import load
from rules.document.strict_json import loads
from rules.measure import Activity, Statement, measure
from rules.measure import Client as Recorded
from rules.policy import Facts
from rules.reference import Reference
from tests.app.asking import served
from tests.app.company import Company
from tests.databases import EACH_KIND, empty

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 22)
CLIENTS = 80


@pytest.fixture(scope="session")
def invented() -> list[Invented]:
    return invent(2026, TODAY, 2000)


@pytest.fixture(scope="session")
def measured(invented: list[Invented]) -> dict[str, Facts]:
    """What the policy in force measures of each invented client."""
    policy = load(documents.in_force())
    return {each.reference: measure(policy, _recorded(each), TODAY) for each in invented}


def _recorded(client: Invented) -> Recorded:
    statements: dict[str, list[Statement]] = {}
    for day, stated in client.stated:
        for name, value in stated.attributes.items():
            statements.setdefault(name, []).append(Statement(day, value))
    voided = {each.voids for each in client.activities}
    happened = [
        Activity(each.kind, each.day, each.amount, attributes=each.attributes)
        for each in client.activities
        if each.voids is None and each.id not in voided
    ]
    return Recorded(statements, happened)


@pytest.fixture(scope="session", params=EACH_KIND)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Merit, Demo]]:
    """A small demo, on each kind of database; only ever read."""
    folder = tmp_path_factory.mktemp("demo")
    with empty(request.param, folder) as place:
        merit = Merit(Config(place.service, place.owner, folder / "secret"), lambda: NOW)
        merit.secret.ensure()
        migrate(merit)
        yield merit, Filling(merit, clients=CLIENTS).fill(lambda _: None)
        merit.database.close()
        merit.owner.close()


# -- what is invented --------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_clients_and_another_gives_others() -> None:
    assert invent(7, TODAY, 60) == invent(7, TODAY, 60)
    assert invent(7, TODAY, 60) != invent(8, TODAY, 60)


def test_everything_happened_before_today_and_after_the_client_was_known(
    invented: list[Invented],
) -> None:
    for each in invented:
        days = [activity.day for activity in each.activities]
        assert each.stated[0][0] <= min(days)
        assert max(days) < TODAY


def test_every_activity_has_a_name_of_its_own(invented: list[Invented]) -> None:
    names = Counter((one.source, one.id) for each in invented for one in each.activities)

    assert len(invented) == 2000
    assert max(names.values()) == 1


def test_the_instant_of_an_activity_is_on_its_day(invented: list[Invented]) -> None:
    for each in invented:
        for activity in each.activities:
            assert activity.at is not None
            assert activity.at.date() == activity.day


def test_all_kinds_of_activities_and_attributes_are_there(invented: list[Invented]) -> None:
    kinds = {one.kind for each in invented for one in each.activities}
    names = {name for each in invented for _, stated in each.stated for name in stated.attributes}

    assert kinds == {"sale", "cancellation", "payment", "visit", "complaint", "survey", "void"}
    assert names == {"kind", "line", "potential", "relationship", "birthday", "joined_with"}
    assert any(len(each.stated) > 1 for each in invented)


def test_the_ladder_is_as_steep_as_real_ones(measured: dict[str, Facts]) -> None:
    policy = load(documents.in_force())
    reference = Reference(policy)
    held = Counter(policy.tiers[reference.judge(each).tier].key for each in measured.values())
    shares = {tier: held[tier] / len(measured) for tier in held}

    assert 0.62 < shares["standard"] < 0.76
    assert 0.15 < shares["silver"] < 0.25
    assert 0.06 < shares["gold"] < 0.11
    assert 0.01 < shares["platinum"] < 0.035


def test_every_segment_has_clients(measured: dict[str, Facts]) -> None:
    policy = load(documents.in_force())
    reference = Reference(policy)

    for root in policy.roots:
        if root.part == "segment":
            within = sum(bool(reference.outcome(root, each)) for each in measured.values())
            assert 0.02 < within / len(measured) < 0.3, root.owner


def test_some_clients_are_just_below_a_limit(measured: dict[str, Facts]) -> None:
    revenues = [each["revenue_12m"] for each in measured.values()]

    for limit in (150_000, 500_000):
        assert sum(0.95 * limit < each < limit for each in revenues) >= 3  # type: ignore[operator]


def test_the_clients_made_by_hand_are_as_they_are_told(
    invented: list[Invented], measured: dict[str, Facts]
) -> None:
    revenue = {each: measured[each]["revenue_12m"] for each in (GOLD, NEARLY_GOLD, CANCELLED)}
    joined = next(each for each in invented if each.reference == JOINED)

    assert revenue == {GOLD: 750_000, NEARLY_GOLD: 495_000, CANCELLED: 0}
    assert joined.stated[0][1].attributes["joined_with"] == GOLD


# -- what is in the database -------------------------------------------------------------------


def test_every_client_is_decided_about(filled: tuple[Merit, Demo]) -> None:
    merit, _ = filled
    with merit.database.reading() as session:
        days = session.execute(select(Standing.as_of)).scalars().all()
        clients = session.execute(select(func.count()).select_from(Client)).scalar()
        held = tiers_held(session)

    assert clients == CLIENTS
    assert days == [TODAY] * CLIENTS
    assert set(held) == {"standard", "silver", "gold", "platinum"}


def test_three_policies_were_in_force_and_two_are_to_be_looked_at(
    filled: tuple[Merit, Demo],
) -> None:
    merit, _ = filled
    with merit.database.reading() as session:
        found = session.execute(select(PolicyVersion).order_by(PolicyVersion.id)).scalars().all()
        verdicts = session.execute(select(Approval).order_by(Approval.id)).scalars().all()
        wrote = {each.id: authors(session, each.id) for each in found}

    states = [each.state for each in found]
    assert states == ["superseded", "superseded", "in_force", "in_review", "draft"]
    begun = [each.in_force_from for each in found[:3]]
    assert begun == sorted(begun)  # type: ignore[type-var]
    assert [each.in_force_until for each in found[:2]] == begun[1:]
    assert [each.verdict for each in verdicts] == [
        "approved",
        "approved",
        "changes_requested",
        "approved",
    ]
    assert all(each.person_id not in wrote[each.version_id] for each in verdicts)


def test_the_history_is_in_order_of_time_over_two_years(filled: tuple[Merit, Demo]) -> None:
    merit, _ = filled
    with merit.database.reading() as session:
        instants = (
            session.execute(select(HistoryEntry.at).order_by(HistoryEntry.sequence)).scalars().all()
        )

    assert instants == sorted(instants)
    assert instants[-1] == NOW
    assert NOW - instants[0] > timedelta(days=729)


def test_people_of_every_role_can_sign_in(filled: tuple[Merit, Demo]) -> None:
    merit, demo = filled
    roles = Counter(each.role for each in demo.accounts)

    assert set(roles) == set(Role)
    assert {roles[each] for each in (Role.ADMINISTRATOR, Role.EDITOR, Role.APPROVER)} == {2}
    assert len({each.password for each in demo.accounts}) == len(demo.accounts)
    for each in demo.accounts:
        found = sign_in(merit.database, each.email, each.password, NOW)
        assert found.roles == {each.role}


def test_contact_persons_have_levels_and_counterparts(filled: tuple[Merit, Demo]) -> None:
    merit, _ = filled
    with merit.database.reading() as session:
        found = session.execute(select(ContactPerson)).scalars().all()

    assert {each.level for each in found} == {"director", "head_of_department", "specialist"}
    assert all(each.birthday and each.counterpart for each in found)


@pytest.mark.parametrize(
    ("reference", "tier"), [(GOLD, "gold"), (NEARLY_GOLD, "silver"), (CANCELLED, "standard")]
)
def test_the_front_desk_is_told_how_a_client_stands(
    filled: tuple[Merit, Demo], reference: str, tier: str
) -> None:
    merit, demo = filled
    app = create_app(merit.config, merit.clock)
    merit.install(app)
    bearing = {"Authorization": f"Bearer {demo.front_desk_key}"}

    answer = app.test_client().get(f"/api/v1/clients/{reference}/standing", headers=bearing)

    found = loads(answer.get_data())
    assert isinstance(found, dict)
    assert found["tier"]["key"] == tier
    assert "stale" not in found


# -- the command -------------------------------------------------------------------------------


def test_a_database_that_is_somebodys_is_not_filled(company: Company) -> None:
    result = served(company).test_cli_runner().invoke(args=["demo"])

    assert result.exit_code == 1
    assert "Error: This database is set up already; the demo only fills an empty one." in (
        result.output
    )
    assert not company.merit.config.secret_file.with_name("demo.txt").exists()


def test_the_command_says_what_to_try_and_keeps_it_for_its_owner(tmp_path: Path) -> None:
    config = Config(f"sqlite:///{tmp_path / 'merit.db'}", None, tmp_path / "secret")
    app = create_app(config, lambda: NOW)

    result = app.test_cli_runner().invoke(args=["demo", "--clients", "30", "--port", "8123"])

    assert result.exit_code == 0, result.output
    kept = tmp_path / "demo.txt"
    assert kept.read_text() in result.stdout
    assert S_IMODE(kept.stat().st_mode) == 0o600
    assert "http://127.0.0.1:8123/api/docs" in result.stdout
    for role in Role:
        assert f"  {role} " in result.stdout
    assert "Two years of a made-up company" in result.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["demo.txt", "merit.db", "secret"]
