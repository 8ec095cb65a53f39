"""Clients of the demo company and two years of what happened with them, invented from a seed.

Volumes fall by rank as real ones do, the year has its seasons, some clients stop, some have just
come, many buy once.  The same seed, day and number give the same clients to the last cent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from app.services.activities import VOID, NewActivity
from app.services.clients import Contact, Stated
from rules.measure import Raw

ZONE = ZoneInfo("Europe/Kyiv")
DAYS = 730
"""How far back the demo goes."""

GOLD, NEARLY_GOLD, CANCELLED, JOINED = "L-1001", "L-1002", "L-1003", "L-1004"
"""Made by hand: solidly gold, 50 euros short of it, cancelled all, joined with the first."""

_FIRST_NUMBER = 1005
_SHARES = {
    "regular": 0.24,
    "growing": 0.09,
    "occasional": 0.28,
    "one_off": 0.18,
    "newcomer": 0.07,
    "lost": 0.14,
}
_SEASON = (0.6, 0.6, 0.8, 1.0, 1.2, 1.3, 1.2, 1.0, 1.0, 1.1, 1.5, 1.7)
"""How busy each month of the year is: terraces open in May, presents are bought in December."""

_LARGEST, _FALL = 34_000_000, 0.8
"""A year's volume of the largest client, in cents, and how fast it falls with the rank."""

_LINES = ("hotel", "restaurant", "cafe", "catering", "shop")
_PRODUCTS = ("tablecloths", "napkins", "aprons", "towels", "knives", "pots", "glasses", "crockery")
_CHANNELS = ("shop", "web", "phone", "visit")
_SUBJECTS = ("late_delivery", "wrong_colour", "torn_seam", "wrong_invoice")
_STYLES = ("seeks_relationship", "loyal_at_distance", "until_better_offer", "one_time")
_STYLE_WEIGHTS = {
    "regular": (5, 4, 2, 0),
    "growing": (6, 2, 2, 0),
    "occasional": (2, 4, 4, 1),
    "one_off": (1, 1, 3, 8),
    "newcomer": (3, 2, 3, 2),
    "lost": (1, 2, 7, 1),
}
_HOUSES = ("Hotel", "Bistro", "Café", "Inn", "Bakery", "Canteen", "Guest House", "Tea Room")
_COLOURS = ("Amber", "Blue", "Copper", "Green", "Ivory", "Quiet", "Red", "Silver", "White", "Windy")
_THINGS = ("Acorn", "Bridge", "Heron", "Lantern", "Mill", "Oven", "Poppy", "Quay", "Stork", "Well")
_GIVEN = ("Ada", "Bela", "Cyra", "Danko", "Elmo", "Fedra", "Gordo", "Hanka", "Ivo", "Jola", "Kalyn")
_FAMILY = ("Applewright", "Barleyson", "Cloudberry", "Dewfield", "Fernwick", "Hazelton", "Rainford")
_LEVELS = ("director", "head_of_department", "specialist")
_COUNTERPARTS = ("Iryna Lindenau", "Taras Loomis", "Mark Weaverly")
"""Who deals with each level: director to director, head to head, specialist to specialist."""


@dataclass(frozen=True, slots=True)
class Invented:
    """A client: what was stated about them, from which days on, and what happened."""

    reference: str
    stated: Sequence[tuple[date, Stated]]
    activities: Sequence[NewActivity]


def invent(seed: int, today: date, number: int) -> list[Invented]:
    """Return so many clients, as they would be known on the morning of a day."""
    random = Random(seed)  # noqa: S311 - a seed is meant to give the same again
    profiles = _profiles(random, number - len(_BY_HAND))
    busy = [place for place, each in enumerate(profiles) if each in ("regular", "growing")]
    ranks = {place: rank for rank, place in enumerate(random.sample(busy, len(busy)))}
    made = [each(today) for each in _BY_HAND]
    for place, profile in enumerate(profiles):
        rank = ranks.get(place, len(busy) * random.random()) + 0.5
        volume = round(_LARGEST * (rank * 700 / max(len(busy), 1)) ** -_FALL)
        made.append(_Client(random, today, profile, volume, _FIRST_NUMBER + place).invented())
    return made


def _profiles(random: Random, number: int) -> list[str]:
    found: list[str] = []
    for profile, share in _SHARES.items():
        found += [profile] * max(1, round(share * number))
    found = (found + ["regular"] * number)[:number]
    random.shuffle(found)
    return found


