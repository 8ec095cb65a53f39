"""What anybody changes in the history is found, or needs a checkpoint kept elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import Connection, delete, select, text
from sqlalchemy.orm import Session

from app.merkle import Frontier, leaf_hash
from app.models import Client, HistoryEntry, HistoryHead, HistoryInput, Subject
from app.services.activities import NewActivity, record_activities
from app.services.authority import Actor
from app.services.clients import Contact, Stated, put_client
from app.services.history import Entry, Input, SubjectKey, inputs_digest, record
from app.services.standings import decide
from app.services.verification import HistoryBroken, verify
from app.words import Words
from rules.document.strict_json import canonical_bytes, loads
from tests.app.asking import served
from tests.app.company import Company

TILL = Actor("key:till")
DAY = date(2026, 7, 1)


def busy(company: Company) -> None:
    """Have all kinds of things happen with two clients."""
    merit = company.merit
    stated = Stated("Maria Stuart", "en", {"vat": "GB123"}, (Contact("m", "Mary Seton"),))
    with merit.acting(TILL) as act:
        put_client(act, "C-17", stated, DAY)
    with merit.acting(TILL) as act:
        put_client(act, "C-18", stated, DAY)
    happened = [
        NewActivity("till", f"t-{number}", f"C-{17 + number % 2}", "sale", DAY, amount=60_000)
        for number in range(6)
    ]
    for some in (happened[:4], happened[4:]):
        with merit.acting(TILL) as act:
            record_activities(act, some)
    with merit.acting(TILL) as act:
        ids = act.session.execute(select(Client.id)).scalars().all()
        decide(act, merit.rulebook, ids, DAY, Words())


@pytest.fixture
def told(company: Company) -> Company:
    busy(company)
    return company


def verified(company: Company) -> Frontier:
    with company.merit.database.reading() as session:
        return verify(session)


def broken(company: Company) -> HistoryBroken:
    with pytest.raises(HistoryBroken) as raised:
        verified(company)
    return raised.value


def tampering(company: Company, change: Callable[[Connection], object]) -> None:
    """Change something as the owner of the tables can, whom no trigger stops."""
    owner = company.merit.owner
    with owner.migrating() as connection:
        if owner.is_sqlite:
            triggers = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            )
            for (name,) in triggers.all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
        change(connection)
        if not owner.is_sqlite:
            connection.exec_driver_sql("SET session_replication_role = DEFAULT")


def sequences(company: Company, verb: str) -> list[int]:
    with company.merit.database.reading() as session:
        query = select(HistoryEntry.sequence).where(HistoryEntry.verb == verb)
        return list(session.execute(query.order_by(HistoryEntry.sequence)).scalars())


def run(statement: str, **values: Any) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text(statement), values)


# -- what is whole -----------------------------------------------------------------------------


def test_a_history_nobody_touched_verifies(told: Company) -> None:
    tree = verified(told)

    with told.merit.database.reading() as session:
        leaves = session.execute(select(HistoryEntry.leaf).order_by(HistoryEntry.sequence))
        hashes = [leaf_hash(each.encode()) for each in leaves.scalars()]
    assert tree == Frontier().add(hashes)


def test_it_says_how_far_it_has_come(told: Company) -> None:
    steps: list[int] = []
    with told.merit.database.reading() as session:
        tree = verify(session, steps.append)

    assert sum(steps) == tree.size


def test_more_than_one_chunk_verifies(told: Company) -> None:
    with told.merit.acting(TILL) as act:
        record(act, *(Entry("test.done", f"test:{place}", {"n": place}) for place in range(2500)))

    assert verified(told).size > 2500


def erase(session: Session, reference: str) -> str:
    """Erase somebody as the service's own role can: their key and what is theirs."""
    client = session.execute(select(Client).where(Client.reference == reference)).scalar_one()
    session.execute(delete(Subject).where(Subject.id == client.subject))
    session.execute(text("DELETE FROM activities WHERE client_id = :client"), {"client": client.id})
    return client.subject


def test_somebody_erased_leaves_a_history_that_verifies(told: Company) -> None:
    before = verified(told)
    with told.merit.database.writing() as session:
        erase(session, "C-17")

    assert before == verified(told)


