"""Web hooks: written with the decision, signed, sent at least once and in order, never inside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from app.clock import system_clock
from app.models import HistoryEntry, HookMessage, HookReceiver
from app.services import hooks, sending
from app.services.authority import SYSTEM
from app.services.courier import LEASE, Courier
from app.services.errors import Invalid, NotActionable, NotAllowed, NotThere
from app.services.history import Act
from app.services.hooks import DELAYS, KEPT, NewSecret
from app.services.keys import LONGEST, Secret
from app.services.sending import Networks
from rules.document.strict_json import loads
from rules.standing import Event as Happened
from tests.app.asking import ROOT, counted, served
from tests.app.company import NOW, Company
from tests.app.telling import (
    AFTER_ALL,
    INSIDE,
    TODAY,
    added,
    announced,
    change,
    courier,
    delivered,
    deliveries,
    in_force,
)
from tests.receiving import Manner, Receiver, certified, is_signed, receiving

URL = "https://example.com/merit?of=7"
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def number_of(company: Company, table: Any) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def row(company: Company, receiver_id: str) -> HookReceiver:
    with company.merit.database.reading() as session:
        return session.get_one(HookReceiver, receiver_id)


def rotated(company: Company, receiver_id: str, overlap: timedelta = WEEK) -> NewSecret:
    with company.merit.acting(company.actor("anna")) as act:
        return hooks.rotate_secret(act, company.merit.secret, receiver_id, overlap)


def administered(company: Company, verb: Any, receiver_id: str, by: str = "anna") -> Any:
    with company.merit.acting(company.actor(by)) as act:
        return verb(act, receiver_id)


def leaves(company: Company) -> list[tuple[str, str]]:
    with company.merit.database.reading() as session:
        rows = session.execute(
            select(HistoryEntry.verb, HistoryEntry.leaf)
            .where(HistoryEntry.object.like("hook:%"))
            .order_by(HistoryEntry.sequence)
        )
        return [(each.verb, each.leaf) for each in rows]


# -- receivers ---------------------------------------------------------------------------------


def test_a_receivers_secret_is_shown_once_and_stored_encrypted(new_company: Company) -> None:
    new = added(new_company, URL)
    stored = row(new_company, new.receiver)

    assert new.text.startswith("whsec_")
    assert (stored.url, stored.state, stored.created_at) == (URL, "active", NOW)
    assert stored.created_by == new_company.actor("anna").person_id
    sealing = new_company.merit.secret.sealing
    assert new.text.encode() not in stored.secret
    assert sealing.open(stored.secret, f"hook:{new.receiver}").decode() == new.text
    [(verb, leaf)] = leaves(new_company)
    assert verb == "hook.added"
    assert '"host":"example.com"' in leaf
    assert new.text not in leaf
    assert "of=7" not in leaf, "an address may hold a secret of its own"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com/",
        "https:///path",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://[::1/",
        "https://exa mple.com/",
        "https://bücher.example/",
        "https://example.com/\r\nX: y",
        "https://maria:secret@example.com/",
        "https://example.com/#part",
        "https://example.com/" + "a" * 2000,
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    [problem] = hooks.url_problems(url)

    assert problem.path == "url"


def test_nothing_is_added_that_cannot_be_sent_to(new_company: Company) -> None:
    with pytest.raises(Invalid, match=r"^url: must be an address such as"):
        added(new_company, "example.com")
    assert number_of(new_company, HookReceiver) == 0


def test_only_administrators_change_receivers(new_company: Company) -> None:
    new = added(new_company, URL)
    secret = new_company.merit.secret
    changes: list[Any] = [
        lambda act, _: hooks.add_receiver(act, secret, URL),
        lambda act, name: hooks.rotate_secret(act, secret, name, DAY),
        lambda act, name: hooks.ping(act, secret, name),
        hooks.disable_receiver,
        hooks.enable_receiver,
        hooks.remove_receiver,
        hooks.retry,
    ]
    before = leaves(new_company)
    for each in changes:
        for by in ("edith", "paul", "olga", "max"):
            with pytest.raises(NotAllowed):
                administered(new_company, each, new.receiver, by)
    assert leaves(new_company) == before
    for each in changes[1:]:
        with pytest.raises(NotThere, match=r"There is no receiver 0{12}"):
            administered(new_company, each, "0" * 12)


def test_a_receiver_is_disabled_enabled_and_removed(new_company: Company) -> None:
    new = added(new_company, URL)

    with pytest.raises(NotActionable):
        administered(new_company, hooks.enable_receiver, new.receiver)
    administered(new_company, hooks.disable_receiver, new.receiver)
    with pytest.raises(NotActionable):
        administered(new_company, hooks.disable_receiver, new.receiver)
    assert row(new_company, new.receiver).state == "disabled"
    administered(new_company, hooks.enable_receiver, new.receiver)
    assert row(new_company, new.receiver).state == "active"
    administered(new_company, hooks.remove_receiver, new.receiver)

    assert number_of(new_company, HookReceiver) == 0
    assert [verb for verb, _ in leaves(new_company)] == [
        "hook.added",
        "hook.disabled",
        "hook.enabled",
        "hook.removed",
    ]


def test_of_two_who_disable_at_the_same_moment_one_does(new_company: Company) -> None:
    new = added(new_company, URL)

    def run(_: int) -> object:
        try:
            return administered(new_company, hooks.disable_receiver, new.receiver)
        except NotActionable as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(run, range(2)))

    assert sorted(type(each).__name__ for each in found) == ["NoneType", "NotActionable"]


# -- what is announced ---------------------------------------------------------------------------


def test_a_change_is_told_to_each_active_receiver_and_nobody_else(company: Company) -> None:
    first, second, third = (added(company, URL) for _ in range(3))
    administered(company, hooks.disable_receiver, third.receiver)

    assert announced(company, [change(in_force(company))]) == 1

    found = deliveries(company)
    assert {each.receiver_id for each in found} == {first.receiver, second.receiver}
    assert {each.message_id for each in found} == {found[0].message_id}
    assert {(each.state, each.due_at, each.attempts) for each in found} == {("waiting", NOW, 0)}


def test_the_payload_says_what_happened_by_reference_and_tiers_alone(company: Company) -> None:
    added(company, URL)
    policy = in_force(company)
    events = [
        Happened("promoted", TODAY, "gold", "silver"),
        Happened("reinstated", TODAY, "gold", benefits=("priority_queue",)),
    ]
    announced(company, [change(policy, decision="d" * 32, events=events)])

    with company.merit.database.reading() as session:
        [message] = session.execute(select(HookMessage)).scalars()
    assert message.id.startswith("msg_")
    assert loads(message.payload) == {
        "type": "standing.changed",
        "timestamp": "2026-07-01T12:00:00+00:00",
        "data": {
            "client": "C-17",
            "date": "2026-07-01",
            "issued": "2026-07-01",
            "decision": "d" * 32,
            "events": [
                {"event": "promoted", "tier": "gold", "before": "silver"},
                {"event": "reinstated", "tier": "gold", "benefits": ["priority_queue"]},
            ],
            "held": "gold",
            "tier": "gold",
            "since": "2026-07-01",
            "state": "secure",
            "ground": {"cause": "earned", "until": "2027-06-30"},
            "deadline": None,
            "policy": {"version": policy.number, "digest": policy.policy.digest},
        },
    }


def test_nothing_is_written_of_what_is_no_event_or_where_nobody_listens(company: Company) -> None:
    policy = in_force(company)

    assert announced(company, [change(policy)]) == 0
    added(company, URL)
    assert announced(company, []) == 0
    assert announced(company, [change(policy, events=())]) == 0

    assert number_of(company, HookMessage) == 0


def test_what_is_announced_is_undone_with_the_decision(company: Company) -> None:
    added(company, URL)

    def failing() -> None:
        with company.merit.acting(SYSTEM) as act:
            hooks.announce(act, [change(in_force(company))])
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - raised above
        failing()
    assert number_of(company, HookMessage) == 0
    assert deliveries(company) == []


def test_what_waits_for_a_removed_receiver_goes_with_it(company: Company) -> None:
    new, _ = added(company, URL), added(company, URL)
    announced(company, [change(in_force(company))])

    administered(company, hooks.remove_receiver, new.receiver)

    [left] = deliveries(company)
    assert left.receiver_id != new.receiver


def test_old_messages_are_forgotten_once_nobody_waits_for_them(
    company: Company, receiver: Receiver
) -> None:
    added(company, receiver.url)
    announced(company, [change(in_force(company))])
    delivered(company)
    receiver.treat = lambda *_: 500
    announced(company, [change(in_force(company))])
    company.clock.now += KEPT

    def forgotten() -> int:
        with company.merit.acting(SYSTEM) as act:
            return hooks.forget(act, 10)

    assert forgotten() == 0
    company.clock.advance(seconds=1)
    assert forgotten() == 1
    [left] = deliveries(company)
    assert left.state == "waiting"


# -- what is delivered ---------------------------------------------------------------------------


def test_exactly_what_is_stored_is_signed_and_sent(company: Company, receiver: Receiver) -> None:
    new = added(company, receiver.url)
    announced(company, [change(in_force(company))])

    delivered(company)

    [received] = receiver.requests
    with company.merit.database.reading() as session:
        [message] = session.execute(select(HookMessage)).scalars()
    assert (received.id, received.body) == (message.id, message.payload)
    assert is_signed(received, new.text, at=NOW.timestamp())
    [delivery] = deliveries(company)
    assert (delivery.state, delivery.status, delivery.attempts) == ("delivered", 204, 1)
    assert (delivery.ended_at, delivery.error) == (NOW, None)


def test_both_secrets_sign_during_the_overlap_and_one_after_it(
    company: Company, receiver: Receiver
) -> None:
    old = added(company, receiver.url)
    new = rotated(company, old.receiver)

    def signed() -> tuple[bool, bool]:
        announced(company, [change(in_force(company))])
        delivered(company)
        received = receiver.requests[-1]
        return is_signed(received, old.text), is_signed(received, new.text)

    assert signed() == (True, True)
    with pytest.raises(NotActionable, match="Two secrets sign already"):
        rotated(company, old.receiver)
    company.clock.now += WEEK
    assert signed() == (False, True)
    rotated(company, old.receiver)


def test_a_secret_that_others_know_is_replaced_at_once(
    company: Company, receiver: Receiver
) -> None:
    first = added(company, receiver.url)
    second = rotated(company, first.receiver)
    third = rotated(company, first.receiver, timedelta(0))
    announced(company, [change(in_force(company))])
    delivered(company)

    [received] = receiver.requests
    found = [is_signed(received, each.text) for each in (first, second, third)]
    assert found == [False, False, True]


@pytest.mark.parametrize("overlap", [-DAY, LONGEST + DAY])
def test_an_overlap_has_limits(new_company: Company, overlap: timedelta) -> None:
    new = added(new_company, URL)
    with pytest.raises(Invalid, match=r"^overlap: "):
        rotated(new_company, new.receiver, overlap)


def test_a_failure_is_tried_again_ten_times_over_three_days_and_then_given_up(
    company: Company, receiver: Receiver
) -> None:
    receiver.treat = lambda *_: 500
    new = added(company, receiver.url)
    announced(company, [change(in_force(company))])

    for number, delay in enumerate(DELAYS, 1):
        delivered(company)
        [delivery] = deliveries(company)
        assert (delivery.state, delivery.status, delivery.attempts) == ("waiting", 500, number)
        waits = delivery.due_at - company.clock.now
        assert delay <= waits <= 1.1 * delay
        company.clock.now = delivery.due_at - timedelta(milliseconds=1)
        delivered(company)
        assert len(receiver.requests) == number, "it came too early"
        company.clock.now = delivery.due_at
    delivered(company)

    [delivery] = deliveries(company)
    assert (delivery.state, delivery.attempts) == ("given_up", 10)
    assert delivery.ended_at == company.clock.now
    assert {each.id for each in receiver.requests} == {delivery.message_id}
    receiver.treat = lambda *_: "takes"
    assert administered(company, hooks.retry, new.receiver) == 1
    delivered(company)
    assert deliveries(company)[0].state == "delivered"


def test_a_receiver_that_asks_for_time_gets_it_up_to_a_day(
    company: Company, receiver: Receiver
) -> None:
    receiver.treat, receiver.retry_after = lambda *_: 429, "3600"
    added(company, receiver.url)
    announced(company, [change(in_force(company))])
    delivered(company)
    assert deliveries(company)[0].due_at == NOW + timedelta(hours=1)

    company.clock.advance(hours=1)
    receiver.retry_after = "999999"
    delivered(company)
    assert deliveries(company)[0].due_at == company.clock.now + timedelta(days=1)

    company.clock.advance(days=1)
    receiver.retry_after = "1"
    delivered(company)
    assert deliveries(company)[0].due_at >= company.clock.now + timedelta(minutes=30)


def test_a_receiver_that_is_gone_is_disabled_and_told_nothing_more(
    company: Company, receiver: Receiver
) -> None:
    receiver.treat = lambda *_: 410
    new = added(company, receiver.url)
    announced(company, [change(in_force(company), f"C-{each}") for each in range(3)])
    delivered(company, 3)

    assert row(company, new.receiver).state == "disabled"
    assert [verb for verb, _ in leaves(company)] == ["hook.added", "hook.disabled"]
    assert '"status":410' in leaves(company)[-1][1]
    assert {each.state for each in deliveries(company)} == {"waiting"}
    assert announced(company, [change(in_force(company))]) == 0
    seen = len(receiver.requests)
    receiver.treat = lambda *_: "takes"
    administered(company, hooks.enable_receiver, new.receiver)
    delivered(company)
    assert len(receiver.requests) == seen + 3


def test_inside_the_network_nothing_is_sent_unless_it_is_configured(
    company: Company, receiver: Receiver
) -> None:
    added(company, receiver.url)
    announced(company, [change(in_force(company))])
    merit = company.merit

    Courier(merit.database, merit.clock, merit.secret, Networks()).work_off(Event())

    [delivery] = deliveries(company)
    assert (delivery.state, delivery.status, delivery.attempts) == ("waiting", None, 1)
    assert delivery.error is not None
    assert "inside the network; MERIT_HOOK_NETWORKS does not allow it" in delivery.error
    assert receiver.requests == []


def test_without_the_installations_secret_nothing_is_sent_and_it_is_said(
    company: Company, receiver: Receiver, tmp_path: Path
) -> None:
    new = added(company, receiver.url)
    announced(company, [change(in_force(company))])
    other = Secret(tmp_path / "other")
    other.ensure()
    merit = company.merit
    lost = Courier(merit.database, merit.clock, other, INSIDE)

    lost.work_off(Event())

    assert receiver.requests == []
    assert "installation's secret is not the one" in (deliveries(company)[0].error or "")
    with merit.acting(company.actor("anna")) as act:
        again = hooks.rotate_secret(act, other, new.receiver, timedelta(0))
    company.clock.now += AFTER_ALL
    lost.work_off(Event())
    assert is_signed(receiver.requests[0], again.text)


def test_of_one_client_nothing_overtakes_what_waits_and_others_go_on(
    company: Company, receiver: Receiver
) -> None:
    refused = iter([500])

    def treat(each: Receiver, _: str) -> Manner | int:
        is_first = each.requests[-1].data["decision"] == "1"
        return next(refused, "takes") if is_first else "takes"

    receiver.treat = treat
    added(company, receiver.url)
    policy = in_force(company)
    announced(company, [change(policy, "C-1", "1")])
    announced(company, [change(policy, "C-1", "2"), change(policy, "C-2", "3")])

    delivered(company)
    assert sorted(each.data["decision"] for each in receiver.requests) == ["1", "3"]
    delivered(company, 2)

    assert [each.data["decision"] for each in receiver.requests][2:] == ["1", "2"]


def test_what_is_given_up_holds_up_nothing(company: Company, receiver: Receiver) -> None:
    receiver.treat = lambda each, found: 500 if found == each.requests[0].id else "takes"
    added(company, receiver.url)
    policy = in_force(company)
    announced(company, [change(policy, "C-1", "1"), change(policy, "C-1", "2")])

    delivered(company, 11)

    assert [each.state for each in deliveries(company)] == ["given_up", "delivered"]


def test_two_couriers_at_once_send_nothing_twice(company: Company, receiver: Receiver) -> None:
    added(company, receiver.url)
    policy = in_force(company)
    announced(company, [change(policy, f"C-{each % 20}", str(each)) for each in range(100)])

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(courier(company).work_off, Event()) for _ in range(2)]:
            each.result()

    assert Counter(each.id for each in receiver.requests).most_common(1)[0][1] == 1
    assert len(receiver.taken) == 100
    assert_in_order(receiver)


def assert_in_order(receiver: Receiver) -> None:
    """Each client's messages were taken as they were decided."""
    decided = defaultdict(list)
    for each in receiver.taken.values():
        decided[each.data["client"]].append(int(each.data["decision"]))
    assert all(each == sorted(each) for each in decided.values())


