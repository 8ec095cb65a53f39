"""Merit with its clock ahead of the time, or behind it: for processes that benches start."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta

from flask import Flask

from app import create_app
from app.clock import Clock, system_clock

_MORNING = time(6)


def seconds_to(day: date) -> float:
    """Return how far ahead a clock has to be for it to be the morning of a date now."""
    return (datetime.combine(day, _MORNING, UTC) - system_clock()).total_seconds()


def clock(seconds: float) -> Clock:
    """Return a clock that is so far ahead."""
    return lambda: system_clock() + timedelta(seconds=seconds)


def app(seconds: float) -> Flask:
    """Return the application with its clock so far ahead: ``flask --app "bench.ahead:app(60)"``."""
    return create_app(clock=clock(seconds))


def serve() -> Flask:
    """Return it for a server; ``AHEAD`` says how many seconds."""
    return app(float(os.environ["AHEAD"]))
