"""Where one can look at what a sentence is about."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for

_PLACES = {
    "client": ("clients.client", "reference"),
    "notice": ("letters.letter", "number"),
    "notices": ("letters.index", None),
    "measure": ("measures.measure", "number"),
    "person": ("people.index", None),
    "policy": ("versions.version", "number"),
    "job": ("records_jobs.details_view", "id"),
}
"""By the kind of thing: the page, and what it calls the name by which it is found."""


def link(about: tuple[str, str] | None) -> str | None:
    """Return the address of the page of something, if there is one."""
    if about is None or about[0] not in _PLACES:
        return None
    endpoint, name = _PLACES[about[0]]
    if endpoint not in current_app.view_functions:
        return None
    values: dict[str, Any] = {} if name is None else {name: about[1]}
    return url_for(endpoint, **values)