@pytest.mark.slow
def test_one_that_hangs_holds_up_neither_others_nor_writers(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "WHOLE_SECONDS", 1)
    policy = in_force(company)
    with ExitStack() as stack:
        hanging = [stack.enter_context(receiving(lambda *_: "hangs")) for _ in range(5)]
        for each in [*hanging, receiver]:
            added(company, each.url)
        announced(company, [change(policy, f"C-{each}") for each in range(10)])
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(courier(company).work_off, Event())
            for each in hanging:
                each.came.wait(30)
            with company.merit.acting(SYSTEM, wait=1) as act:  # nobody holds the lock
                hooks.forget(act, 1)
            sent.result(60)

    assert len(receiver.taken) == 10
    found = deliveries(company)
    assert Counter(each.state for each in found) == {"delivered": 10, "waiting": 50}
    assert {each.error for each in found if each.state == "waiting"} == {
        "localhost did not answer in time."
    }


def test_what_a_courier_took_and_never_settled_is_sent_again_by_the_next(
    company: Company, receiver: Receiver
) -> None:
    added(company, receiver.url)
    announced(company, [change(in_force(company))])
    merit = company.merit
    with merit.database.reading() as session:
        wanted = hooks.due(session, merit.secret, NOW, 4, {})
    with merit.acting(SYSTEM) as act:
        [taken] = hooks.claim(act, wanted, LEASE)
        assert hooks.claim(act, wanted, LEASE) == []
    delivered(company)
    assert receiver.requests == []

    company.clock.now += LEASE
    delivered(company)
    with merit.acting(SYSTEM) as act:
        late = hooks.settle(act, [hooks.Settled(taken, sending.Answer(500))])

    assert late == ["lost"]
    [delivery] = deliveries(company)
    assert (delivery.state, delivery.attempts) == ("delivered", 1)


