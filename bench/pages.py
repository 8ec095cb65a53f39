"""What each page takes on the demo company: run as ``python -m bench.pages [--clients N]``.

Somebody of each role signs in, opens every page that links lead to, and each of these again
``ROUNDS`` times, one after the other, over the server as ``make run`` starts it.  Beside them
stands the plainest page there is, the one to sign in on.  Exits 1 where a page's 95th percentile is
not below the aim.
"""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import urlencode

from app.cli.installation import migrate
from app.clock import system_clock
from app.config import Config
from app.merit import Merit
from app.services.authority import Role
from app.services.demo.filling import SEED, Filling
from bench.http import serving
from bench.policy import machine

AIM = 0.2
"""Seconds."""

ROUNDS, OF_EACH = 25, 2
_LINK = re.compile(r'href="(/[^"#]*)"')
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_APART = re.compile(r"/static/|/vendor/|/api/|/export|language=")
_NAMED = re.compile(r"/(?:[A-Z]+-?\d+|\d[\w.-]*|[0-9a-f]{16,})(?=/|$|\?)")


class Visitor:
    """Somebody at the pages, over one connection."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookie = ""

    def ask(self, method: str, url: str, **fields: str) -> tuple[int, str]:
        """Return the status and the body of an answer; cookies are kept."""
        headers = {"Cookie": self._cookie}
        if fields:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, url, urlencode(fields), headers)
        answer = self._connection.getresponse()
        body = answer.read().decode(errors="replace")
        if (given := answer.getheader("Set-Cookie")) and given.startswith("__Host-"):
            self._cookie = given.partition(";")[0]
        return answer.status, body

    def sign_in(self, email: str, password: str) -> None:
        _, page = self.ask("GET", "/sign-in")
        [token] = _TOKEN.findall(page)
        status, _ = self.ask("POST", "/sign-in", csrf_token=token, email=email, password=password)
        assert status == 302, status


def shape(url: str) -> str:
    """Return an address without what names one of many."""
    return _NAMED.sub("/…", url).partition("?")[0]


def pages(visitor: Visitor) -> Iterator[str]:
    """Yield the addresses of the pages that links lead to, some of each shape."""
    waiting, known, seen = ["/"], {"/"}, Counter[str]()
    while waiting:
        url = waiting.pop(0)
        seen[shape(url)] += 1
        if seen[shape(url)] > OF_EACH:
            continue
        status, body = visitor.ask("GET", url)
        if status != 200:
            continue
        yield url
        for link in map(unescape, _LINK.findall(body)):
            if link not in known and not _APART.search(link):
                known.add(link)
                waiting.append(link)


def timed(visitor: Visitor, url: str) -> list[float]:
    """Return the seconds of each round."""
    found = []
    for _ in range(ROUNDS):
        began = perf_counter()
        status, _ = visitor.ask("GET", url)
        found.append(perf_counter() - began)
        assert status == 200, (url, status)
    return found


def main() -> int:
    """Measure and print."""
    parser = ArgumentParser(prog="python -m bench.pages")
    parser.add_argument("--clients", type=int, default=2000)
    number = parser.parse_args().clients
    print(machine("granian", "Flask", "Flask-Admin"), "\n", flush=True)
    with TemporaryDirectory() as name:
        folder = Path(name)
        config = Config(f"sqlite:///{folder / 'merit.db'}", None, folder / "secret")
        found = Merit(config, system_clock)
        found.secret.ensure()
        migrate(found)
        made = Filling(found, SEED, number).fill(lambda _: None)
        found.database.close()
        settings = {"MERIT_DATABASE": config.database, "MERIT_SECRET_FILE": str(folder / "secret")}
        accounts = {each.role: each for each in reversed(made.accounts)}
        took: dict[str, list[float]] = {}
        with serving("wsgi:serve", **settings) as port:
            took["/sign-in"] = timed(Visitor(port), "/sign-in")
            for role in Role:
                visitor = Visitor(port)
                visitor.sign_in(accounts[role].email, accounts[role].password)
                for url in list(pages(visitor)):
                    took.setdefault(shape(url), []).extend(timed(visitor, url))
    return table(number, took)


def table(number: int, took: dict[str, list[float]]) -> int:
    """Print what each page took, the slowest first."""
    plain = median(took["/sign-in"])
    print(f"{number:,} clients; {ROUNDS} rounds of each page for each role that may open it.\n")
    print("| Page | p50, ms | p95, ms | To signing in |\n| --- | ---: | ---: | ---: |")
    slow = []
    for url, seconds in sorted(took.items(), key=lambda each: -median(each[1])):
        late = quantiles(seconds, n=20)[-1]
        half = median(seconds)
        print(f"| {url} | {1000 * half:.1f} | {1000 * late:.1f} | {half / plain:.1f} |")
        if late >= AIM:
            slow.append(url)
    print(f"\nAim: p95 below {1000 * AIM:g} ms on every page.", *slow, sep="\n")
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
