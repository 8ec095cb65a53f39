"""The metrics of a client counted naively, by looking at every activity and every day.

Written from the documents, not from :mod:`rules.measure`, which it is there to check: numbers
are in the unit a metric is written in, nothing is kept, and windows are asked day by day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from rules.measure import Activity, Client
from tests.rules.builders import Document

Inside = Callable[[date], bool]
"""Whether a window takes in a day."""

DAY = timedelta(days=1)


class Naive:
    """The metrics of a document for one client on a business date; None is missing."""

    def __init__(
        self,
        metrics: Sequence[Document],
        client: Client,
        today: date,
        since: Mapping[str, date] | None = None,
    ) -> None:
        self.metrics = {each["key"]: each for each in metrics}
        self.client, self.today = client, today
        self.since = since or {}

    def value(self, key: str) -> Any:
        source = self.metrics[key]["source"]
        match source["kind"]:
            case "activities" | "attribute_history" if source["window"]["kind"] == "since":
                first = self.since.get(source["window"]["event"], self.today)
                return self._over(key, lambda day: first <= day <= self.today, self.today)
            case "activities" | "attribute_history":
                return self._over(key, inside(source["window"], self.today), self.today)
            case "group":
                return self._of_all(source["metric"])
            case "ratio":
                return self._ratio(source, 100 if "unit" in self.metrics[key] else 1)
            case "weighted_sum":
                terms = [(self._number(each["metric"]), each["weight"]) for each in source["terms"]]
                if any(number is None for number, _ in terms):
                    return None
                return sum(number * Fraction(weight) for number, weight in terms)
            case "days_since":
                since = self.value(source["metric"])
                return None if since is None else (self.today - since).days
            case "change":
                return self._change(source)
            case _:
                then = self._earlier(source["metric"], whole=True)
                if then is None:
                    return None
                return min(source["cap"], max(0, then - source["above"]))

    def _of_all(self, key: str) -> Any:
        others = self.client.group.others if self.client.group else ()
        everybody = [Naive([*self.metrics.values()], each, self.today) for each in others]
        numbers = [each._number(key) for each in (self, *everybody)]
        return None if None in numbers else sum(numbers)

    def _ratio(self, source: Document, times: int) -> Any:
        over, under = self._number(source["numerator"]), self._number(source["denominator"])
        return None if over is None or not under else over / under * times

    def _change(self, source: Document) -> Any:
        now, then = self._number(source["metric"]), self._earlier(source["metric"], whole=False)
        if now is None or then is None:
            return None
        if source["measured"] == "difference":
            return now - then
        return (now - then) / abs(then) * 100 if then else None

    def _over(self, key: str, within: Inside, as_of: date) -> Any:
        source = self.metrics[key]["source"]
        if source["kind"] == "attribute_history":
            return balance(source, self.client, within, as_of)
        return aggregated(source, self.client, within, as_of)

    def _number(self, key: str) -> Any:
        return self._or_zero(key, self.value(key))

    def _earlier(self, key: str, *, whole: bool) -> Any:
        within = before(self.metrics[key]["source"]["window"], self.today, whole=whole)
        as_of = self.today
        while not within(as_of):
            as_of -= DAY
        return self._or_zero(key, self._over(key, within, as_of))

    def _or_zero(self, key: str, value: Any) -> Any:
        if value is None:
            return Fraction(0) if self.metrics[key]["missing"] == "zero" else None
        return Fraction(value)


# -- windows -----------------------------------------------------------------------------------


def inside(window: Document, today: date) -> Inside:
    """Return whether a window takes in a day."""
    match window:
        case {"kind": "rolling", "n": n}:
            return lambda day: 0 <= (today - day).days < n
        case {"kind": "this", "unit": unit}:
            return lambda day: day <= today and period(unit, day) == period(unit, today)
        case {"kind": "previous", "unit": unit, "n": n}:
            return lambda day: 1 <= period(unit, today) - period(unit, day) <= n
        case {"kind": "between", "from": first, "to": last}:
            return lambda day: first <= day.isoformat() <= last and day <= today
        case _:
            return lambda day: day <= today


def before(window: Document, today: date, *, whole: bool) -> Inside:
    """Return whether the window before takes in a day: of a running one the same part, or all."""
    match window:
        case {"kind": "rolling", "n": n}:
            return lambda day: n <= (today - day).days < 2 * n
        case {"kind": "previous", "unit": unit, "n": n}:
            return lambda day: n < period(unit, today) - period(unit, day) <= 2 * n
    unit = window["unit"]
    if whole or period(unit, today + DAY) != period(unit, today):
        return lambda day: period(unit, today) - period(unit, day) == 1
    cut = same_point_before(today + DAY, LENGTHS[unit])
    return lambda day: period(unit, today) - period(unit, day) == 1 and day < cut


LENGTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


def period(unit: str, day: date) -> int:
    """Number the periods of a unit."""
    return months(day) // LENGTHS[unit]


def months(day: date) -> int:
    return 12 * day.year + day.month - 1


def same_point_before(day: date, back: int) -> date:
    """Walk back to the same day of an earlier month, or to its last if it is shorter."""
    walked = day
    while months(day) - months(walked) < back or walked.day > day.day:
        walked -= DAY
    return walked


# -- what happened and what stood --------------------------------------------------------------


def aggregated(source: Document, client: Client, within: Inside, as_of: date) -> Any:
    found = []
    for activity in client.activities:
        wanted = activity.kind in source["kinds"] and within(activity.day)
        if wanted and all(passes(activity, each) for each in source["where"]):
            found.append(activity)
    if "of" in source:
        values = [field(activity, source["of"]) for activity in found]
        return measured(
            source["aggregate"], [Fraction(each) for each in values if each is not None]
        )
    return counted(source["aggregate"], found, as_of)


def measured(aggregate: str, values: list[Fraction]) -> Fraction | None:
    match aggregate:
        case "sum":
            return sum(values, Fraction(0))
        case "average":
            return sum(values, Fraction(0)) / len(values) if values else None
        case "minimum":
            return min(values, default=None)
        case _:
            return max(values, default=None)


def counted(aggregate: str, found: list[Activity], as_of: date) -> Any:
    days = sorted(activity.day for activity in found)
    match aggregate:
        case "count":
            return len(found)
        case "distinct_products":
            return len({activity.product for activity in found} - {None})
        case "days_with":
            return len(set(days))
        case "weeks_with":
            return len({day - day.weekday() * DAY for day in days})
        case "months_with":
            return len({months(day) for day in days})
        case "quarters_with":
            return len({period("quarter", day) for day in days})
        case "days_since_last":
            return (as_of - days[-1]).days if days else None
        case "first_date":
            return days[0] if days else None
        case _:
            return days[-1] if days else None


def passes(activity: Activity, where: Document) -> bool:
    """Tell whether an activity passes a filter with one of the four operators drawn."""
    value, wanted = field(activity, where["field"]), where["value"]
    match where["operator"]:
        case "is":
            return type(value) is type(wanted) and bool(value == wanted)
        case "none_of":
            return value not in wanted
        case "at_least":
            return value is not None and bool(value >= wanted)
        case _:
            return value is not None and bool(value < wanted)


def field(activity: Activity, name: str) -> Any:
    if name.startswith("attribute:"):
        return activity.attributes.get(name.split(":")[1])
    return getattr(activity, name)


def balance(source: Document, client: Client, within: Inside, as_of: date) -> Fraction | None:
    """Look at what stood at the end of every single day from the first statement on, if any did."""
    statements = client.statements.get(source["attribute"], ())
    day = min((each.day for each in statements), default=as_of + DAY)
    stood = []
    while day <= as_of:
        value = [each.value for each in statements if each.day <= day][-1]
        if within(day) and value is not None:
            stood.append(Fraction(value))
        day += DAY
    if not stood:
        return None
    return min(stood) if source["aggregate"] == "minimum" else measured("average", stood)