FAULTS: list[Manner | int] = [
    "takes",
    "takes",
    500,
    503,
    "hangs_up",
    "cuts",
    "babbles",
    "redirects",
]
FAULTS += ["takes_and_hangs_up"]


@pytest.mark.slow
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_fails_nothing_is_lost_doubled_or_overtaken(
    company: Company, clients: list[int], chance: Random
) -> None:
    faults = [chance.choice(FAULTS) for _ in range(4 * len(clients))]
    with receiving(lambda *_: faults.pop() if faults else "takes") as receiver:
        new = added(company, receiver.url)
        policy = in_force(company)
        changes = [change(policy, f"C-{each}", str(at)) for at, each in enumerate(clients)]
        announced(company, changes)
        company.clock.now += AFTER_ALL
        while any(each.state == "waiting" for each in deliveries(company)):
            delivered(company, 2)
        given_up = {each.message_id for each in deliveries(company) if each.state == "given_up"}
        administered(company, hooks.remove_receiver, new.receiver)

    taken = {int(each.data["decision"]) for each in receiver.taken.values()}
    assert len(receiver.taken) == len(taken)
    assert len(receiver.taken.keys() | given_up) == len(clients)
    assert all(is_signed(each, new.text) for each in receiver.requests)
    if not given_up:
        assert_in_order(receiver)


