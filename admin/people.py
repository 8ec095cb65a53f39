"""Accounts, roles and keys, for administrators; and everybody's own account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import redirect, request, url_for
from flask_login import current_user

from admin.problems import by_field
from admin.views import View, acting, page, reading, told
from app.merit import merit
from app.services import keys, people
from app.services.authority import ROLES, Permission, Role, Scope
from app.services.errors import Conflict, Invalid, NotAllowed
from app.services.history import Act
from app.services.installation import is_public
from rules.document import Problem
from rules.messages import N_, Message

_MANAGE = Permission.MANAGE_ACCOUNTS


class People(View):
    """Who has an account, and with which roles; which systems have a key."""

    label = N_("Accounts and keys")

    def __init__(self) -> None:
        super().__init__(endpoint="people", url="/people")

    @page("/", _MANAGE)
    def index(self, problems: Any = None, secret: tuple[Message, str] | None = None) -> Any:
        with reading() as session:
            shown = self.render(
                "people.html",
                people=people.people(session),
                keys=keys.keys(session),
                is_good=lambda key: keys.is_good(key, merit().clock()),
                roles=ROLES,
                scopes=[(each.value, each.value) for each in Scope],
                given=request.form,
                problems=problems,
                secret=secret,
                is_public=is_public(session),
            )
        return shown if problems is None else (shown, 422)

    @page("/add", _MANAGE, methods=("POST",), fresh=True)
    def add(self) -> Any:
        new = people.NewPerson(_given("email"), _given("name"))
        return self._secret(
            lambda act: people.add_person(act, new),
            Message("The account %(email)s is open. Its first password:", email=new.email),
        )

    @page("/password", _MANAGE, methods=("POST",), fresh=True)
    def password(self) -> Any:
        email = _given("email")
        return self._secret(
            lambda act: people.new_password(act, email),
            Message("The new password of %(email)s:", email=email),
        )

    @page("/ask", _MANAGE, methods=("POST",), fresh=True)
    def ask(self) -> Any:
        email, role = _given("email"), _role()
        try:
            with acting() as act:
                at_once = people.ask_role(act, email, role, _given("reason"))
        except (Invalid, Conflict, NotAllowed) as error:
            return self._wrong(error)
        if at_once:
            told(Message("%(email)s has the role from now on.", email=email))
        else:
            told(Message("Another administrator has to grant %(email)s the role.", email=email))
        return redirect(url_for("people.index"))

    @page("/grant", _MANAGE, methods=("POST",), fresh=True)
    def grant(self) -> Any:
        with acting() as act:
            people.grant_role(act, _given("email"), _role())
        told(Message("%(email)s has the role from now on.", email=_given("email")))
        return redirect(url_for("people.index"))

    @page("/end", _MANAGE, methods=("POST",), fresh=True)
    def end(self) -> Any:
        with acting() as act:
            people.end_role(act, _given("email"), _role())
        told(Message("%(email)s does not have the role any more.", email=_given("email")))
        return redirect(url_for("people.index"))

    @page("/keys/create", _MANAGE, methods=("POST",), fresh=True)
    def create_key(self) -> Any:
        scopes = [Scope(each) for each in request.form.getlist("scopes") if each in set(Scope)]
        try:
            lasts = timedelta(days=_whole("days", 1, keys.LONGEST.days))
        except Invalid as error:
            return self._wrong(error)
        terms = keys.Terms(_given("key_name"), scopes, lasts)
        return self._secret(
            lambda act: keys.create_key(act, merit().secret, terms).text,
            Message("The key %(name)s. It is shown only now:", name=terms.name),
        )

    @page("/keys/<key_id>/rotate", _MANAGE, methods=("POST",), fresh=True)
    def rotate_key(self, key_id: str) -> Any:
        return self._secret(
            lambda act: keys.rotate_key(act, merit().secret, key_id, timedelta(days=7)).text,
            Message("The successor of the key; the old one is good for 7 days more:"),
        )

    @page("/keys/<key_id>/revoke", _MANAGE, methods=("POST",), fresh=True)
    def revoke_key(self, key_id: str) -> Any:
        with acting() as act:
            keys.revoke_key(act, key_id)
        told(Message("The key is not good any more."))
        return redirect(url_for("people.index"))

    @page("/public-page", _MANAGE, methods=("POST",), fresh=True)
    def public_page(self) -> Any:
        shown = _given("shown") == "yes"
        with acting() as act:
            people.show_public_page(act, shown)
        if shown:
            told(Message("Everybody can read about the programme now."))
        else:
            told(Message("The public page is hidden."))
        return redirect(url_for("people.index"))

    def _secret(self, make: Callable[[Act], str], said: Message) -> Any:
        """Show once what is stored nowhere; a page that is loaded again does not show it."""
        try:
            with acting() as act:
                made = make(act)
        except (Invalid, Conflict, NotAllowed) as error:
            return self._wrong(error)
        return People.index(self, secret=(said, made))

    def _wrong(self, error: Invalid | Conflict | NotAllowed) -> Any:
        problems = error.problems if isinstance(error, Invalid) else (Problem("", error.message),)
        return People.index(self, problems=by_field(problems))


class Account(View):
    """One's own account: the password and the authenticator."""

    def __init__(self) -> None:
        super().__init__(endpoint="account", url="/account")

    @page("/")
    def index(self, problems: Any = None) -> Any:
        shown = self.render(
            "account.html",
            held=[ROLES[each] for each in Role if each in current_user.actor.roles],
            problems=problems,
        )
        return shown if problems is None else (shown, 422)

    @page("/password", methods=("POST",), fresh=True)
    def password(self) -> Any:
        wanted = request.form.get("new_password", "")
        if wanted != request.form.get("again"):
            message = Message("must be the same twice")
            return Account.index(self, problems=by_field((Problem("again", message),)))
        try:
            with acting() as act:
                people.choose_password(act, wanted)
        except Invalid as error:
            problems = tuple(Problem("new_password", each.message) for each in error.problems)
            return Account.index(self, problems=by_field(problems))
        return redirect(url_for("security.login"))


def _given(name: str) -> str:
    return request.form.get(name, "").strip()


def _role() -> Role:
    """:raises Invalid: if there is no such role."""
    try:
        return Role(_given("role"))
    except ValueError as error:
        raise Invalid([Problem("role", Message("must be one of the roles"))]) from error


def _whole(name: str, least: int, most: int) -> int:
    """:raises Invalid: if it is no whole number between the two."""
    text = _given(name)
    if text.isascii() and text.isdecimal() and least <= int(text[:9]) <= most:
        return int(text[:9])
    message = Message("must be a whole number from %(least)d to %(most)d", least=least, most=most)
    raise Invalid([Problem(name, message)])
