"""How fast one key may ask one process: it guards the service, so each process counts its own."""

from __future__ import annotations

from datetime import datetime
from threading import Lock

from app.services.errors import TooMany

_MINUTE = 60


class Pace:
    """Counts requests by key in minutes of the clock."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._made: dict[str, int] = {}

    def require(self, key: str, most: int, now: datetime) -> None:
        """Count one more request.

        :raises TooMany: if it is one more than ``most`` in this minute.
        """
        seconds = now.timestamp()
        minute = int(seconds) // _MINUTE
        with self._lock:
            if minute != self._minute:
                self._minute, self._made = minute, {}
            self._made[key] = made = self._made.get(key, 0) + 1
        if made > most:
            raise TooMany(_MINUTE - int(seconds) % _MINUTE)
