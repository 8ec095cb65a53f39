"""Signing in (Flask-Security-Too): passwords as the services keep them, and authenticators.

Of the library's pages only those here are served.  It finds people through :class:`_People`, which
asks the services; what it keeps between two pages is in the session.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, redirect, session, url_for
from flask_login import user_logged_in, user_logged_out
from flask_security import Security, UserMixin
from flask_security.datastore import UserDatastore
from flask_security.decorators import auth_required
from flask_security.forms import (
    LoginForm,
    TwoFactorRescueForm,
    TwoFactorSetupForm,
    TwoFactorVerifyCodeForm,
    VerifyForm,
)
from flask_security.totp import Totp
from flask_security.utils import logout_user
from flask_security.views import (
    login,
    two_factor_setup,
    two_factor_setup_validate,
    two_factor_token_validation,
    verify,
)
from passlib.totp import TokenError
from werkzeug import Response as AnyResponse
from wtforms import Field, RadioField, StringField

from admin.language import words
from admin.sessions import belongs_to
from admin.views import FRESH
from app.merit import Merit, merit
from app.models import Person
from app.services import people
from app.services.authority import Actor, Role
from app.services.errors import NotAllowed, TooMany
from app.services.limits import count_failure, forget_failures, require_few
from rules.messages import Message

_STRICT = frozenset({Role.APPROVER, Role.ADMINISTRATOR})
"""Roles whose people sign in with an authenticator, too."""


class Account(UserMixin):
    """Somebody with an account, as Flask-Security and the pages see them.

    Immutable: whatever changes a person is a use case of its own.
    """

    fs_uniquifier: str = ""
    tf_totp_secret: str | None = None
    tf_primary_method: str | None = None

    def __init__(self, person: Person, found: Actor) -> None:
        self.id = person.id
        self.email = person.email
        self.name = person.name
        self.password = person.password_hash
        self.active = person.active
        self.fs_uniquifier = person.subject
        self.tf_totp_secret = person.totp_secret
        self.tf_primary_method = "authenticator" if person.totp_secret else None
        self.actor = found
        self.roles: list[Any] = []  # the library's; ours are the actor's

    def check_tf_required_setup(self) -> bool:
        return not merit().fixed.demo and not self.actor.roles.isdisjoint(_STRICT)

    def check_tf_required(
        self, tf_setup_methods: list[tuple[str, str]], tf_fresh: bool
    ) -> tuple[bool, list[tuple[str, str]]]:
        return bool(tf_setup_methods) or self.check_tf_required_setup(), tf_setup_methods

    def verify_and_update_password(self, password: str) -> bool:
        try:
            found = people.sign_in(merit().database, self.email, password, merit().clock())
        except NotAllowed:
            return False
        return found.person_id == self.id


class _People(UserDatastore):
    """Finds people for the library, and keeps their authenticators for it."""

    def __init__(self) -> None:
        super().__init__(Account, object)  # type: ignore[arg-type]  # it is never given a role

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> Account | None:
        with merit().database.reading() as reading:
            person = people.person_with(reading, kwargs.get("fs_uniquifier"), kwargs.get("email"))
            return None if person is None else Account(person, people.actor_for(reading, person))

    def tf_set(
        self,
        user: UserMixin,
        primary_method: str,
        totp_secret: str | None = None,
        phone: str | None = None,
    ) -> None:
        with merit().acting(user.actor) as act:  # type: ignore[attr-defined]  # an account
            people.use_authenticator(act, totp_secret)

    def tf_reset(self, user: UserMixin) -> None:
        self.tf_set(user, "", None)

    def put(self, model: Any) -> Any:
        return model  # nothing that the library would change is kept

    def commit(self) -> None:
        """Nothing waits to be committed: each of the above is a transaction."""


class _Codes(Totp):
    """An authenticator's codes, each of which serves once."""

    def verify_totp(self, token: str, totp_secret: str, user: Any, window: int = 0) -> bool:
        found, place = merit(), f"authenticator:{user.fs_uniquifier}"
        with found.database.reading() as reading:
            require_few(reading, place, found.clock())
        try:
            match = self._totp.verify(token, totp_secret, window=window, time=found.clock())
        except TokenError:
            match = None
        with found.database.writing() as writing:
            if match is not None and people.note_code(writing, user.id, match.counter):
                forget_failures(writing, place)
                return True
            count_failure(writing, place, found.clock())
        return False


