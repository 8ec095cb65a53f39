"""Somebody who opens pages: a browser without scripts, that takes part in everything else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from types import MappingProxyType

from flask.testing import FlaskClient
from passlib.totp import TOTP
from werkzeug.test import TestResponse

from tests.app.company import Company, email

_NONE: Mapping[str, object] = MappingProxyType({})
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(slots=True)
class Visitor:
    """One browser, at the pages of one company."""

    browser: FlaskClient
    company: Company
    token: str = ""
    seen: TestResponse | None = field(default=None, repr=False)

    def get(self, url: str, **headers: str) -> TestResponse:
        """Open a page, without following where it leads."""
        return self._note(self.browser.get(url, headers=headers))

    def post(
        self,
        url: str,
        fields: Mapping[str, object] = _NONE,
        /,
        *,
        part: bool = False,
        **more: object,
    ) -> TestResponse:
        """Send a form, with the token that the last page gave; as htmx does if of a ``part``."""
        data: dict[str, object] = {"csrf_token": self.token, **fields, **more}
        headers = {"HX-Request": "true"} if part else {}
        return self._note(self.browser.post(url, data=data, headers=headers))

    def sign_in(self, name: str) -> Visitor:
        """Sign one of the company's cast in by the password."""
        self.get("/sign-in")
        answer = self.post("/sign-in", email=email(name), password=self.company.passwords[name])
        assert answer.status_code == 302, answer.text
        self.get("/account/")
        return self

    def _note(self, response: TestResponse) -> TestResponse:
        if response.mimetype == "text/html" and (found := _TOKEN.search(response.text)):
            self.token = unescape(found[1])
        self.seen = response
        return response


def code(company: Company, key: str) -> str:
    """Return what an authenticator with a key shows at this moment."""
    return str(TOTP(key=key).generate(company.clock()).token)
