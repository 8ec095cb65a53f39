"""Clients and activities from CSV: read exactly, and every row that is wrong named by its line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.services.tables import Table, TableInvalid, read_clients
from rules.document import load
from rules.measure import Activity, Client, Statement, measure
from rules.policy import Policy
from rules.vocabulary import EARLIEST_DAY
from tests.rules.builders import activities, metric, policy, policy_document

Read = Callable[..., dict[str, Client]]

POLICY = policy(
    metric("turnover", "money", activities("sum", "amount")),
    metric("stars", "decimal", activities("average", "attribute:stars")),
    metric("fees", "money", activities("sum", "attribute:fee")),
    metric(
        "gifts",
        "count",
        activities("count", where=[{"field": "attribute:gift", "operator": "is", "value": True}]),
    ),
    metric(
        "heavy",
        "count",
        activities(
            "count",
            where=[{"field": "attribute:weight", "operator": "at_least", "value": Decimal("2.5")}],
        ),
    ),
    metric(
        "red",
        "count",
        activities(
            "count",
            where=[{"field": "attribute:colour", "operator": "one_of", "value": ["red", "7"]}],
        ),
    ),
    metric("potential", "money"),
    metric("employees", "count"),
    metric("rating", "decimal"),
    metric("birthday", "date"),
    metric("member", "boolean"),
    metric("trade", "choice"),
    metric("distance", "days"),
)
DAY = date(2026, 7, 1)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read tables of activities and of clients, given as text or bytes."""

    def table(name: str, content: str | bytes, columns: Mapping[str, str]) -> Table:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Table(path, columns)

    def reading(
        of_activities: str | bytes = "client,date,kind\n",
        of_clients: str | bytes | None = None,
        *,
        rules: Policy = POLICY,
        columns: Mapping[str, str] | None = None,
        client_columns: Mapping[str, str] | None = None,
    ) -> dict[str, Client]:
        return read_clients(
            rules,
            table("activities.csv", of_activities, columns or {}),
            None if of_clients is None else table("clients.csv", of_clients, client_columns or {}),
        )

    return reading


def refused(read: Read, *tables: str | bytes, **options: Any) -> dict[str, str]:
    """Return what is wrong with tables: the sentence by line."""
    with pytest.raises(TableInvalid) as raised:
        read(*tables, **options)
    found = {each.path: each.message for each in raised.value.problems}
    assert len(found) == len(raised.value.problems)
    return found


# -- activities ------------------------------------------------------------------------------


def test_every_field_of_an_activity_is_read(read: Read) -> None:
    table = (
        "client,date,kind,amount,quantity,product,channel\n"
        'C-17,2026-06-30,sale,1234.5,3,"Lamp, red",shop\n'
    )

    assert read(table) == {
        "C-17": Client(
            {},
            [
                Activity(
                    kind="sale",
                    day=date(2026, 6, 30),
                    amount=123450,
                    quantity=3,
                    product="Lamp, red",
                    channel="shop",
                )
            ],
        )
    }


def test_columns_may_be_called_and_ordered_as_the_company_likes(read: Read) -> None:
    table = "Betrag;,Art,Kundennummer,am,note\n5,sale,C-17,2026-06-30,whatever\n"
    columns = {"client": "Kundennummer", "date": "am", "kind": "Art", "amount": "Betrag;"}

    [activity] = read(table, columns=columns)["C-17"].activities

    assert activity == Activity(kind="sale", day=date(2026, 6, 30), amount=500)


def test_a_column_that_is_mapped_is_not_read_under_its_own_name_too(read: Read) -> None:
    table = "client,date,kind,amount,product\nC,2026-06-30,sale,5.00,7\n"

    [activity] = read(table, columns={"amount": "product"})["C"].activities

    assert (activity.amount, activity.product) == (700, None)


def test_a_field_may_be_empty_and_blanks_around_it_do_not_matter(read: Read) -> None:
    table = "client,date,kind,amount,product\n C , 2026-06-30 , sale ,,  \n"

    assert read(table)["C"].activities == [Activity(kind="sale", day=date(2026, 6, 30))]