@pytest.mark.slow
def test_with_a_third_of_the_receivers_faulty_none_loses_or_doubles_anything(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "WHOLE_SECONDS", 0.5)
    chance = Random(7)
    ways: list[Manner | int] = [500, "hangs", "cuts", "takes_and_hangs_up"]
    _, nobodys = certified(tmp_path, "localhost")
    with ExitStack() as stack:
        sound = [stack.enter_context(receiving()) for _ in range(6)]
        faulty = [
            stack.enter_context(
                receiving(lambda *_: chance.choice(ways) if chance.random() < 0.7 else "takes")
            )
            for _ in range(2)
        ]
        untrusted = stack.enter_context(receiving(tls=nobodys))
        for each in [*sound, *faulty, untrusted]:
            added(company, each.url)
        policy = in_force(company)
        announced(company, [change(policy, f"C-{each % 10}", str(each)) for each in range(30)])
        delivered(company, 5)  # before anything is given up
        for each in faulty:
            each.treat = lambda *_: "takes"
        while any(
            each.state == "waiting" and "TLS" not in (each.error or "TLS")
            for each in deliveries(company)
        ):
            company.clock.now += AFTER_ALL
            delivered(company)

        for each in sound:
            assert len(each.taken) == len(each.requests) == 30
            assert_in_order(each)
        for each in faulty:
            assert len({taken.data["decision"] for taken in each.taken.values()}) == 30
        assert untrusted.requests == []


