"""A client who rises, falls and mends over some dates, and what changes with that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import select

from app.models import Client, Decision
from app.services.authority import Actor
from app.services.changes import Change
from app.services.clients import Contact, Stated, put_client
from app.services.history import Act, random_id
from app.services.letters import Addressee, Letter, letters_of
from app.services.notices import issue
from app.services.policies import PolicyInForce
from app.services.rehearsal import change, read_sequence, rehearse
from rules.document.strict_json import dumps, loads
from tests.app.asking import EXAMPLE, prepared
from tests.app.company import Company
from tests.rules.builders import Document, condition, metric, names, option, policy_document, tier

NIGHT = Actor("system")

LIFE = {
    "2026-01-01": 20,
    "2026-01-02": 50,
    "2026-03-01": 10,
    "2026-03-31": 10,
    "2026-04-10": 45,
    "2026-05-01": 10,
    "2026-05-31": 10,
    "2026-06-30": 10,
}
"""What a client spends: Silver, then Gold, to be lost, reduced, kept after all, in the end lost."""

WAY: Document = {
    **option("way"),
    "steps": [
        {"kind": "notice"},
        {"kind": "withdraw", "days": 30, "benefits": ["queue"]},
        {"kind": "demote", "days": 30, "to": "entitled"},
    ],
}


def with_letters(*letters: Document, way: Document = WAY, **parts: Any) -> Document:
    """Return a policy with a ladder, on which Gold is lost by a way of three steps."""
    tiers = [
        tier("silver", entry=condition("spend", "at_least", 20)),
        tier(
            "gold",
            entry=condition("spend", "at_least", 50),
            keep=condition("spend", "at_least", 40),
            benefits=[option("queue"), option("manager")],
            demotion="way",
        ),
    ]
    return policy_document(
        [metric("spend", "count")], tiers, demotion_policies=[way], letters=list(letters), **parts
    )


def letter(key: str, body: str = "Dear $client,", **parts: Any) -> Document:
    return {"key": key, "subject": names(f"{key}: $tier"), "body": names(body), **parts}


@cache
def _ready(document: str) -> PolicyInForce:
    return prepared(loads(document))  # type: ignore[arg-type]  # an object


def changes(
    document: Document,
    life: Mapping[str, int | None] = LIFE,
    language: str | None = None,
    **parts: Any,
) -> list[Change]:
    """Return what each date of a life changed, about a client who is in no database."""
    ready = _ready(dumps(document))
    steps = [{"date": day, "facts": {"spend": spend}} for day, spend in life.items()]
    sequence = read_sequence(ready.policy, {"steps": steps, **parts})
    return [change(ready, each, language) for each in rehearse(ready, sequence)]


def written(
    document: Document,
    to: Addressee = Addressee(),  # noqa: B008 - never changed
    life: Mapping[str, int | None] = LIFE,
    language: str | None = None,
    **parts: Any,
) -> dict[str, Letter]:
    """Return the letters of a life, by the day and what they are about."""
    return {
        f"{each.day} {one.event}": one
        for each in changes(document, life, language, **parts)
        for one in letters_of(each, to)
    }


def stored(act: Act, reference: str, changed: Sequence[Change]) -> list[Change]:
    """Return what changed about a client there is, after storing the decisions of it."""
    client = act.session.execute(select(Client).where(Client.reference == reference)).scalar_one()
    found = [
        replace(
            each,
            client_id=client.id,
            reference=reference,
            subject=client.subject,
            decision=random_id(),
        )
        for each in changed
    ]
    act.session.add_all(
        Decision(
            id=each.decision,
            client_id=client.id,
            day=each.day,
            at=act.at,
            policy_version=1,
            held=each.standing.tier,
            tier=each.standing.tier,
        )
        for each in found
    )
    act.session.flush()
    return found


def put(company: Company, reference: str, name: str | None = None, *contacts: Contact) -> None:
    with company.merit.acting(NIGHT) as act:
        put_client(act, reference, Stated(name, contacts=contacts), date(2026, 7, 1))


def issued(company: Company, reference: str = "C-17", **parts: Any) -> int:
    """Issue the letters of a life to a client there is."""
    with company.merit.acting(NIGHT) as act:
        return issue(act, stored(act, reference, changes(with_letters(), **parts)))


WHOLESALE: Document = loads(EXAMPLE.read_bytes())  # type: ignore[assignment]  # an object