@pytest.mark.parametrize(
    "table",
    [
        "\ufeffclient,date,kind\nC,2026-06-30,sale\n",
        "client,date,kind\r\nC,2026-06-30,sale\r\n",
        "client,date,kind\nC,2026-06-30,sale",
        '"client","date","kind"\n"C","2026-06-30","sale"\n',
    ],
    ids=["byte order mark", "CRLF", "no last line break", "quotes"],
)
def test_tables_come_as_programs_write_them(read: Read, table: str) -> None:
    assert read(table) == {"C": Client({}, [Activity(kind="sale", day=date(2026, 6, 30))])}


def test_a_table_with_only_a_header_has_nobody(read: Read) -> None:
    assert read("client,date,kind\n") == {}


def test_clients_come_in_the_order_in_which_they_first_appear(read: Read) -> None:
    rows = "B,2026-01-01,sale\nA,2026-01-01,sale\nB,2026-01-02,sale\nC,2026-01-01,sale\n"

    found = read("client,date,kind\n" + rows, "client\nZ\nA\n")

    assert list(found) == ["Z", "A", "B", "C"]
    assert len(found["B"].activities) == 2


# -- numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        *(("0", 0), ("0.00", 0), ("-0", 0), ("7", 700), ("7.", 700), (".5", 50), ("+7", 700)),
        *(("-0.01", -1), ("1e2", 10000), ("1.5E+1", 1500), ("0.010", 1), ("007", 700)),
        *(("0.000000000000000000", 0), ("9999999999999.99", 999999999999999)),
        ("10000000000000", 10**15),
    ],
)
def test_amounts_are_read_exactly_in_minor_units(read: Read, text: str, minor: int) -> None:
    [activity] = read(f"client,date,kind,amount\nC,2026-01-01,sale,{text}\n")["C"].activities

    assert (activity.amount, type(activity.amount)) == (minor, int)


@pytest.mark.parametrize(
    ("currency", "text", "minor"),
    [("JPY", "1500", 1500), ("KWD", "1.005", 1005), ("EUR", "0.05", 5)],
)
def test_a_currency_has_the_places_it_has(read: Read, currency: str, text: str, minor: int) -> None:
    rules = load(policy_document([metric("m", "money")], currency=currency))

    found = read(f"client,date,kind,amount\nC,2026-01-01,sale,{text}\n", rules=rules)

    assert found["C"].activities[0].amount == minor


@pytest.mark.parametrize(
    ("currency", "text"),
    [
        *(("EUR", "1.005"), ("JPY", "0.5"), ("KWD", "0.0001"), ("EUR", "1e-3")),
        ("EUR", "123456789012.345000000000000000000001"),
        ("EUR", "12345678901234567890.0000000001"),
    ],
)
def test_an_amount_with_more_places_than_the_currency_is_not_rounded(
    read: Read, currency: str, text: str
) -> None:
    rules = load(policy_document([metric("m", "money")], currency=currency))

    found = refused(read, f"client,date,kind,amount\nC,2026-01-01,sale,{text}\n", rules=rules)

    assert list(found) == ["line 2"]


@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "Infinity", "-inf", "sNaN", "1_000", "1,5", "1 000", "£5", "5 EUR", "0x10", "--5"),
        *("1e99999", "1e999999999999999999999", "1e-99999", "10000000000000.01", "1e14", "٥", "５"),
        *("1.0000000000000000000000000000000000000000001", "1e", "e5", ".", "+", "1.2.3", "five"),
    ],
)
@pytest.mark.parametrize("field", ["amount", "quantity"])
def test_what_is_no_number_or_beyond_all_is_refused(read: Read, field: str, text: str) -> None:
    if (field, text) in QUANTITIES:
        return
    row = f'C,2026-01-01,sale,"{text}"\n'

    found = refused(read, f"client,date,kind,{field}\n{row}")

    assert list(found) == ["line 2"]
    assert text in found["line 2"]


