"""The courier: sends what web hooks have to tell, several receivers side by side.

Nothing is sent within a transaction.  One transaction takes messages and notes what became of
those before; between them, threads send.  A courier that dies is no loss: what it had taken is
sent again when the lease is over, under the same id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event

import structlog
from sqlalchemy.exc import OperationalError

from app.clock import Clock
from app.database import Database
from app.services import hooks
from app.services.authority import SYSTEM
from app.services.history import Act
from app.services.hooks import Due, Settled
from app.services.keys import Secret
from app.services.sending import Answer, Letter, Networks, NotSent, send
from app.telemetry import count_hook
from rules.messages import Message

LEASE = timedelta(minutes=2)
"""How long a courier may say nothing of a message before it is sent by another."""

THREADS, AT_ONCE = 16, 4
"""How many messages are sent at once, and how many of them to one receiver."""

_LOOK = 0.5
"""Seconds between looks for what has become due, while something is being sent."""

_GATHER = 0.02
"""Seconds for which one that is done waits for others to be settled in the same transaction."""

_IDLE = 1.0
"""Seconds between looks while nothing is."""

log = structlog.get_logger()


@dataclass
class Courier:
    """Sends what is due from one process; as many as you like may work side by side."""

    database: Database
    clock: Clock
    secret: Secret
    networks: Networks
    lease: timedelta = LEASE
    _sending: dict[Future[Answer | NotSent], Due] = field(default_factory=dict)
    _done: list[Settled] = field(default_factory=list)

    def work(self, stop: Event) -> None:
        """Send what is due and wait for more; what is being sent at the end is settled still."""
        with ThreadPoolExecutor(THREADS, "courier") as pool:
            while not stop.is_set():
                if not self._tried(pool):
                    stop.wait(_IDLE)
        self._gather(list(self._sending))
        self._tried(None)  # if the database is gone, what was sent is sent again later

    def work_off(self, stop: Event) -> None:
        """Send until nothing is due."""
        with ThreadPoolExecutor(THREADS, "courier") as pool:
            while self._turn(None if stop.is_set() else pool):
                pass

    def _tried(self, pool: ThreadPoolExecutor | None) -> bool:
        """Take a turn; if it fails, the courier goes on, and with it the messages of others."""
        try:
            return self._turn(pool)
        except OperationalError:
            log.error("database_unavailable")
        except Exception as error:
            log.error("courier_failed", exc_info=error)
        return False

    def _turn(self, pool: ThreadPoolExecutor | None) -> bool:
        """Settle what has been sent, take what is due and begin to send it.

        :param pool: where to send; None to begin nothing more.
        :return: whether there was anything to do.
        """
        wanted = self._due() if pool else []
        if not (wanted or self._done or self._sending):
            return False
        if wanted or self._done:
            for each in self._exchanged(wanted):
                assert pool is not None  # noqa: S101 - nothing is wanted without
                self._sending[pool.submit(self._send, each.letter)] = each
        if self._sending:
            wait(self._sending, _LOOK, FIRST_COMPLETED)
            self._gather(wait(self._sending, _GATHER).done)
        return True

    def _gather(self, ready: Iterable[Future[Answer | NotSent]]) -> None:
        self._done += [Settled(self._sending.pop(each), each.result()) for each in ready]

    def _exchanged(self, wanted: Collection[Due]) -> list[Due]:
        """Settle what has been sent and return what could be taken, in one transaction."""
        with self.database.writing() as session:
            act = Act(session, SYSTEM, self.clock())
            outcomes = hooks.settle(act, self._done)
            taken = hooks.claim(act, wanted, self.lease) if wanted else []
        self._done.clear()
        for outcome in outcomes:
            count_hook(outcome)
        return taken

    def _due(self) -> list[Due]:
        """Return what there is to send, and room for."""
        room = THREADS - len(self._sending)
        if not room:
            return []
        busy = Counter(each.receiver for each in self._sending.values())
        with self.database.reading() as session:
            found = hooks.due(session, self.secret, self.clock(), AT_ONCE, busy)
        return found[:room]

    def _send(self, letter: Letter | NotSent) -> Answer | NotSent:
        if isinstance(letter, NotSent):
            return letter
        try:
            return send(letter, self.networks, self.clock())
        except NotSent as error:
            return error
        except Exception as error:
            log.error("hook_failed", exc_info=error)
            return NotSent(Message("It cannot be sent: %(kind)s.", kind=type(error).__name__))
