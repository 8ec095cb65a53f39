"""Notices: issued with their decisions, listed for who sends them, marked as sent once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from click.testing import Result
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from app.models import HistoryEntry, Notice, Subject
from app.services.authority import SYSTEM, Actor
from app.services.clients import Contact
from app.services.errors import NotActionable, NotAllowed, NotThere
from app.services.history import inputs_digest
from app.services.letters import Addressee, letters_of
from app.services.notices import (
    Channel,
    issue,
    mark_sent,
    notice_named,
    of_client,
    waiting,
)
from app.services.verification import HistoryBroken, verify
from rules.document.strict_json import loads
from tests.app.asking import served
from tests.app.company import NOW, Company, email
from tests.app.correspondence import (
    NIGHT,
    changes,
    issued,
    put,
    stored,
    with_letters,
)

ONE_FALL = {"2026-01-01": 50, "2026-03-01": 10}
"""A life with one letter: the notice of 1 March."""


@pytest.fixture
def told(company: Company) -> Company:
    """A company with two clients; all was written to the first, one notice to the second."""
    put(company, "C-17", "Maria Stuart", Contact("a", "Mary", counterpart="Bess"))
    put(company, "C-18")
    issued(company)
    issued(company, "C-18", life=ONE_FALL)
    return company


def listed(company: Company, **only: str) -> list[str]:
    """Return what waits to be sent, each with its client and day."""
    with company.merit.database.reading() as session:
        return [
            f"{client} {notice.day} {notice.event}"
            for client, notice in waiting(session, **only)  # type: ignore[arg-type]  # as named
        ]


def test_what_waits_is_listed_page_by_page(told: Company) -> None:
    with told.merit.database.reading() as session:
        whole = [each.notice.id for each in waiting(session)]
        seen, after = list[int](), None
        while found := waiting(session, after=after, limit=2):
            assert len(found) <= 2
            seen += [each.notice.id for each in found]
            after = seen[-1]
        assert seen == whole
        with pytest.raises(NotThere):
            waiting(session, after=999)


def notices(company: Company, client: str = "C-17") -> list[Notice]:
    with company.merit.database.reading() as session:
        found = of_client(session, client)
        session.expunge_all()
    return found


def send(company: Company, number: int, by: str = "max") -> None:
    with company.merit.acting(company.actor(by)) as act:
        mark_sent(act, number, Channel.POST)


def entries(company: Company, verb: str) -> list[HistoryEntry]:
    with company.merit.database.reading() as session:
        found = session.execute(select(HistoryEntry).where(HistoryEntry.verb == verb)).scalars()
        entries = list(found)
        session.expunge_all()
    return entries


# -- issuing -----------------------------------------------------------------------------------


def test_what_is_issued_is_the_letter_with_its_decision_and_days(told: Company) -> None:
    [announced] = [each for each in changes(with_letters()) if each.day == date(2026, 3, 1)]
    [letter] = letters_of(announced, Addressee("Maria Stuart", "Bess"))

    [found] = [each for each in notices(told) if each.day == date(2026, 3, 1)]

    assert (found.event, found.language, found.subject, found.text, found.html) == (
        letter.event,
        letter.language,
        letter.subject,
        letter.text,
        letter.html,
    )
    assert (found.day, found.issued) == (date(2026, 3, 1), date(2026, 3, 1))
    assert (found.sent_at, found.sent_by, found.channel) == (None, None, None)


def test_the_first_who_deals_with_a_client_is_named_in_the_letter(company: Company) -> None:
    contacts = [Contact("a", "A"), Contact("b", "B", counterpart="Bess")]
    put(company, "C-17", None, *contacts, Contact("c", "C", counterpart="Carl"))
    issued(company, life=ONE_FALL)

    assert "please turn to Bess, who" in notices(company)[0].text
    assert notices(company)[0].text.startswith("Dear client,")


def test_decisions_that_change_nothing_issue_nothing(company: Company) -> None:
    put(company, "C-17")

    assert issued(company, life={"2026-01-01": 50, "2026-01-02": 50}) == 0
    with company.merit.acting(NIGHT) as act:
        assert issue(act, []) == 0
    assert entries(company, "notices.issued") == []


def test_a_notice_of_one_decision_and_event_is_issued_once(company: Company) -> None:
    put(company, "C-17")
    with company.merit.acting(NIGHT) as act:
        changed = stored(act, "C-17", changes(with_letters(), ONE_FALL))
        assert issue(act, changed) == 1

    with pytest.raises(IntegrityError), company.merit.acting(NIGHT) as act:
        issue(act, changed)

    assert len(notices(company)) == 1


def test_a_batch_of_fifty_takes_as_many_statements_as_one(company: Company) -> None:
    references = [f"C-{number}" for number in range(50)]
    for each in references:
        put(company, each)
    falling = changes(with_letters(), ONE_FALL)
    counts = []
    for some in (references[:1], references[1:]):
        statements: list[str] = []

        def note(*args: object, said: list[str] = statements) -> None:
            said.append(str(args[2]))

        with company.merit.acting(NIGHT) as act:
            changed = [change for each in some for change in stored(act, each, falling)]
            event.listen(company.merit.database.engine, "before_cursor_execute", note)
            assert issue(act, changed) == len(some)
            event.remove(company.merit.database.engine, "before_cursor_execute", note)
        counts.append(len(statements))

    assert counts[0] == counts[1] < 10


# -- the history -------------------------------------------------------------------------------


def test_the_history_says_how_many_were_issued_and_nothing_of_what_is_in_them(
    told: Company,
) -> None:
    first, second = entries(told, "notices.issued")

    leaf = loads(first.leaf)
    assert isinstance(leaf, dict)
    assert leaf["details"] == {"notices": 7, "clients": 1}
    assert leaf["inputs"] != loads(second.leaf)["inputs"]  # type: ignore[index]  # an object
    assert leaf["inputs"] not in {None, inputs_digest([])}
    assert not {"Maria", "gold", "C-17"} & set(first.leaf.replace('"', " ").split())


def verified(company: Company) -> None:
    with company.merit.database.reading() as session:
        verify(session)


def as_owner(company: Company, *statements: str) -> None:
    owner = company.merit.owner
    with owner.migrating() as connection:
        if owner.is_sqlite:
            connection.exec_driver_sql("DROP TRIGGER notices_written")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
        for each in statements:
            connection.exec_driver_sql(each)
        if not owner.is_sqlite:
            connection.exec_driver_sql("SET session_replication_role = DEFAULT")


def test_notices_and_their_sending_verify(told: Company) -> None:
    send(told, notices(told)[0].id)

    verified(told)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE notices SET text = text || '!' WHERE event = 'demoted'",
        "UPDATE notices SET html = '' WHERE event = 'demoted'",
        "UPDATE notices SET issued = '2026-01-01' WHERE event = 'demoted'",
        "UPDATE notices SET client_id = (SELECT max(id) FROM clients) WHERE event = 'demoted'",
        "DELETE FROM notices WHERE event = 'demoted'",
        "UPDATE notices SET batch = 'other' WHERE event = 'demoted'",
    ],
)
def test_a_notice_that_was_changed_is_found(told: Company, change: str) -> None:
    as_owner(told, change)

    with pytest.raises(HistoryBroken):
        verified(told)


def test_a_notice_that_was_slipped_in_is_found(told: Company) -> None:
    columns = (
        "client_id, decision_id, event, day, issued, language, subject, text, html, place, batch"
    )
    as_owner(
        told,
        f"INSERT INTO notices ({columns}) SELECT {columns.replace('place, batch', '99, 42')} "  # noqa: S608 - of our own
        "FROM notices WHERE event = 'demoted'",
    )

    with pytest.raises(HistoryBroken, match="notices that no entry speaks of"):
        verified(told)


def test_the_notices_of_the_erased_can_go_and_the_history_verifies(told: Company) -> None:
    with told.merit.database.writing() as session:
        client = session.execute(text("SELECT id, subject FROM clients WHERE reference = 'C-17'"))
        number, subject = client.one()
        session.delete(session.get_one(Subject, subject))
        session.flush()
        session.execute(text("DELETE FROM notices WHERE client_id = :id"), {"id": number})

    verified(told)
    assert listed(told) == ["C-18 2026-03-01 notice_given"]


# -- listing -----------------------------------------------------------------------------------


def test_what_waits_is_listed_the_oldest_first(told: Company) -> None:
    assert listed(told) == [
        "C-17 2026-01-02 promoted",
        "C-17 2026-03-01 notice_given",
        "C-18 2026-03-01 notice_given",
        "C-17 2026-03-31 benefit_withdrawn",
        "C-17 2026-04-10 reinstated",
        "C-17 2026-05-01 notice_given",
        "C-17 2026-05-31 benefit_withdrawn",
        "C-17 2026-06-30 demoted",
    ]


def test_what_waits_is_listed_by_client_and_by_what_it_is_about(told: Company) -> None:
    assert listed(told, client="C-18") == ["C-18 2026-03-01 notice_given"]
    assert listed(told, event="demoted") == ["C-17 2026-06-30 demoted"]
    assert listed(told, client="C-18", event="demoted") == []
    with pytest.raises(NotThere, match="There is no client C-99"):
        listed(told, client="C-99")


def test_all_that_was_written_to_a_client_is_listed_the_newest_first(told: Company) -> None:
    for each in notices(told):
        send(told, each.id)

    assert [each.event for each in notices(told)][:2] == ["demoted", "benefit_withdrawn"]
    assert len(notices(told)) == 7
    assert listed(told) == ["C-18 2026-03-01 notice_given"]


# -- sending -----------------------------------------------------------------------------------


def test_a_manager_marks_a_notice_as_sent(told: Company) -> None:
    number = notices(told)[0].id
    send(told, number)

    found = notices(told)[0]
    max_ = told.actor("max")
    assert (found.sent_at, found.sent_by, found.channel) == (NOW, max_.person_id, "post")
    [entry] = entries(told, "notice.sent")
    assert (entry.actor, entry.object) == (max_.name, f"notice:{number}")
    leaf = loads(entry.leaf)
    assert isinstance(leaf, dict)
    assert leaf["details"] == {"channel": "post"}


def test_a_notice_is_marked_as_sent_once(told: Company) -> None:
    number = notices(told)[0].id
    send(told, number)

    with pytest.raises(NotActionable, match=f"Notice {number} was sent on 2026-07-01 already"):
        send(told, number)
    assert len(entries(told, "notice.sent")) == 1


@pytest.mark.parametrize("who", ["anna", "edith", "paul", "olga"])
def test_nobody_but_a_manager_marks_a_notice(told: Company, who: str) -> None:
    with pytest.raises(NotAllowed, match="the role manager"):
        send(told, notices(told)[0].id, by=who)
    assert notices(told)[0].sent_at is None


@pytest.mark.parametrize("actor", [SYSTEM, Actor("key:till")])
def test_no_system_marks_a_notice(told: Company, actor: Actor) -> None:
    with pytest.raises(NotAllowed), told.merit.acting(actor) as act:
        mark_sent(act, notices(told)[0].id, Channel.EMAIL)


def test_a_notice_that_is_not_there_is_not_marked(told: Company) -> None:
    with pytest.raises(NotThere, match="There is no notice 999"):
        send(told, 999)
    with pytest.raises(NotThere), told.merit.database.reading() as session:
        notice_named(session, 999)


# -- the commands ------------------------------------------------------------------------------

Run = Callable[..., Result]


@pytest.fixture
def run(told: Company, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command of ``notices``, as the person ``by`` if one is named."""
    runner = served(told).test_cli_runner()

    def running(*args: object, by: str | None = None) -> Result:
        words = ["notices", *map(str, args)]
        if by is not None:
            words += ["--as", email(by)]
            monkeypatch.setenv("MERIT_PASSWORD", told.passwords[by])
        return runner.invoke(args=words)

    return running


