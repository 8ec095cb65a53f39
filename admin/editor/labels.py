"""How the words of a document are called where somebody chooses among them."""

from __future__ import annotations

from collections.abc import Mapping

from rules.messages import N_
from rules.vocabulary import MetricType, Operator

Labels = Mapping[str, str]

OPERATORS: Mapping[Operator, str] = {
    Operator.AT_LEAST: N_("is at least"),
    Operator.MORE_THAN: N_("is more than"),
    Operator.AT_MOST: N_("is at most"),
    Operator.LESS_THAN: N_("is less than"),
    Operator.EQUAL: N_("is exactly"),
    Operator.NOT_EQUAL: N_("is anything but"),
    Operator.BETWEEN: N_("is between (both included)"),
    Operator.ONE_OF: N_("is one of"),
    Operator.NONE_OF: N_("is none of"),
    Operator.IS: N_("is"),
    Operator.IS_NOT: N_("is not"),
    Operator.ON_OR_AFTER: N_("is this day or later"),
    Operator.BEFORE: N_("is before"),
    Operator.IS_KNOWN: N_("is known"),
    Operator.IS_NOT_KNOWN: N_("is not known"),
}

GROUPS: Labels = {
    "all": N_("all of these hold"),
    "any": N_("any of these holds"),
    "of": N_("at least so many of these hold"),
    "none": N_("none of these holds"),
}

BETWEEN_PARTS: Labels = {
    "all": N_("and"),
    "any": N_("or"),
    "of": N_("and, or"),
    "none": N_("nor"),
}

TYPES: Labels = {
    MetricType.MONEY: N_("an amount of money"),
    MetricType.COUNT: N_("how many"),
    MetricType.DECIMAL: N_("a number with decimal places, or a percentage"),
    MetricType.DAYS: N_("a number of days"),
    MetricType.DATE: N_("a day of the calendar"),
    MetricType.BOOLEAN: N_("yes or no"),
    MetricType.CHOICE: N_("one of several options"),
}

MISSING: Labels = {
    "": N_("it is unknown: no condition on it is met"),
    "zero": N_("it counts as zero"),
    "cannot_decide": N_("nothing higher is decided until it is known"),
}

SOURCES: Labels = {
    "activities": N_("what happened: orders, visits, payments …"),
    "attribute": N_("what is stated about the client"),
    "attribute_history": N_("how something stated stood day by day"),
    "ratio": N_("one figure divided by another"),
    "weighted_sum": N_("several figures, weighted and added"),
    "change": N_("the change of a figure against the time before"),
    "days_since": N_("days since a date"),
    "carry_over": N_("what is carried over from the period before"),
    "standing": N_("the tier the client holds, and how long"),
    "group": N_("a figure of the whole household or company group"),
    "rank": N_("the place among all clients"),
}

AGGREGATES: Labels = {
    "sum": N_("the sum"),
    "count": N_("the number of times"),
    "average": N_("the average"),
    "minimum": N_("the smallest"),
    "maximum": N_("the largest"),
    "distinct_products": N_("how many different products"),
    "first_date": N_("the day of the first"),
    "last_date": N_("the day of the last"),
    "days_since_last": N_("days since the last"),
    "days_with": N_("days with at least one"),
    "weeks_with": N_("weeks with at least one"),
    "months_with": N_("months with at least one"),
    "quarters_with": N_("quarters with at least one"),
}

HISTORY_AGGREGATES: Labels = {
    "daily_average": N_("the average over the days"),
    "minimum": N_("the lowest of any day"),
}

WINDOWS: Labels = {
    "rolling": N_("in the last …"),
    "this": N_("in this calendar period, so far"),
    "previous": N_("in whole calendar periods before"),
    "lifetime": N_("since the beginning"),
    "between": N_("between two days"),
    "since": N_("since the tier was reached"),
}

UNITS: Labels = {
    "days": N_("days"),
    "weeks": N_("weeks"),
    "months": N_("months"),
    "years": N_("years"),
}

PERIODS: Labels = {
    "month": N_("month"),
    "quarter": N_("quarter"),
    "half_year": N_("half-year"),
    "year": N_("year"),
}

SINCE: Labels = {
    "tier": N_("the tier was reached"),
    "ground": N_("the ground began on which it is held"),
}

MEASURES: Labels = {
    "tier_held": N_("the tier held"),
    "days_at_or_above": N_("days at a tier or above"),
    "years_at_or_above": N_("years at a tier or above"),
    "days_since_tier": N_("days since the tier was reached"),
    "days_since_ground": N_("days since the ground began on which it is held"),
}

MEASURED: Labels = {
    "difference": N_("as a difference"),
    "percent": N_("in percent"),
}

VALIDITIES: Labels = {
    "": N_("as long as its criteria hold"),
    "fixed": N_("for a fixed time"),
    "calendar": N_("until the end of a calendar period"),
    "until_assessment": N_("until the day before the next assessment"),
}

ASSESSMENTS: Labels = {
    "": N_("on every day"),
    "year_days": N_("on given days of the year"),
    "monthly": N_("on a day of each month"),
    "anniversary": N_("on anniversaries"),
}

EVERY: Labels = {"year": N_("every year"), "month": N_("every month")}

RENEWALS: Labels = {
    "": N_("at once, whenever the criteria hold"),
    "at_expiry": N_("only when it ends"),
}

STEPS: Labels = {
    "warning": N_("warn before the end"),
    "notice": N_("give notice"),
    "withdraw": N_("withdraw benefits"),
    "demote": N_("step down"),
}

COUNTED: Labels = {"": N_("after the step before"), "start": N_("after it all began")}

DEMOTED_TO: Labels = {
    "entitled": N_("to the tier the figures give"),
    "one_rung": N_("one tier down"),
}

PROMISES: Labels = {
    "respond_within": N_("to respond within a time"),
    "contact_every": N_("to be in contact regularly"),
    "after_activity": N_("to be in contact after an activity"),
    "on_date": N_("to be in contact before a date"),
    "after_event": N_("to be in contact after a change of tier"),
    "survey_every": N_("to ask how satisfied they are"),
    "keep_promise": N_("to keep what was promised"),
    "entitlement": N_("something the client is entitled to"),
}

EVENTS: Labels = {
    "promoted": N_("a promotion"),
    "renewed": N_("a renewal"),
    "notice_given": N_("a notice"),
    "benefit_withdrawn": N_("a withdrawal"),
    "demoted": N_("a demotion"),
}

SURVEYS: Labels = {
    "nps": N_("would they recommend us (NPS)"),
    "csi": N_("how satisfied are they (CSI)"),
    "ces": N_("how easy was it (CES)"),
}

PATHS: Labels = {"": N_("straight to the tier reached"), "one_rung": N_("one tier at a time")}

MOVES: Labels = {
    "": N_("everybody is judged by the new rules"),
    "upgrades_only": N_("only upwards: nobody loses a tier by the change alone"),
    "new_grounds_only": N_("only who earns a tier anew; others keep their rules"),
}

GOES_TO: Labels = {"": N_("all its members"), "head": N_("its head alone")}

YES_NO: Labels = {"yes": N_("yes"), "no": N_("no")}

FILTERS: Labels = {
    "is": N_("is"),
    "is_not": N_("is not"),
    "one_of": N_("is one of"),
    "none_of": N_("is none of"),
    "at_least": N_("is at least"),
    "more_than": N_("is more than"),
    "at_most": N_("is at most"),
    "less_than": N_("is less than"),
}
