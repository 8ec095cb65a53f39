"""What a standing rests on, written so that it can be read again exactly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from cattrs import Converter

from rules.standing import Event, Measure, Standing

_converter = Converter(omit_if_default=True, forbid_extra_keys=True)
_converter.register_unstructure_hook(date, date.isoformat)
_converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))


def write_standing(standing: Standing) -> dict[str, Any]:
    """Write a standing as JSON has it; what is as it usually is, is left out."""
    found: dict[str, Any] = _converter.unstructure(standing)
    return found


def read_standing(written: Any) -> Standing:
    """Read what :func:`write_standing` wrote."""
    return _converter.structure(written, Standing)


def write_events(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Write events as JSON has them."""
    found: list[dict[str, Any]] = _converter.unstructure(list(events))
    return found


def read_events(written: Any) -> tuple[Event, ...]:
    """Read what :func:`write_events` wrote."""
    return _converter.structure(written, tuple[Event, ...])


def write_measures(measures: Sequence[Measure]) -> list[dict[str, Any]]:
    """Write what people decided beside the rules as JSON has it."""
    found: list[dict[str, Any]] = _converter.unstructure(list(measures))
    return found