def test_the_list_has_a_line_for_each_that_waits(run: Run, told: Company) -> None:
    [number] = [each.id for each in notices(told, "C-18")]

    assert run("list", "--client", "C-18").stdout == (
        f"{number:>6}  2026-03-01  C-18                notice_given        en    "
        "Your tier gold: where you stand, and how to keep it\n"
    )
    assert len(run("list").stdout.splitlines()) == 8
    assert len(run("list", "--event", "notice_given").stdout.splitlines()) == 3


def test_a_letter_is_shown_as_text_and_as_html(run: Run, told: Company) -> None:
    found = notices(told)[0]

    assert run("show", found.id).stdout == (
        f"== 2026-06-30  demoted  en\n{found.subject}\n\n{found.text}\n\n"
    )
    assert run("show", found.id, "--html").stdout == f"{found.html}\n"


def test_a_letter_is_marked_as_sent_by_a_command(run: Run, told: Company) -> None:
    number = notices(told)[0].id
    sent = ("sent", number, "--channel", "email")

    assert run(*sent, by="max").stdout == f"Notice {number} is marked as sent.\n"
    again = run(*sent, by="max")
    assert (again.exit_code, again.stdout) == (1, "")
    assert f"Error: Notice {number} was sent on 2026-07-01 already." in again.stderr
    assert "Error: This takes the role manager" in run(*sent, by="edith").stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("show", 999), "There is no notice 999."),
        (("show", "x"), "is not a valid integer"),
        (("show", 0), "is not in the range"),
        (("list", "--client", "C-99"), "There is no client C-99."),
        (("list", "--event", "praised"), "is not one of"),
        (("sent", 1, "--channel", "pigeon", "--as", "max@example.com"), "is not one of"),
        (("sent", 1, "--channel", "post"), "Missing option '--as'"),
    ],
)
def test_a_command_says_plainly_what_is_wrong(
    run: Run, args: tuple[object, ...], words: str
) -> None:
    result = run(*args)

    assert result.exit_code != 0
    assert words in result.stderr
    assert "Traceback" not in result.stderr
