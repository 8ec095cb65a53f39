"""How a command that works for long is named, and told to stop."""

from __future__ import annotations

import os
import signal
import socket
from threading import Event, Thread
from types import FrameType


def own_name() -> str:
    """Return the name under which this process takes jobs."""
    return f"{socket.gethostname()}:{os.getpid()}"[:100]


def stop_when_told() -> Event:
    """Return what is set once this process gets SIGTERM or SIGINT."""
    stop = Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        # in a thread of its own: the one interrupted may hold the very lock that setting takes
        Thread(target=stop.set).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    return stop