QUANTITIES = {
    ("quantity", "10000000000000.01"),
    ("quantity", "1e14"),
    ("quantity", "1.0000000000000000000000000000000000000000001"),
}
"""Quantities are no money: these are some."""


@pytest.mark.parametrize(("text", "number"), [("3", 3), ("3.0", 3), ("2.5", Decimal("2.5"))])
def test_quantities_are_read_exactly(read: Read, text: str, number: int | Decimal) -> None:
    [activity] = read(f"client,date,kind,quantity\nC,2026-01-01,sale,{text}\n")["C"].activities

    assert activity.quantity == number
    assert type(activity.quantity) is type(number)


# -- days ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-07-01", "2026-07-01"),
        ("2026-07-01 23:59:59", "2026-07-01"),
        ("2026-07-01T00:00", "2026-07-01"),
        ("2026-06-30T20:59:59Z", "2026-06-30"),
        ("2026-06-30T21:00:00Z", "2026-07-01"),
        ("2026-06-30T23:00:00.000001+02:00", "2026-07-01"),
        ("2026-07-01T05:59:59+09:00", "2026-06-30"),
        ("2026-01-15T21:59:59Z", "2026-01-15"),
        ("2026-01-15T22:00:00Z", "2026-01-16"),
        ("2026-03-29T00:30:00Z", "2026-03-29"),
        ("2026-10-24T20:59:59Z", "2026-10-24"),
        ("2026-10-24T21:00:00Z", "2026-10-25"),
        ("2026-10-25T21:59:59Z", "2026-10-25"),
        ("2026-10-25T22:00:00Z", "2026-10-26"),
        ("1800-01-01", "1800-01-01"),
        ("2299-12-31", "2299-12-31"),
    ],
)
def test_an_instant_falls_on_the_companys_day_and_a_local_time_on_its_own(
    read: Read, text: str, day: str
) -> None:
    """Kyiv is two hours ahead of UTC, in summer three."""
    [activity] = read(f"client,date,kind\nC,{text},sale\n")["C"].activities

    assert activity.day.isoformat() == day