class _SignIn(LoginForm):
    def validate(self, **kwargs: Any) -> bool:
        email, password = self.email.data or "", self.password.data or ""
        try:
            found = people.sign_in(merit().database, email, password, merit().clock())
        except (NotAllowed, TooMany) as error:
            _say_at(self.password, error.message)
            return False
        self.user = _find(found)
        return self.user is not None


class _Confirm(VerifyForm):
    def validate(self, **kwargs: Any) -> bool:
        try:
            if self.user.verify_and_update_password(self.password.data or ""):
                return True
            message = Message("This is not your password.")
        except TooMany as error:
            message = error.message
        _say_at(self.password, message)
        return False


class _SetUp(TwoFactorSetupForm):
    setup = StringField()  # the library's own offers ways that are not served here


class _Rescue(TwoFactorRescueForm):
    help_setup = RadioField(choices=[])  # only an administrator helps


class _Code(TwoFactorVerifyCodeForm):
    def validate(self, **kwargs: Any) -> bool:
        try:
            if super().validate(**kwargs):
                return True
            message = Message("This is not the code shown now, or it was used already.")
        except TooMany as error:
            message = error.message
        _say_at(self.code, message)
        return False


def _say_at(field: Field, message: Message) -> None:
    field.errors = [words().sentence(message)]


def _find(found: Actor) -> Account | None:
    with merit().database.reading() as reading:
        person = people.person_with(reading, found.name.removeprefix("person:"), None)
        return None if person is None else Account(person, found)


def register_accounts(pages: Flask, found: Merit) -> None:
    """Let people sign in and out, and set up an authenticator."""
    pages.config.update(
        SECURITY_PASSWORD_SALT=found.secret.derived("password salt").hex(),
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - a scheme
        SECURITY_PASSWORD_SINGLE_HASH=True,
        SECURITY_TOTP_SECRETS={"1": found.secret.derived("authenticators").hex()},
        SECURITY_TOTP_ISSUER="Merit",
        SECURITY_TWO_FACTOR=True,
        SECURITY_TWO_FACTOR_ENABLED_METHODS=["authenticator"],
        SECURITY_TWO_FACTOR_ALWAYS_VALIDATE=True,
        SECURITY_TWO_FACTOR_POST_SETUP_VIEW="/account/",
        SECURITY_TWO_FACTOR_ERROR_VIEW="/sign-in",
        SECURITY_API_ENABLED_METHODS=["session"],
        SECURITY_FRESHNESS=FRESH,
        SECURITY_FLASH_MESSAGES=False,
        SECURITY_RETURN_GENERIC_RESPONSES=False,
        SECURITY_POST_LOGIN_VIEW="/",
        SECURITY_POST_VERIFY_VIEW="/",
        SECURITY_UNAUTHORIZED_VIEW=None,
        SECURITY_REDIRECT_VALIDATE_MODE=["absolute", "regex"],
        WTF_CSRF_CHECK_DEFAULT=True,
    )
    security = Security(
        pages,
        _People(),
        register_blueprint=False,
        login_form=_SignIn,
        verify_form=_Confirm,
        two_factor_verify_code_form=_Code,
        two_factor_setup_form=_SetUp,
        two_factor_rescue_form=_Rescue,
        totp_cls=_Codes,
    )
    security.login_manager.request_loader(lambda _: None)  # nobody comes in by a token
    security.want_json(lambda _: False)
    pages.register_blueprint(_blueprint())
    user_logged_in.connect(_signed_in, pages)
    user_logged_out.connect(_signed_out, pages)


def _blueprint() -> Blueprint:
    served = Blueprint("security", __name__, template_folder="templates")
    for url, name, view in (
        ("/sign-in", "login", login),
        ("/confirm", "verify", verify),
        ("/authenticator", "two_factor_setup", two_factor_setup),
        ("/authenticator/<token>", "two_factor_setup_validate", two_factor_setup_validate),
        ("/sign-in/code", "two_factor_token_validation", two_factor_token_validation),
    ):
        served.add_url_rule(url, name, view, methods=["GET", "POST"])
    served.add_url_rule("/sign-out", "logout", _sign_out, methods=["POST"])
    served.add_url_rule("/sign-in/help", "two_factor_rescue", _help)
    return served


@auth_required("session")
def _sign_out() -> AnyResponse | Response:
    logout_user()
    belongs_to(session, None)
    return redirect(url_for("security.login"))


def _help() -> AnyResponse:
    """Lead to where it says who helps; the library names this address."""
    return redirect(url_for("security.two_factor_token_validation"))


def _signed_in(_: Flask, user: Account, **__: Any) -> None:
    belongs_to(session, user.id)


def _signed_out(_: Flask, **__: Any) -> None:
    belongs_to(session, None)