def test_what_happens_later_verifies_on(told: Company) -> None:
    with told.merit.database.writing() as session:
        erase(session, "C-17")
    with told.merit.acting(TILL) as act:
        put_client(act, "C-18", Stated("Mary"), DAY)

    assert verified(told).size > 0


# -- what was changed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [("actor", "person:else"), ("verb", "client.praised"), ("object", "client:else")],
)
def test_a_changed_column_is_found_at_its_entry(told: Company, column: str, value: str) -> None:
    [first, _] = sequences(told, "client.stated")
    change = f"UPDATE history SET {column} = :value WHERE sequence = :sequence"  # noqa: S608
    tampering(told, run(change, value=value, sequence=first))

    assert first == broken(told).sequence


def test_a_changed_time_is_found_at_its_entry(told: Company) -> None:
    [first, _] = sequences(told, "client.stated")
    change = "UPDATE history SET at = '2020-01-01 00:00:00.000000' WHERE sequence = :sequence"
    tampering(told, run(change, sequence=first))

    assert first == broken(told).sequence


@pytest.mark.parametrize("leaf", ["", "{}", "[]", "no JSON", '{"sequence":1}', "[" * 500])
def test_a_leaf_that_is_none_is_found_at_its_entry(told: Company, leaf: str) -> None:
    tampering(told, run("UPDATE history SET leaf = :leaf WHERE sequence = 5", leaf=leaf))

    assert broken(told).sequence == 5


def leaf_of(connection: Connection, sequence: int) -> dict[str, Any]:
    query = select(HistoryEntry.leaf).where(HistoryEntry.sequence == sequence)
    found = loads(connection.execute(query).scalar_one())
    assert isinstance(found, dict)
    return found


def set_leaf(connection: Connection, sequence: int, **values: Any) -> None:
    leaf = canonical_bytes({**leaf_of(connection, sequence), **values}).decode()
    run("UPDATE history SET leaf = :leaf WHERE sequence = :at", leaf=leaf, at=sequence)(connection)


def test_changed_details_are_found_by_the_tree(told: Company) -> None:
    [first, _] = sequences(told, "client.stated")
    tampering(told, lambda connection: set_leaf(connection, first, details={"day": "2020-01-01"}))

    found = broken(told)
    assert found.sequence <= first
    assert "hashes differ" in found.message


def test_a_leaf_written_in_another_way_is_found(told: Company) -> None:
    tampering(told, run("UPDATE history SET leaf = leaf || ' ' WHERE sequence = 3"))

    assert broken(told).sequence == 3


def test_two_entries_that_changed_places_are_found(told: Company) -> None:
    [first, second] = sequences(told, "client.stated")

    def swap(connection: Connection) -> None:
        for before, after in ((first, -1), (second, first), (-1, second)):
            for table in ("history_inputs", "history"):
                change = f"UPDATE {table} SET sequence = :after WHERE sequence = :before"  # noqa: S608
                run(change, after=after, before=before)(connection)

    tampering(told, swap)

    assert first == broken(told).sequence


def test_a_missing_entry_is_found_where_it_was(told: Company) -> None:
    tampering(told, run("DELETE FROM history WHERE sequence = 0"))

    found = broken(told)
    assert found.sequence == 0
    assert "missing" in found.message


def cut(connection: Connection, size: int) -> None:
    for table in ("history_inputs", "history"):
        run(f"DELETE FROM {table} WHERE sequence >= :size", size=size)(connection)  # noqa: S608


def test_a_tail_cut_off_is_found_by_the_head(told: Company) -> None:
    size = verified(told).size
    tampering(told, lambda connection: cut(connection, size - 1))

    assert broken(told).sequence == size - 1


def forge(connection: Connection, sequence: int) -> None:
    """Write one more entry, as if it had been recorded."""
    row = {"at": "2026-07-01T12:00:00+00:00", "actor": "system", "verb": "x.y", "object": "x:1"}
    leaf = canonical_bytes({"sequence": sequence, **row, "details": {}, "inputs": None}).decode()
    at = "2026-07-01 12:00:00.000000" if connection.dialect.name == "sqlite" else row["at"]
    statement = "INSERT INTO history VALUES (:sequence, :at, :actor, :verb, :object, :leaf)"
    run(statement, **{**row, "sequence": sequence, "leaf": leaf, "at": at})(connection)