class _Client:
    """One client being invented."""

    def __init__(self, random: Random, today: date, profile: str, volume: int, number: int) -> None:
        self.random, self.today, self.profile, self.volume = random, today, profile, volume
        self.reference = f"L-{number}"
        self.is_person = random.random() < (0.5 if profile in ("one_off", "newcomer") else 0.2)
        self.happened = _Happened(self.reference)

    def invented(self) -> Invented:
        days = list(self._order_days())
        for day in days:
            self._sell(day, self._amount(len(days)))
        self._visit(days)
        happened = self.happened.before(self.today)
        joined = min(each.day for each in happened) - timedelta(days=self.random.randrange(30))
        return Invented(self.reference, list(self._statements(joined)), happened)

    def _order_days(self) -> Iterator[date]:
        """Yield the days of the client's orders."""
        random, years = self.random, DAYS / 365
        a_year = max(4, min(50, round(self.volume / random.randrange(20_000, 90_000))))
        match self.profile:
            case "regular":
                yield from self._spread(round(a_year * years), DAYS, 1)
                yield self._ago(random.randrange(1, 60))
            case "growing":
                yield from self._spread(a_year // 2, DAYS, 365)
                yield from self._spread(a_year, 365, 1)
                yield self._ago(random.randrange(1, 40))
            case "lost":
                yield from self._spread(random.randrange(4, 14), DAYS, random.randrange(190, 500))
            case "occasional":
                yield from self._spread(random.randrange(2, 4), DAYS, 1)
            case "one_off":
                yield self._ago(random.randrange(65, DAYS))
            case _:
                yield self._ago(random.randrange(1, 60))

    def _spread(self, number: int, earliest: int, latest: int) -> Iterator[date]:
        """Yield days between so many days ago and so many, more of them in busy months."""
        while number:
            day = self._ago(self.random.randrange(latest, earliest))
            if self.random.random() < _SEASON[day.month - 1] / max(_SEASON):
                number -= 1
                yield day

    def _ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def _amount(self, orders: int) -> int:
        """Return what an order comes to, in cents."""
        if self.profile in ("regular", "growing"):
            usual = self.volume * DAYS / 365 / orders
        else:
            usual = self.random.randrange(4_000, 30_000)
        return max(500, round(usual * self.random.lognormvariate(-0.08, 0.4)))

    def _sell(self, day: date, amount: int) -> None:
        random, happened = self.random, self.happened
        product = random.choice(_PRODUCTS)
        happened.add(
            "sale",
            day,
            amount=amount,
            quantity=1 + amount // 2_500,
            product=product,
            channel=random.choice(_CHANNELS),
        )
        if random.random() < 0.04:
            back = amount if random.random() < 0.3 else amount // random.randrange(2, 6)
            when = day + timedelta(days=random.randrange(1, 6))
            happened.add("cancellation", when, amount=-back, product=product)
        elif not self.is_person:
            happened.add("payment", day + timedelta(days=random.randrange(5, 31)), amount=amount)
        if random.random() < 0.03:
            when = day + timedelta(days=random.randrange(1, 10))
            happened.add("complaint", when, subject=random.choice(_SUBJECTS))
        if random.random() < 0.15:
            score = min(10, max(0, round(random.gauss(8.2, 1.8))))
            when = day + timedelta(days=random.randrange(3, 14))
            happened.add("survey", when, survey="nps", score=score)

    def _visit(self, days: Sequence[date]) -> None:
        """Have the client come by some time before every fourth order or so."""
        for day in days:
            if self.random.random() < 0.25:
                when = day - timedelta(days=self.random.randrange(1, 15))
                self.happened.add("visit", when, channel=self.random.choice(("shop", "showroom")))

    def _statements(self, joined: date) -> Iterator[tuple[date, Stated]]:
        random = self.random
        potential = max(50_000, _rounded(self.volume * random.uniform(1, 2.5)))
        if self.profile not in ("regular", "growing"):
            potential = random.randrange(5, 60) * 10_000
        attributes: dict[str, Raw] = {
            "kind": "person" if self.is_person else "organisation",
            "potential": potential,
            "relationship": random.choices(_STYLES, _STYLE_WEIGHTS[self.profile])[0],
        }
        if self.is_person:
            attributes["birthday"] = _birthday(random).isoformat()
        else:
            attributes["line"] = random.choice(_LINES)
        name = _person(random) if self.is_person else _house(random)
        contacts = () if self.is_person else tuple(_contacts(random))
        language = random.choice(("uk", "uk", "en"))
        yield joined, Stated(name, language, attributes, contacts)
        again = joined + timedelta(days=random.randrange(100, 400))
        if again < self.today and random.random() < 0.15:
            other = {**attributes, "potential": _rounded(potential * random.uniform(0.6, 1.6))}
            yield again, Stated(name, language, other, contacts)


class _Happened:
    """What happened with a client, each with a name of its own."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._activities: list[NewActivity] = []

    def add(  # noqa: PLR0913 - what an activity has
        self,
        kind: str,
        day: date,
        amount: int | None = None,
        *,
        quantity: int | None = None,
        product: str | None = None,
        channel: str | None = None,
        voids: str | None = None,
        **attributes: Raw,
    ) -> str:
        number = len(self._activities) + 1
        name = f"{self._client.removeprefix('L-')}-{number}"
        at = datetime.combine(day, time(9 + number % 9, number * 7 % 60), ZONE)
        self._activities.append(
            NewActivity(
                "crm" if kind in ("visit", "complaint", "survey") else "erp",
                name,
                self._client,
                kind,
                day,
                at,
                amount,
                quantity,
                product,
                channel,
                attributes,
                voids,
            )
        )
        return name

    def before(self, day: date) -> list[NewActivity]:
        """Return what happened before a day."""
        return [each for each in self._activities if each.day < day]


def _rounded(cents: float) -> int:
    """Return a guess in cents, as people make guesses: in hundreds of euros."""
    return round(cents / 10_000) * 10_000


def _house(random: Random) -> str:
    return f"{random.choice(_HOUSES)} {random.choice(_COLOURS)} {random.choice(_THINGS)}"


def _person(random: Random) -> str:
    return f"{random.choice(_GIVEN)} {random.choice(_FAMILY)}"


def _birthday(random: Random) -> date:
    return date(random.randrange(1955, 2004), 1, 1) + timedelta(days=random.randrange(365))


def _contacts(random: Random) -> Iterator[Contact]:
    """Yield one to three people at an organisation; the smallest has but a director."""
    for level, counterpart in list(zip(_LEVELS, _COUNTERPARTS, strict=True))[
        : random.choice((1, 1, 2, 3))
    ]:
        yield Contact(level, _person(random), level, _birthday(random), counterpart)


# -- by hand -----------------------------------------------------------------------------------


def _gold(today: date) -> Invented:
    return _even(today, GOLD, "Hotel Three Lindens", 10, 75_000)


def _nearly_gold(today: date) -> Invented:
    return _even(today, NEARLY_GOLD, "Restaurant The Spinning Wheel", 10, 49_500)


def _even(today: date, reference: str, name: str, orders: int, amount: int) -> Invented:
    """Return a client with even orders every 30 days, one of them entered twice and taken out."""
    happened = _Happened(reference)
    for each in range(orders):
        day = today - timedelta(days=10 + 30 * each)
        happened.add("sale", day, amount=amount, quantity=20, product="towels", channel="web")
        happened.add("payment", day + timedelta(days=9), amount=amount)
    day = today - timedelta(days=40)
    twice = happened.add("sale", day, amount=amount, quantity=20, product="towels", channel="web")
    happened.add(VOID, day, voids=twice)
    joined = today - timedelta(days=400)
    return _known(reference, name, joined, happened.before(today))


def _cancelled(today: date) -> Invented:
    """Return a client who bought more than nearly all others, and cancelled it on the same day."""
    happened = _Happened(CANCELLED)
    day = today - timedelta(days=45)
    happened.add("sale", day, amount=7_718_360, quantity=74_215, product="napkins", channel="web")
    happened.add("cancellation", day, amount=-7_718_360, product="napkins")
    return _known(CANCELLED, "Banquets Grand Horizon", day, happened.before(today))


def _joined(today: date) -> Invented:
    """Return a small client who has joined with a larger one."""
    happened = _Happened(JOINED)
    for each in range(4):
        day = today - timedelta(days=20 + 50 * each)
        happened.add("sale", day, amount=41_000, quantity=9, product="glasses", channel="shop")
    joined = today - timedelta(days=200)
    return _known(JOINED, "Café at Three Lindens", joined, happened.before(today), GOLD)


def _known(
    reference: str, name: str, joined: date, happened: list[NewActivity], other: str | None = None
) -> Invented:
    attributes: dict[str, Raw] = {
        "kind": "organisation",
        "line": "hotel",
        "potential": 1_000_000,
        "relationship": "seeks_relationship",
    }
    if other is not None:
        attributes["joined_with"] = other
    contacts = tuple(
        Contact(level, f"{given} Lindenholm", level, date(1980, month, 17), counterpart)
        for month, (level, given, counterpart) in enumerate(
            zip(_LEVELS, _GIVEN, _COUNTERPARTS, strict=False), 1
        )
    )
    return Invented(reference, [(joined, Stated(name, "en", attributes, contacts))], happened)


_BY_HAND = (_gold, _nearly_gold, _cancelled, _joined)
