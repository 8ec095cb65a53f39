"""The pages with which people write, review and follow the rules (Flask-Admin).

Each page says what permission it takes (:func:`admin.views.page`), asks the services of ``app``
for what it shows, and has them do what is done.  Nothing here writes a table.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, send_from_directory
from flask_admin import Admin
from flask_babel import Babel
from werkzeug.exceptions import NotFound

from admin.accounts import register_accounts
from admin.clients import Clients
from admin.editor.views import Editor
from admin.history import History
from admin.home import Home
from admin.language import locale, register_language
from admin.letters import Letters
from admin.measures import Measures
from admin.people import Account, People
from admin.problems import register_problems
from admin.public import public
from admin.records import Tables, records
from admin.safety import csp_nonce, register_safety
from admin.sessions import ServerSide
from admin.shell import register_shell
from admin.versions import Versions
from app.merit import Merit
from app.watching import watch

_HERE = Path(__file__).parent
_PACKAGES = _HERE.parent / "node_modules"
_VENDOR = {"htmx.min.js": _PACKAGES / "htmx.org" / "dist"}


def create_pages(found: Merit) -> Flask:
    """Put the pages together over what the API of the same process has, too."""
    pages = Flask("merit.pages", root_path=str(_HERE))
    found.install(pages)
    pages.config.update(
        SECRET_KEY=found.secret.derived("pages"),
        SEND_FILE_MAX_AGE_DEFAULT=3600,
        MAX_CONTENT_LENGTH=8 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=8 * 1024 * 1024,
        MAX_FORM_PARTS=20_000,
        SQLALCHEMY_DATABASE_URI="sqlite://",  # named because it must be; see Tables
    )
    watch(pages)
    pages.session_interface = ServerSide(found)
    pages.jinja_options = {"trim_blocks": True, "lstrip_blocks": True, "autoescape": True}
    Babel(pages, locale_selector=locale)
    register_language(pages)
    register_safety(pages)
    register_shell(pages)
    register_problems(pages)
    register_accounts(pages, found)
    pages.register_blueprint(public)
    pages.add_url_rule("/vendor/<name>", "vendor", _vendor)
    admin = Admin(
        pages,
        name="Merit",
        index_view=Home(),
        csp_nonce_generator=csp_nonce,
    )
    tables = Tables(found)
    tables.init_app(pages)
    for view in (*(each() for each in VIEWS), *records(tables)):
        admin.add_view(view)
    return pages


VIEWS = (Versions, Editor, Clients, Measures, Letters, History, People, Account)
"""In the order of the menu, after the home page."""


def _vendor(name: str) -> Response:
    if name not in _VENDOR:
        raise NotFound
    return send_from_directory(_VENDOR[name], name)
