"""The history takes every use case, in order, names nobody, and forgets whom it has to."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from itertools import chain
from multiprocessing import get_context

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import delete, select

from app.database import Database
from app.models import Client, HistoryEntry, HistoryHead, HistoryInput, Subject
from app.services.authority import SYSTEM
from app.services.history import Act, Entry, Input, SubjectKey, add_subjects, read_input, record
from app.services.verification import verify
from tests.app.company import NOW, Company
from tests.app.test_verification import busy

_SPAWN = get_context("spawn")


def size(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(HistoryHead.size)).scalar_one()


def test_the_leaves_name_nobody(company: Company) -> None:
    busy(company)
    with company.merit.database.reading() as session:
        leaves = "\n".join(session.execute(select(HistoryEntry.leaf)).scalars())
        columns = str(session.execute(select(HistoryEntry.actor, HistoryEntry.object)).all())
        sealed = b"".join(filter(None, session.execute(select(HistoryInput.sealed)).scalars()))

    for said in (
        *("C-17", "C-18", "Maria", "Stuart", "Mary", "Seton", "GB123", "t-4"),
        *("@", "Anna", "Edith", *company.passwords.values()),
    ):
        assert said not in leaves, said
        assert said not in columns, said
    assert b"Maria" not in sealed


def test_the_same_said_of_two_has_different_digests(company: Company) -> None:
    busy(company)
    with company.merit.database.reading() as session:
        digests = session.execute(
            select(HistoryInput.digest)
            .join(HistoryEntry, HistoryEntry.sequence == HistoryInput.sequence)
            .where(HistoryEntry.verb == "client.stated")
        ).scalars()
        first, second = digests

    assert first != second


def test_what_is_said_can_be_read_until_the_subject_is_erased(company: Company) -> None:
    busy(company)
    with company.merit.database.reading() as session:
        subject = session.execute(
            select(Client.subject).where(Client.reference == "C-17")
        ).scalar_one()
        said = read_input(session, f"client:{subject}", subject)
    assert said is not None
    assert said["name"] == "Maria Stuart"

    with company.merit.database.writing() as session:
        session.execute(delete(Subject).where(Subject.id == subject))

    with company.merit.database.reading() as session:
        assert read_input(session, f"client:{subject}", subject) is None
        assert verify(session).size > 0
        with pytest.raises(LookupError):
            read_input(session, "client:else", subject)


def test_what_is_sealed_opens_only_with_its_key_and_about_its_object() -> None:
    key, other = SubjectKey.new(), SubjectKey.new()
    sealed = key.seal(b"said", "client:1")

    assert key.open(sealed, "client:1") == b"said"
    assert sealed != key.seal(b"said", "client:1")
    for opener, about in ((key, "client:2"), (other, "client:1")):
        with pytest.raises(InvalidTag):
            opener.open(sealed, about)
    with pytest.raises(InvalidTag):
        key.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), "client:1")


def test_an_entry_says_the_same_of_nobody_and_of_several(new_company: Company) -> None:
    keys = [SubjectKey.new() for _ in range(3)]
    with new_company.merit.database.writing() as session:
        add_subjects(session, keys)
        add_subjects(session, [])
        record(
            Act(session, SYSTEM, NOW),
            Entry("test.none", "test:1"),
            Entry("test.three", "test:2", {}, [Input(each, b"{}") for each in keys]),
        )

    with new_company.merit.database.reading() as session:
        assert verify(session).size >= 2


def test_a_transaction_that_fails_leaves_no_entry(new_company: Company) -> None:
    before = size(new_company)
    with suppress(KeyError), new_company.merit.acting(SYSTEM) as act:
        record(act, Entry("test.done", "test:1"))
        raise KeyError

    assert before == size(new_company)
    with new_company.merit.database.reading() as session:
        assert before == verify(session).size


def append(url: str, worker: int, times: int) -> list[int]:
    """Append as one of many processes; return the sequences as they were seen at commit."""
    database, seen = Database(url), []
    for place in range(times):
        with suppress(KeyError), database.writing() as session:
            at = NOW + timedelta(seconds=place)
            record(Act(session, SYSTEM, at), Entry("test.done", f"test:{worker}-{place}"))
            if place % 5 == 4:
                raise KeyError
            seen.append(session.execute(select(HistoryHead.size)).scalar_one() - 1)
    database.close()
    return seen


def test_many_processes_leave_one_sequence_without_gaps(new_company: Company) -> None:
    before, url = size(new_company), new_company.place.service
    with _SPAWN.Pool(4) as pool:
        seen = pool.starmap(append, [(url, worker, 20) for worker in range(4)])

    assert [*range(before, before + 4 * 16)] == sorted(chain(*seen))
    assert all(each == sorted(each) for each in seen)  # nobody is overtaken by their own past
    with new_company.merit.database.reading() as session:
        assert verify(session).size == before + 4 * 16
