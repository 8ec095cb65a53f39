"""What stands around every page: the menu, the business date, whether it is a demo."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, current_app, request

from admin.views import may, today
from app.merit import merit


def register_shell(pages: Flask) -> None:
    """Give the templates what they need around a page."""
    pages.context_processor(_around)


def _around() -> dict[str, Any]:
    return {
        "menu": _menu,
        "today": today,
        "zone": lambda: merit().fixed.time_zone,
        "is_demo": lambda: merit().fixed.demo,
        "may": may,
        "field_id": field_id,
    }


def _menu() -> list[dict[str, Any]]:
    """Return the views that whoever is signed in may open."""
    [admin] = current_app.extensions["admin"]
    views = [item._view for item in admin.menu()]  # noqa: SLF001 - the item has no other way
    return [
        {
            "label": view.label,
            "url": view.get_url(f"{view.endpoint}.{view._default_view}"),  # noqa: SLF001 - as above
            "here": request.blueprint == view.endpoint,
        }
        for view in views
        if view.is_visible() and view.is_accessible()
    ]


def field_id(name: str) -> str:
    """Return the id of the field of this name."""
    return "f-" + re.sub(r"[^A-Za-z0-9]", "-", name)