@pytest.mark.slow
def test_a_worker_killed_while_it_sends_loses_nothing(company: Company) -> None:
    company.clock.now = system_clock()
    config = company.merit.config
    with receiving() as receiver:
        new = added(company, receiver.url)
        policy = in_force(company)
        announced(company, [change(policy, f"C-{each % 40}", str(each)) for each in range(200)])
        environment = {
            **os.environ,
            "MERIT_DATABASE": config.database,
            "MERIT_SECRET_FILE": str(config.secret_file),
            "MERIT_HOOK_NETWORKS": "127.0.0.0/8",
        }
        for kill in range(1, 4):
            receiver.treat = stopping(receiver, 40 * kill)
            receiver.came.clear()
            command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
            with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=-3) as process:
                while len(receiver.taken) < 40 * kill:
                    assert receiver.came.wait(60), process.poll()
                    receiver.came.clear()
                process.send_signal(signal.SIGKILL)
        receiver.treat = lambda *_: "takes"
        company.clock.now = system_clock() + LEASE
        courier(company).work_off(Event())

    assert len(receiver.taken) == 200
    assert {each.state for each in deliveries(company)} == {"delivered"}
    assert all(is_signed(each, new.text) for each in receiver.requests)
    assert_in_order(receiver)


def stopping(receiver: Receiver, at: int) -> Any:
    """Take messages up to a number, and hang up afterwards."""
    return lambda *_: "takes" if len(receiver.taken) < at else "takes_and_hangs_up"


