"""A client's page shows what a counter is told, and all that happened."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.services.activities import NewActivity, record_activities
from app.services.authority import Actor, Role
from app.services.clients import Stated, put_client
from app.services.errors import NotAllowed, NotThere
from app.services.groups import Membered, put_group
from app.services.notices import Channel, mark_sent
from app.services.people import NewPerson, add_person, ask_role
from app.services.portraits import Portrait, portrait, stood
from app.words import Words
from rules.messages import Message
from tests.app.asking import served
from tests.app.company import Company, email
from tests.app.correspondence import issued
from tests.app.dealings import standing
from tests.app.granting import GOLD, asked, client, ended, erase, every_phase, given, refused
from tests.app.test_verification import busy

TILL = Actor("key:till")


def seen(company: Company, reference: str = "C-17", by: str = "max", **words: Any) -> Portrait:
    return portrait(company.merit.desk, company.actor(by), reference, Words(**words))


def said(each: Message) -> str:
    return Words().sentence(each)


def test_it_shows_the_answer_that_the_api_gives(company: Company) -> None:
    busy(company)
    given(company)
    answer = seen(company).answer
    assert answer is not None
    assert answer["state"] == "on_hold"
    assert answer == standing(served(company), "C-17")


def test_the_answer_is_decided_before_it_is_shown(company: Company) -> None:
    client(company)
    answer = seen(company).answer
    assert answer is not None
    company.clock.advance(days=1)
    with company.merit.acting(TILL) as act:
        record_activities(
            act, [NewActivity("till", "t-1", "C-17", "order", date(2026, 7, 2), amount=60_000)]
        )
    later = seen(company).answer
    assert later is not None
    assert later["as_of"] == "2026-07-02"
    assert later["decision"] != answer["decision"]
    assert later == standing(served(company), "C-17")


def test_the_answer_is_in_the_words_of_the_reader(company: Company) -> None:
    busy(company)
    names = seen(company, language="uk", names=("uk",)).answer
    again = seen(company, language="uk", names=("uk",)).answer
    assert names is not None
    assert names == again
    assert names == standing(served(company), "C-17", Accept_Language="uk")


def test_the_ladder_is_shown_from_the_highest_with_where_they_stand(company: Company) -> None:
    client(company)
    given(company, GOLD)
    rungs = seen(company).ladder
    assert [each.key for each in rungs] == ["platinum", "gold", "silver", "standard"]
    assert [each.key for each in rungs if each.is_served] == ["gold"]
    assert [each.key for each in rungs if each.is_held] == ["standard"]


def test_without_a_policy_it_says_why_there_is_no_answer(new_company: Company) -> None:
    client(new_company)
    found = seen(new_company)
    assert found.answer is None
    assert found.unanswered == "No policy is in force yet: nothing can be decided."
    assert found.ladder == ()


def test_the_timeline_tells_what_happened_the_newest_first(company: Company) -> None:
    client(company)
    number = given(company)
    letter = issued(company)
    with company.merit.acting(company.actor("max")) as act:
        mark_sent(act, letter, Channel.CALL)
    company.clock.advance(days=1)
    ended(company, number)
    found = seen(company)
    days = [each.day for each in found.timeline]
    assert days == sorted(days, reverse=True)
    told = {said(each.sentence): each.note for each in found.timeline}
    assert told["Max asked for a hold on the tier held."] == "A flood."
    assert told["Paul granted a hold on the tier held."] == "It was on the news."
    assert told["Paul ended a hold on the tier held."] == "It is over."
    subject = found.notices[0].subject
    assert f"The letter “{subject}” was written." in told
    assert f"The letter “{subject}” was sent by telephone." in told


def test_events_of_the_standing_are_on_the_timeline(company: Company) -> None:
    client(company)
    seen(company)
    given(company)
    company.clock.advance(days=1)
    seen(company)
    assert "Is held at Standard from this day on." in [
        said(each.sentence) for each in seen(company).timeline
    ]


def test_each_reader_sees_what_they_may_do_with_a_measure(company: Company) -> None:
    numbers = every_phase(company)

    def can(by: str) -> dict[str, set[str]]:
        shown = {each.measure.id: set(each.can) for each in seen(company, by=by).measures}
        return {name: shown[number] for name, number in numbers.items() if shown[number]}

    assert can("paul") == {
        "asked": {"grant", "refuse"},
        "in_force": {"end"},
        "granted": {"end"},
    }
    assert can("max") == {"in_force": {"end"}, "granted": {"end"}}
    assert can("edith") == {"asked": {"withdraw"}}
    assert can("olga") == {}


def test_a_counter_is_not_told_why_people_decided_nor_what_came_to_nothing(
    company: Company,
) -> None:
    every_phase(company)
    with company.merit.acting(company.actor("anna")) as act:
        add_person(act, NewPerson(email("fred"), "Fred"))
        ask_role(act, email("fred"), Role.FRONT_DESK, "Hired.")
    found = seen(company, by="fred")
    assert not found.knows
    assert {each.phase for each in found.measures} == {"asked", "granted", "in_force", "over"}
    assert not [each for each in found.timeline if each.note]
    assert seen(company, by="olga").knows


def test_who_decided_is_named(company: Company) -> None:
    client(company)
    number = asked(company)
    refused(company, number)
    [shown] = seen(company).measures
    assert (shown.asked_by, shown.decided_by, shown.ended_by) == ("Max", "Paul", None)
    assert shown.phase == "refused"


def test_the_group_is_shown_with_how_its_members_stand(company: Company) -> None:
    client(company)
    client(company, "C-18")
    assert seen(company).group is None
    with company.merit.acting(TILL) as act:
        put_group(act, "G-1", Membered(("C-17", "C-18"), "C-18"), date(2026, 7, 1))
    group = seen(company).group
    assert group is not None
    assert (group.reference, group.head) == ("G-1", "C-18")
    assert [each[0] for each in group.members] == ["C-17", "C-18"]
    with company.merit.acting(TILL) as act:
        put_group(act, "G-1", Membered(("C-18",)), date(2026, 7, 1))
    assert seen(company).group is None


def test_what_is_stated_and_what_happened_last_is_shown(company: Company) -> None:
    busy(company)
    found = seen(company)
    assert found.stated.name == "Maria Stuart"
    assert found.stated.attributes == {"vat": "GB123"}
    assert [each.external_id for each in found.activities] == ["t-4", "t-2", "t-0"]


def test_how_they_stood_is_told_as_the_api_tells_it(company: Company) -> None:
    busy(company)
    seen(company)
    company.clock.advance(days=40)
    desk, day = company.merit.desk, date(2026, 7, 3)
    answer, rungs = stood(desk, company.actor("max"), "C-17", day, Words())
    api = served(company).test_client().get("/api/v1/clients/C-17/standing?at=2026-07-03")
    assert answer == api.json
    assert [each.key for each in rungs if each.is_served] == ["silver"]
    with pytest.raises(NotThere, match="Nothing had been decided"):
        stood(desk, company.actor("max"), "C-17", date(2026, 6, 30), Words())
    with pytest.raises(NotAllowed):
        stood(desk, company.actor("anna"), "C-17", day, Words())
    erase(company)
    with pytest.raises(NotThere, match="erased"):
        stood(desk, company.actor("max"), "C-17", day, Words())


def test_of_who_was_erased_the_last_answer_is_shown(company: Company) -> None:
    busy(company)
    erase(company)
    found = seen(company)
    assert found.is_erased
    assert found.answer is not None


def test_who_may_not_read_about_clients_sees_nobody(company: Company) -> None:
    with company.merit.acting(TILL) as act:
        put_client(act, "C-17", Stated(), date(2026, 7, 1))
    with pytest.raises(NotAllowed):
        seen(company, by="anna")
    with pytest.raises(NotThere):
        seen(company, "C-99")
