"""What all pages have in common: who may open them, and how they come to what they show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any, TypeVar, cast

from flask import Response, flash, redirect, request, session, url_for
from flask_admin import BaseView, expose
from flask_login import current_user
from flask_security.utils import (
    check_and_update_authn_fresh,
    naive_utcfromtimestamp,
    naive_utcnow,
)
from sqlalchemy.orm import Session
from werkzeug import Response as AnyResponse

from admin.language import words
from app.clock import business_date
from app.merit import merit
from app.services.authority import Actor, Permission
from app.services.history import Act
from rules.messages import Message

FRESH = timedelta(minutes=30)
"""How long ago a password may have been given for what matters most."""

_GRACE = timedelta(minutes=5)

_View = TypeVar("_View", bound=Callable[..., Any])


def page(
    url: str,
    *takes: Permission,
    methods: tuple[str, ...] = ("GET",),
    fresh: bool = False,
) -> Callable[[_View], _View]:
    """Put a method of a view under an address.

    :param takes: the permissions of which whoever opens it needs one; none for everybody with an
        account.
    :param fresh: whether the password must have been given lately.
    """

    def declare(view: _View) -> _View:
        view.takes, view.fresh = takes, fresh  # type: ignore[attr-defined]  # read in View
        return cast(_View, expose(url, methods)(view))

    return declare


class View(BaseView):
    """Pages about one thing, in the menu of whoever may open the first of them.

    ``label`` is the menu's text, marked for translation; None keeps the view out of the menu.
    ``takes`` are the permissions of which one is taken by pages that the library itself brings.
    """

    label: str | None = None
    takes: tuple[Permission, ...] = ()
    fresh = False

    def is_visible(self) -> bool:
        return self.label is not None

    def is_accessible(self) -> bool:
        return may(*self._taken(str(self._default_view)).takes)

    def _taken(self, name: str) -> Any:
        """Return what says what a page takes: the page itself, or else its view."""
        method = getattr(type(self), name)
        return method if hasattr(method, "takes") else self

    def render(self, template: str, **kwargs: Any) -> str:
        return str(super().render(template, **kwargs))

    def _handle_view(self, name: str, **kwargs: Any) -> Any:
        """Let only those in who may open this page."""
        view = self._taken(name)
        if not current_user.is_authenticated:
            return _to_sign_in()
        if view.takes:
            actor().require(*view.takes)
        if view.fresh and not check_and_update_authn_fresh(FRESH, _GRACE, "session"):
            return redirect(url_for("security.verify", next=request.full_path))
        return None

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return fn(self, *args, **kwargs)  # the library's own hides a TypeError of the view


def _to_sign_in() -> AnyResponse:
    where = url_for("security.login", next=request.full_path if request.method == "GET" else "/")
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": where})
    return redirect(where)


def actor() -> Actor:
    """Return who is signed in, with the roles they have at this moment."""
    return cast(Actor, current_user.actor)


def may(*permissions: Permission) -> bool:
    """Tell whether who is signed in has one of these permissions; if none is named, that they are.

    Templates use it to leave out what a reader cannot do; services refuse it anyway.
    """
    if not current_user.is_authenticated:
        return False
    return not permissions or actor().may(*permissions)


def stays_fresh(time: timedelta) -> bool:
    """Tell whether the password was given lately enough for what is sent within a time, too."""
    given = session.get("fs_paa")
    if given is None:
        return False
    return bool(naive_utcnow() - naive_utcfromtimestamp(given) < FRESH - time)


@contextmanager
def reading() -> Iterator[Session]:
    """Open a transaction that changes nothing."""
    with merit().database.reading() as session:
        yield session


@contextmanager
def acting() -> Iterator[Act]:
    """Open the transaction of one use case, carried out by who is signed in."""
    with merit().acting(actor()) as act:
        yield act


def today() -> date:
    """Return the business date."""
    found = merit()
    return business_date(found.clock, found.fixed.time_zone)


def told(message: Message) -> None:
    """Have the next page say that something was done."""
    flash(words().sentence(message))


def is_part() -> bool:
    """Tell whether htmx asks for a part of the page only."""
    return "HX-Request" in request.headers and "HX-Boosted" not in request.headers