def test_an_added_entry_is_found_by_the_head(told: Company) -> None:
    size = verified(told).size
    tampering(told, lambda connection: forge(connection, size))

    assert broken(told).sequence == size


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE history_head SET size = size - 1",
        "UPDATE history_head SET size = size + 1",
        "DELETE FROM history_head",
    ],
)
def test_a_changed_head_is_found(told: Company, change: str) -> None:
    tampering(told, run(change))

    assert broken(told).sequence >= 0


def test_a_changed_frontier_is_found(told: Company) -> None:
    frontier = bytes(len(verified(told).to_bytes()))
    tampering(told, run("UPDATE history_head SET frontier = :frontier", frontier=frontier))

    assert broken(told).sequence == 0


# -- what is kept beside it --------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE history_inputs SET digest = :other WHERE sequence = :at",
        "UPDATE history_inputs SET sealed = :other WHERE sequence = :at",
        "UPDATE history_inputs SET sealed = :short WHERE sequence = :at",
        "UPDATE history_inputs SET sealed = NULL WHERE sequence = :at",
        "UPDATE history_inputs SET subject = 'else' WHERE sequence = :at",
        "DELETE FROM history_inputs WHERE sequence = :at",
        "INSERT INTO history_inputs SELECT sequence, 'else', digest, sealed FROM history_inputs "
        "WHERE sequence = :at",
        "UPDATE subjects SET key = :other",
    ],
)
def test_a_changed_input_is_found_at_its_entry(told: Company, change: str) -> None:
    [first, _] = sequences(told, "client.stated")
    values = {"other": bytes(64), "short": b"", "at": first}
    used = {name: value for name, value in values.items() if f":{name}" in change}
    tampering(told, run(change, **used))

    assert broken(told).sequence == first if "at" in used else broken(told).sequence <= first


def test_what_was_sealed_cannot_be_exchanged(told: Company) -> None:
    def exchange(connection: Connection) -> None:
        [first, second] = sequences(told, "client.stated")
        query = select(HistoryInput.sealed).where(HistoryInput.sequence == second)
        sealed = connection.execute(query).scalar_one()
        change = "UPDATE history_inputs SET sealed = :sealed WHERE sequence = :at"
        run(change, sealed=sealed, at=first)(connection)

    tampering(told, exchange)

    assert sequences(told, "client.stated")[0] == broken(told).sequence


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE activities SET amount = amount + 1 WHERE external_id = 't-4'",
        "UPDATE activities SET quantity = '1' WHERE external_id = 't-4'",
        "UPDATE activities SET day = '2026-06-30' WHERE external_id = 't-4'",
        "UPDATE activities SET client_id = (SELECT max(id) FROM clients) WHERE external_id = 't-4'",
        "UPDATE activities SET batch = 'else' WHERE external_id = 't-4'",
        "DELETE FROM activities WHERE external_id = 't-4'",
    ],
)
def test_a_changed_activity_is_found_at_its_batch(told: Company, change: str) -> None:
    tampering(told, run(change.replace("'1'", "1") if not told.merit.owner.is_sqlite else change))

    assert sequences(told, "activities.recorded")[1] == broken(told).sequence


COPY = """
    INSERT INTO activities (id, client_id, source, external_id, kind, day, amount, batch)
    SELECT 99, client_id, source, 't-99', kind, day, amount, {batch} FROM activities
    WHERE external_id = 't-4'
"""


def test_an_activity_slipped_into_a_batch_is_found(told: Company) -> None:
    tampering(told, run(COPY.format(batch="batch")))

    assert sequences(told, "activities.recorded")[1] == broken(told).sequence


def test_an_activity_of_somebody_else_slipped_into_a_batch_is_found(told: Company) -> None:
    with told.merit.acting(TILL) as act:
        put_client(act, "C-19", Stated("Mary"), DAY)
    other = "(SELECT id FROM clients WHERE reference = 'C-19')"
    tampering(told, run(COPY.format(batch="batch").replace("99, client_id", f"99, {other}")))

    assert sequences(told, "activities.recorded")[1] == broken(told).sequence