@pytest.mark.parametrize(
    "text",
    [
        *("yesterday", "01/07/2026", "2026-02-30", "2026-13-01", "2026-07-01T25:00", "2026-7-1"),
        *("2026", "1751371200", "0001-01-01", "1799-12-31", "2300-01-01", "9999-12-31"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2299-12-31T23:00:00Z"),
    ],
)
def test_what_is_no_day_or_beyond_all_is_refused(read: Read, text: str) -> None:
    found = refused(read, f"client,date,kind\nC,{text},sale\n")

    assert list(found) == ["line 2"]
    assert text in found["line 2"]


# -- attributes ------------------------------------------------------------------------------


def test_attributes_of_clients_are_read_as_their_metrics_want_them(read: Read) -> None:
    table = (
        "client,potential,employees,rating,birthday,member,trade,distance,remark\n"
        "A,1000.5,12,4.25,1980-02-29,yes,hotel,7,good\n"
        "B,,,,,No,,,\n"
        "C,0,0,0,,TRUE,retail,-1,\n"
    )

    found = read(of_clients=table)

    assert {name: each[0].value for name, each in found["A"].statements.items()} == {
        "potential": 100050,
        "employees": 12,
        "rating": Decimal("4.25"),
        "birthday": "1980-02-29",
        "member": True,
        "trade": "hotel",
        "distance": 7,
        "remark": "good",
    }
    assert found["B"].statements == {"member": [Statement(EARLIEST_DAY, False)]}
    measured = measure(POLICY, found["A"], DAY)
    assert (measured["potential"], measured["rating"]) == (100050, 425)
    assert (measured["birthday"], measured["member"]) == (date(1980, 2, 29), True)


def test_a_statement_counts_from_its_day_in_whatever_order_they_come(read: Read) -> None:
    table = "client,date,trade\nA,2026-03-01,hotel\nA,2026-01-01,retail\nA,2026-09-01,retail\n"

    found = read(of_clients=table)["A"]

    assert [each.day.month for each in found.statements["trade"]] == [1, 3, 9]
    assert measure(POLICY, found, DAY)["trade"] == "hotel"


def test_a_statement_without_a_day_holds_from_the_beginning(read: Read) -> None:
    found = read(of_clients="client,date,trade\nA,,hotel\n")["A"]

    assert found.statements["trade"] == [Statement(EARLIEST_DAY, "hotel")]


def test_columns_of_clients_may_be_called_as_the_company_likes(read: Read) -> None:
    table = "Nummer,Branche,Umsatz €\nA,hotel,12.50\n"
    columns = {
        "client": "Nummer",
        "attribute:trade": "Branche",
        "attribute:potential": "Umsatz €",
    }

    found = read(of_clients=table, client_columns=columns)["A"].statements

    assert {name: each[0].value for name, each in found.items()} == {
        "trade": "hotel",
        "potential": 1250,
    }


@pytest.mark.parametrize(
    ("attribute", "text", "reason"),
    [
        ("potential", "much", "is not a number"),
        ("potential", "1.005", "more decimal places than EUR"),
        ("employees", "1.5", "must be a whole number"),
        ("rating", "1e-13", "out of all proportion"),
        ("rating", "10000000000001", "must be a number between"),
        ("birthday", "29.02.1980", "must be a day that exists"),
        ("birthday", "1981-02-29", "must be a day that exists"),
        ("birthday", "1980-02-29T00:00", "must be a day that exists"),
        ("member", "maybe", "must be true or false"),
        ("member", "1", "must be true or false"),
        ("trade", "Hotel", "must be retail or hotel"),
        ("distance", "soon", "is not a number"),
    ],
)
def test_an_attribute_its_metric_cannot_take_is_refused(
    read: Read, attribute: str, text: str, reason: str
) -> None:
    found = refused(read, "client,date,kind\n", f"client,{attribute}\nA,{text}\n")

    assert list(found) == ["line 2"]
    assert reason in found["line 2"]
    assert text in found["line 2"]


def test_attributes_of_activities_are_read_as_what_is_measured_of_them(read: Read) -> None:
    columns = {f"attribute:{name}": name for name in ("stars", "fee", "gift", "weight", "colour")}
    table = (
        "client,date,kind,stars,fee,gift,weight,colour\n"
        "A,2026-01-01,sale,4.5,1.25,true,2.5,red\n"
        "A,2026-01-02,sale,5,2,No,2.49,7\n"
        "A,2026-01-03,sale,,,,,blue\n"
    )

    found = measure(POLICY, read(table, columns=columns)["A"], DAY)

    assert {key: found[key] for key in ("stars", "fees", "gifts", "heavy", "red")} == {
        "stars": 475,
        "fees": 325,
        "gifts": 1,
        "heavy": 1,
        "red": 2,
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [("stars", "many"), ("fee", "1.255"), ("gift", "perhaps"), ("weight", "heavy")],
)
def test_an_attribute_of_an_activity_that_cannot_be_measured_is_refused(
    read: Read, name: str, text: str
) -> None:
    table = f"client,date,kind,x\nA,2026-01-01,sale,{text}\n"

    assert list(refused(read, table, columns={f"attribute:{name}": "x"})) == ["line 2"]


# -- rows and headers ------------------------------------------------------------------------

HEADER = "client,date,kind\n"
WRONG_ROWS: dict[str, tuple[str, str]] = {
    "too few fields": ("C,2026-01-01", "has 2 fields, the header 3"),
    "too many fields": ("C,2026-01-01,sale,9", "has 4 fields, the header 3"),
    "a blank line": ("", "has 0 fields, the header 3"),
    "no client": (",2026-01-01,sale", "client is empty"),
    "a blank client": ("  ,2026-01-01,sale", "client is empty"),
    "no date": ("C,,sale", "date is empty"),
    "no kind": ("C,2026-01-01,", "kind is empty"),
    "a client of two words": ("C 17,2026-01-01,sale", "client must be 1 to 64 letters"),
    "an endless client": (f"{'C' * 65},2026-01-01,sale", "client must be 1 to 64 letters"),
    "a kind in capitals": ("C,2026-01-01,Sale", "kind must be a key such as sale"),
    "an open quote": ('C,2026-01-01,"sale', "unexpected end of data"),
    "a quote in the middle": ('C,2026-01-01,"sa"le', "expected after"),
    "a field without end": (f"C,2026-01-01,{'s' * 200_000}", "field larger than"),
}


@pytest.mark.parametrize(("row", "reason"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_a_wrong_row_is_named_by_its_line(read: Read, row: str, reason: str) -> None:
    found = refused(read, f"{HEADER}A,2026-01-01,sale\n{row}\n")

    assert list(found) == ["line 3"]
    assert reason in found["line 3"]


def test_all_wrong_rows_are_named_and_no_client_comes_of_the_rest(read: Read) -> None:
    rows = "A,2026-01-01,sale\nB,never,sale\nC,2026-01-01,sale\n,2026-01-01,sale\n"

    assert list(refused(read, HEADER + rows)) == ["line 3", "line 5"]


def test_of_rows_wrong_throughout_the_first_twenty_are_named(read: Read) -> None:
    found = refused(read, HEADER + "A,never,sale\n" * 1000)

    assert list(found) == [f"line {number}" for number in range(2, 22)]


def test_lines_are_counted_as_an_editor_counts_them(read: Read) -> None:
    table = 'client,date,kind,product\nA,2026-01-01,sale,"two\nlines"\nB,never,sale,one\n'

    assert list(refused(read, table)) == ["line 4"]


WRONG_HEADERS: dict[str, tuple[str, dict[str, str], str]] = {
    "an empty file": ("", {}, "no column is named for client, date, kind"),
    "no kind": ("client,date\n", {}, "no column is named for kind"),
    "a column that is not there": (HEADER, {"amount": "sum"}, "there is no column sum"),
    "a field that is none": (HEADER, {"price": "kind"}, "price is not a field"),
    "an attribute without a name": (HEADER, {"attribute:": "kind"}, "attribute: is not a field"),
    "an attribute that is no key": (HEADER, {"attribute:A b": "kind"}, "is not a field"),
    "a column twice": ("client,date,kind,date\n", {}, "the column date stands twice"),
    "semicolons": ("client;date;kind\n", {}, "no column is named for client, date, kind"),
    "an open quote": ('client,date,"kind\n', {}, "unexpected end of data"),
}


@pytest.mark.parametrize(("table", "columns", "reason"), WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_a_wrong_header_is_refused(
    read: Read, table: str, columns: dict[str, str], reason: str
) -> None:
    found = refused(read, table, columns=columns)

    assert list(found) == ["line 1"]
    assert reason in found["line 1"]


def test_clients_have_no_kind(read: Read) -> None:
    found = refused(read, HEADER, "client,shade\nA,sale\n", client_columns={"kind": "shade"})

    assert "kind is not a field" in found["line 1"]


@pytest.mark.parametrize(
    "table", ["client,date,kind\nC,2026-01-01,café\n".encode("latin-1"), b"\xff\xfec\x00l\x00"]
)
def test_a_table_in_another_encoding_is_refused(read: Read, table: bytes) -> None:
    assert refused(read, table) == {"": "is not UTF-8"}


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_table_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(TableInvalid) as raised:
        read_clients(POLICY, Table(tmp_path / name))

    assert str(raised.value).startswith(f"{tmp_path / name}: ")


def test_progress_is_told_of_every_line(tmp_path: Path) -> None:
    path = tmp_path / "activities.csv"
    path.write_text(HEADER + "A,2026-01-01,sale\n" * 3, encoding="utf-8")
    told: list[int] = []

    read_clients(POLICY, Table(path), progress=told.append)

    assert sum(told) == path.stat().st_size