def working(company: Company, stop: Event) -> Thread:
    """Have a courier work in a thread until it is told to stop."""
    thread = Thread(target=courier(company).work, args=(stop,))
    thread.start()
    return thread


def test_a_courier_told_to_stop_settles_what_it_is_sending(
    company: Company, receiver: Receiver
) -> None:
    begun, go_on, stop = Event(), Event(), Event()

    def treat(*_: object) -> Manner:
        begun.set()
        go_on.wait(30)
        return "takes"

    receiver.treat = treat
    added(company, receiver.url)
    policy = in_force(company)
    announced(company, [change(policy, decision="1"), change(policy, decision="2")])
    thread = working(company, stop)
    assert begun.wait(30)

    stop.set()
    go_on.set()
    thread.join(30)

    assert [each.state for each in deliveries(company)] == ["delivered", "waiting"]


def test_a_database_that_fails_for_a_while_costs_no_message_and_sends_none_twice(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, failures, settled, stop = hooks.settle, iter(range(2)), Event(), Event()

    def failing(act: Act, done: Collection[hooks.Settled]) -> list[hooks.Outcome]:
        if done and next(failures, None) is not None:
            raise OperationalError("settle", None, OSError())
        if done:
            settled.set()
        return settle(act, done)

    monkeypatch.setattr(hooks, "settle", failing)
    added(company, receiver.url)
    announced(company, [change(in_force(company))])
    thread = working(company, stop)
    assert settled.wait(30)
    stop.set()
    thread.join(30)

    assert [each.state for each in deliveries(company)] == ["delivered"]
    assert len(receiver.requests) == 1


def test_a_message_that_fails_in_a_way_nobody_foresaw_is_tried_again_like_others(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise KeyError("C-17")

    added(company, receiver.url)
    announced(company, [change(in_force(company))])
    with monkeypatch.context() as patched:
        patched.setattr("app.services.courier.send", failing)
        delivered(company)

    assert deliveries(company)[0].error == "It cannot be sent: KeyError."
    delivered(company, 2)
    assert deliveries(company)[0].state == "delivered"


def test_attempts_are_counted_by_what_became_of_them(company: Company, receiver: Receiver) -> None:
    app = served(company)
    names = ("delivered", "failed")
    before = {each: counted(app, "merit_hook_attempts_total", outcome=each) for each in names}
    receiver.treat = lambda each, _: 500 if len(each.requests) == 1 else "takes"
    added(company, receiver.url)
    announced(company, [change(in_force(company))])

    delivered(company, 2)

    for each in names:
        now = counted(app, "merit_hook_attempts_total", outcome=each)
        assert now == before[each] + 1


def test_a_ping_is_signed_and_not_kept(company: Company, receiver: Receiver) -> None:
    new = added(company, receiver.url)

    with company.merit.acting(company.actor("anna")) as act:
        letter = hooks.ping(act, company.merit.secret, new.receiver)
    sending.send(letter, INSIDE, NOW)

    [received] = receiver.requests
    assert is_signed(received, new.text)
    assert loads(received.body) == {
        "type": "ping",
        "timestamp": "2026-07-01T12:00:00+00:00",
        "data": {},
    }
    assert number_of(company, HookMessage) == 0