def test_an_activity_that_no_entry_speaks_of_is_found(told: Company) -> None:
    tampering(told, run(COPY.format(batch="'nowhere'")))

    found = broken(told)
    assert verified_size(told) == found.sequence
    assert "no entry" in found.message


def verified_size(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(HistoryHead.size)).scalar_one()


def test_inputs_of_entries_that_do_not_exist_are_found(told: Company) -> None:
    size = verified(told).size

    def orphan(connection: Connection) -> None:
        if connection.dialect.name == "sqlite":  # where the owner switches off what stops this
            connection.exec_driver_sql("CREATE TABLE other AS SELECT * FROM history_inputs")
            connection.exec_driver_sql("DROP TABLE history_inputs")
            connection.exec_driver_sql("ALTER TABLE other RENAME TO history_inputs")
        connection.exec_driver_sql(
            "INSERT INTO history_inputs SELECT 999999, subject, digest, sealed "
            "FROM history_inputs WHERE sequence = (SELECT max(sequence) FROM history_inputs)"
        )

    tampering(told, orphan)

    assert size == broken(told).sequence


# -- what only a checkpoint kept elsewhere shows -----------------------------------------------


def rechain(connection: Connection) -> None:
    """Write the head anew, so that it fits what is there now."""
    leaves = connection.execute(select(HistoryEntry.leaf).order_by(HistoryEntry.sequence))
    tree = Frontier().add([leaf_hash(each.encode()) for each in leaves.scalars()])
    change = "UPDATE history_head SET size = :size, frontier = :frontier"
    run(change, size=tree.size, frontier=tree.to_bytes())(connection)


def test_a_tail_cut_off_with_its_head_needs_a_root_kept_elsewhere(told: Company) -> None:
    before = verified(told)

    def change(connection: Connection) -> None:
        cut(connection, before.size - 2)
        rechain(connection)

    tampering(told, change)

    assert before.root != verified(told).root


def test_a_history_written_anew_needs_a_root_kept_elsewhere(told: Company) -> None:
    before = verified(told)
    [first, _] = sequences(told, "client.stated")

    def change(connection: Connection) -> None:
        set_leaf(connection, first, details={"day": "2020-01-01"})
        rechain(connection)

    tampering(told, change)

    assert before.root != verified(told).root


# -- the command -------------------------------------------------------------------------------


@pytest.fixture
def commands(told: Company) -> FlaskCliRunner:
    return served(told).test_cli_runner()


def test_the_command_prints_size_and_root(told: Company, commands: FlaskCliRunner) -> None:
    tree = verified(told)
    result = commands.invoke(args=["history", "verify"])

    assert result.exit_code == 0, result.output
    assert f"{tree.size} entries, root {tree.root.hex()}." in result.stdout


def test_the_command_says_what_is_wrong_and_fails(told: Company, commands: FlaskCliRunner) -> None:
    tampering(told, run("UPDATE history SET actor = 'else' WHERE sequence = 7"))
    result = commands.invoke(args=["history", "verify"])

    assert result.exit_code == 1
    assert "Entry 7: its columns and its leaf do not say the same." in result.stderr
    assert "root" not in result.stdout


def test_an_input_that_nobody_sealed_is_found(told: Company) -> None:
    """A service gone wrong that digests one thing and seals another."""
    key = SubjectKey.new()
    with told.merit.acting(TILL) as act:
        act.session.add(Subject(id=key.id, key=key.key))
        record(act, Entry("test.done", "test:1", {}, [Input(key, b"{}")]))
    other = key.seal(b'{"other":1}', "test:1")
    change = "UPDATE history_inputs SET sealed = :sealed WHERE subject = :subject"
    tampering(told, run(change, sealed=other, subject=key.id))

    assert verified_size(told) - 1 == broken(told).sequence


def test_the_digest_of_inputs_does_not_depend_on_their_order() -> None:
    digests = [("b", bytes(32)), ("a", b"1" * 32)]

    assert inputs_digest(digests) == inputs_digest(reversed(digests))
    assert inputs_digest([]) is None
    assert inputs_digest(digests) != inputs_digest([("a", bytes(32)), ("b", b"1" * 32)])
