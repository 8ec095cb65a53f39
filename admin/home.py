"""The first page: what awaits whoever is signed in, and how things stand."""

from __future__ import annotations

from typing import Any

from flask_admin import AdminIndexView

from admin.language import words
from admin.links import link
from admin.pictures import Bar, Told, bars
from admin.views import View, actor, may, page, reading, today
from app.merit import merit
from app.services.agenda import awaiting, planned
from app.services.authority import Permission
from app.services.directory import Held, held
from app.services.policies import PolicyInForce
from app.services.rulebook import NoPolicy, PolicyUnusable
from rules.messages import N_, Message
from rules.programme import chapters, common
from rules.sentences import Named


class Home(View, AdminIndexView):
    label = N_("Home")

    def __init__(self) -> None:
        super().__init__(endpoint="home", url="/")

    @page("/")
    def index(self) -> str:
        rulebook = merit().rulebook
        with reading() as session:
            try:
                in_force, unusable = rulebook.in_force(session), None
            except (NoPolicy, PolicyUnusable) as error:
                in_force, unusable = None, error.message
            return self.render(
                "home.html",
                tasks=awaiting(session, rulebook, actor(), today()),
                planned=planned(session) if may(Permission.READ_POLICY) else (),
                held=_held(held(session), in_force) if may(Permission.READ_CLIENTS) else None,
                in_force=in_force,
                common=() if in_force is None else common(in_force.policy),
                chapters=[] if in_force is None else chapters(in_force.policy),
                unusable=unusable,
                link=link,
            )


def _held(counted: Held, in_force: PolicyInForce | None) -> dict[str, Any]:
    """Return who holds what, as a picture and a table of the same."""
    say = words().say
    names = {} if in_force is None else {each.key: each.name for each in in_force.policy.tiers}
    keys = [*reversed(names), *(each for each in counted.tiers if each not in names)]
    rows = [
        (each, say(Named(names[each])) if each in names else each, counted.tiers.get(each, 0))
        for each in keys
    ]
    everybody = sum(counted.tiers.values()) or 1
    shares = [(*row, Message("%(share)s %%", share=100 * row[2] // everybody)) for row in rows]
    told = Told(
        "holders",
        say(Message("How many clients are served by which tier")),
        say(Message("The table below says the same in numbers.")),
    )
    return {
        "counted": counted,
        "rows": shares,
        "picture": bars(told, [Bar(name, number, str(number)) for _, name, number in rows]),
    }
