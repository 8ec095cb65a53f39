"""Letters to clients: those that wait, each as the client reads it, and that it was sent."""

from __future__ import annotations

from typing import Any, cast

from flask import redirect, url_for

from admin.given import NUMBER, asked, asked_number, chosen, known_reference, written
from admin.measures import confirmed
from admin.problems import by_field
from admin.views import View, acting, page, reading, told
from app.services import notices
from app.services.authority import Permission
from app.services.errors import NotActionable, NotThere
from app.services.naming import CHANNELS, LETTERS
from app.services.notices import Channel
from rules.document import Problem
from rules.messages import N_, Message
from rules.standing import EventKind

_AT_ONCE = 50


class Letters(View):
    label = N_("Letters")

    def __init__(self) -> None:
        super().__init__(endpoint="letters", url="/letters")

    @page("/", Permission.READ_CLIENTS)
    def index(self) -> Any:
        client, event = asked("client") or None, chosen("event", LETTERS)
        problems: tuple[Problem, ...] = ()
        found: list[notices.Listed] = []
        try:
            if client is not None:
                known_reference(client)
            with reading() as session:
                found = notices.waiting(
                    session, client, cast(EventKind, event), asked_number("after"), _AT_ONCE + 1
                )
        except NotThere as error:
            problems = (Problem("client", error.message),)
        shown = found[:_AT_ONCE]
        after = shown[-1].notice.id if len(found) > _AT_ONCE else None
        kept = {name: text for name in ("client", "event") if (text := asked(name))}
        listed = self.render(
            "letters/waiting.html",
            problems=by_field(problems),
            found=shown,
            events=LETTERS,
            client=client or "",
            event=event or "",
            further=None if after is None else url_for("letters.index", **kept, after=after),  # type: ignore[arg-type]  # texts
        )
        return (listed, 422) if problems else listed

    @page(f"/{NUMBER}", Permission.READ_CLIENTS)
    def letter(self, number: int) -> str:
        return self._shown(number)

    @page(f"/{NUMBER}/sent", Permission.SEND_NOTICES, methods=("POST",))
    def sent(self, number: int) -> Any:
        """Note how a letter went: first to be checked, for it cannot be taken back."""
        if written("channel") not in CHANNELS:
            problem = Problem("channel", Message("choose how it was sent"))
            return self._shown(number, (problem,)), 422
        channel = Channel(written("channel"))
        if not confirmed():
            with reading() as session:
                found = notices.notice_named(session, number)
            return self.render("letters/check.html", found=found, channel=channel, said=CHANNELS)
        try:
            with acting() as act:
                notices.mark_sent(act, number, channel)
        except NotActionable as error:
            return self._shown(number, (Problem("", error.message),)), 409
        told(Message("The letter is marked as sent."))
        return redirect(url_for("letters.index"))

    def _shown(self, number: int, problems: tuple[Problem, ...] = ()) -> str:
        with reading() as session:
            found = notices.notice_named(session, number)
        return self.render(
            "letters/letter.html",
            found=found,
            channels=CHANNELS,
            events=LETTERS,
            problems=by_field(problems),
        )
