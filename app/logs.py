"""Structured logs: one JSON object a line on standard error, never a client's name or number."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import Any

import structlog
from structlog.typing import ExcInfo, Processor

_TELL_NOBODYS_DATA = frozenset({"OperationalError", "DatabaseUnsuitable"})
"""Exceptions whose own words are of the machine, never of a client."""

_explained = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)


def configure_logs() -> None:
    """Set up structlog for this process, and have libraries log likewise what they warn of."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *_COMMON,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


def formatter() -> logging.Formatter:
    """Return what writes the lines of libraries; granian.json names it for the server's."""
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        foreign_pre_chain=_COMMON,
    )


def _without_words(exc_info: ExcInfo) -> list[dict[str, Any]]:
    """Return what was raised and where; not its words, which may quote what clients sent."""
    return list(_silenced(_explained(exc_info)))


def _silenced(found: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for each in found:
        if each["exc_type"] not in _TELL_NOBODYS_DATA:
            each.pop("exc_value")
        each.pop("exc_notes", None)
        each["exceptions"] = [list(_silenced(group)) for group in each.get("exceptions", ())]
        yield each


_COMMON: list[Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.ExceptionRenderer(_without_words),
]
