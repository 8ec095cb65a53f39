"""Letters: from what a decision changed to words in the client's language."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from app.services.letters import DEFAULTS, Addressee, letters_of
from rules.letters import IN_SUBJECTS, PLACEHOLDERS, names_in, template_problems
from rules.standing import Findings, Ruling
from tests.app.correspondence import LIFE, WAY, changes, letter, with_letters, written
from tests.rules.builders import Document, names

MARIA = Addressee("Maria Stuart", "Bess")
EVENTS = [
    "2026-01-02 promoted",
    "2026-03-01 notice_given",
    "2026-03-31 benefit_withdrawn",
    "2026-04-10 reinstated",
    "2026-05-01 notice_given",
    "2026-05-31 benefit_withdrawn",
    "2026-06-30 demoted",
]

# -- Merit's own letters -----------------------------------------------------------------------


@pytest.mark.parametrize("occasion", DEFAULTS)
def test_a_letter_of_ours_holds_only_names_that_mean_something_in_it(occasion: str) -> None:
    default = DEFAULTS[occasion]  # type: ignore[index]  # a key of it
    known = {name for name, where in PLACEHOLDERS.items() if occasion in where}

    assert list(template_problems(default.body, known)) == []
    assert list(template_problems(default.subject, known & IN_SUBJECTS)) == []
    assert not {"deadline", "tier_after"} & {*names_in(default.body), *names_in(default.subject)}


def test_each_step_up_or_down_and_what_mends_is_told() -> None:
    assert list(written(with_letters())) == EVENTS


def test_a_notice_says_the_rule_where_the_client_stands_what_happens_when_and_how_to_mend_it() -> (
    None
):
    found = written(with_letters(), MARIA)["2026-03-01 notice_given"]

    assert found.subject == "Your tier gold: where you stand, and how to keep it"
    assert found.text == (
        "Dear Maria Stuart,\n\n"
        "we are writing in good time, so that nothing comes as a surprise to you.\n\n"
        "By the rules of “Example”, keeping gold asks for:\n"
        "– spend is at least 40\n\n"
        "This is where you stand on March 1, 2026:\n"
        "– spend: 10\n\n"
        "For now you keep gold. If the figures stay as they are, this follows:\n"
        "– from March 31, 2026: without “queue”\n"
        "– from April 30, 2026: base instead of gold\n\n"
        "To keep gold: spend has to rise by 30 to 40.\n"
        "As soon as you meet the rule again the matter is settled; you need do nothing more.\n\n"
        "If you would like to talk this over, please turn to Bess, who will gladly look for a "
        "good way with you.\n\n"
        "Yours sincerely"
    )


@pytest.mark.parametrize(
    ("event", "sentences"),
    [
        (
            "2026-01-02 promoted",
            [
                "as of January 2, 2026 your tier is gold; until now it was silver.",
                "With gold you have:\n– queue\n– manager",
                "keeping gold asks for:\n– spend is at least 40",
            ],
        ),
        (
            "2026-03-31 benefit_withdrawn",
            [
                "By this rule the following rests as of March 31, 2026:\n– queue",
                "You keep gold, and with it:\n– manager",
                "this follows:\n– from April 30, 2026: base instead of gold",
                "To keep gold: spend has to rise by 30 to 40.",
            ],
        ),
        (
            "2026-04-10 reinstated",
            [
                "you keep gold: what we wrote to you about is settled.",
                "As of April 10, 2026 you have back:\n– queue",
                "With gold you have now:\n– queue\n– manager",
                "– spend: 45",
            ],
        ),
        (
            "2026-06-30 demoted",
            [
                "as of June 30, 2026 your tier is base; until now it was gold.",
                "keeping gold asks for:\n– spend is at least 40",
                "With base you have, in full and as promised:\nOur usual service, in full",
                "The way up is open. For silver: spend has to rise by 10 to 20.",
            ],
        ),
    ],
)
def test_a_letter_of_ours_says_what_it_is_about(event: str, sentences: list[str]) -> None:
    text = written(with_letters(), MARIA)[event].text

    for sentence in sentences:
        assert sentence in text


def test_who_keeps_a_tier_before_anything_was_withdrawn_hears_of_nothing_given_back() -> None:
    life = {"2026-01-01": 50, "2026-03-01": 10, "2026-03-10": 45}
    found = written(with_letters(), MARIA, life)["2026-03-10 reinstated"]

    assert found.subject == "You keep your tier gold"
    assert "have back" not in found.text


@pytest.mark.parametrize("event", EVENTS)
def test_a_letter_of_ours_blames_nobody_and_promises_no_more_than_there_is(event: str) -> None:
    text = written(with_letters(), MARIA)[event].text

    for word in ("unfortunately", "fail", "must", "regret", "sorry", "penalty", "lose", "valued"):
        assert word not in text.lower()


def test_a_policy_that_never_demotes_announces_no_end() -> None:
    way = {**WAY, "steps": [{"kind": "notice"}]}
    found = written(with_letters(way=way), MARIA)["2026-03-01 notice_given"]

    assert "this follows:\nNothing more follows; gold stays." in found.text


def test_what_no_figures_could_mend_is_talked_over() -> None:
    never = {
        "all": [
            {"metric": "spend", "operator": at, "value": 40} for at in ("less_than", "more_than")
        ]
    }
    document = with_letters()
    document["tiers"][2]["keep"] = never
    document["tiers"][2]["entry"] = never
    life = {"2026-03-01": 10}
    start = {"tier": "gold", "until": "2026-02-28"}
    found = written(document, MARIA, life, start=start)["2026-03-01 notice_given"]

    assert "\n\nPlease speak with us: together we shall look for a way.\n" in found.text


# -- the dates ---------------------------------------------------------------------------------


def test_the_dates_of_a_notice_count_from_when_it_was_issued() -> None:
    [announced] = [each for each in changes(with_letters()) if each.day == date(2026, 3, 1)]
    run = announced.standing.run
    assert run is not None
    late = replace(run, done=(replace(run.done[0], day=date(2026, 3, 8)),), late=7)
    caught_up = replace(
        announced, issued=date(2026, 3, 8), standing=replace(announced.standing, run=late)
    )

    [found] = letters_of(caught_up, MARIA)

    assert "This is where you stand on March 1, 2026" in found.text
    assert "– from April 7, 2026: without “queue”\n– from May 7, 2026: base" in found.text


def test_a_warning_counts_from_the_end_of_the_ground() -> None:
    way = {**WAY, "steps": [{"kind": "warning", "days": 30}, *WAY["steps"][1:]]}
    document = with_letters(way=way)
    document["tiers"][2]["validity"] = {"kind": "calendar", "unit": "quarter"}
    found = written(document, MARIA, {"2026-01-02": 50, "2026-03-05": 10})

    text = found["2026-03-05 notice_given"].text
    assert "– from April 4, 2026: without “queue”" in text


# -- who is not written to ---------------------------------------------------------------------


def test_the_first_decision_about_a_client_is_no_news_to_them() -> None:
    assert written(with_letters(), life={"2026-01-01": 50}) == {}


def test_a_renewal_is_not_written_about() -> None:
    events = [event.kind for each in changes(with_letters()) for event in each.events]

    assert "renewed" in events
    assert not any("renewed" in each for each in EVENTS)


def test_who_is_served_by_a_persons_word_is_not_told_of_a_tier_they_do_not_feel() -> None:
    ceiling = {"kind": "ceiling", "tier": "silver", "first": "2026-01-02", "last": "2026-01-31"}

    assert "2026-01-02 promoted" not in written(with_letters(), measures=[ceiling])


def test_taking_away_what_is_taken_already_is_no_news() -> None:
    again = {"kind": "withdraw", "days": 1, "benefits": ["queue"]}
    way = {**WAY, "steps": [*WAY["steps"][:2], again]}
    life = {"2026-01-01": 50, "2026-03-01": 10, "2026-03-31": 10, "2026-04-01": 10}

    assert "2026-04-01 benefit_withdrawn" not in written(with_letters(way=way), life=life)


# -- the policy's own letters ------------------------------------------------------------------


def _own() -> Document:
    first, second, third = WAY["steps"]
    way = {
        **WAY,
        "steps": [
            {**first, "letter": "notice"},
            {**second, "letter": "less"},
            {**third, "letter": "down"},
        ],
        "reinstatement_letter": "mended",
    }
    bodies = {
        "notice": "By $deadline: $tier_after.\n\n$ahead",
        "less": "$benefits",
        "down": "$former_tier, $tier\n\n$to_rise",
        "mended": "$service",
        "up": "$client of $programme, $date",
    }
    letters = [letter(key, body) for key, body in bodies.items()]
    return with_letters(*letters, way=way, promotion={"letter": "up"})


def test_a_policy_has_its_own_letter_for_each_occasion() -> None:
    found = {event: (each.subject, each.text) for event, each in written(_own(), MARIA).items()}

    assert found == {
        "2026-01-02 promoted": ("up: gold", "Maria Stuart of Example, January 2, 2026"),
        "2026-03-01 notice_given": (
            "notice: gold",
            "By April 29, 2026: base.\n\n"
            "– from March 31, 2026: without “queue”\n– from April 30, 2026: base instead of gold",
        ),
        "2026-03-31 benefit_withdrawn": ("less: gold", "– queue"),
        "2026-04-10 reinstated": ("mended: gold", "– queue\n– manager"),
        "2026-05-01 notice_given": (
            "notice: gold",
            "By June 29, 2026: base.\n\n"
            "– from May 31, 2026: without “queue”\n– from June 30, 2026: base instead of gold",
        ),
        "2026-05-31 benefit_withdrawn": ("less: gold", "– queue"),
        "2026-06-30 demoted": (
            "down: base",
            "gold, base\n\nFor silver: spend has to rise by 10 to 20.",
        ),
    }


def test_what_is_given_back_may_have_a_letter_of_its_own() -> None:
    way = {**WAY, "reinstatement_letter": "mended", "return_letter": "back"}
    document = with_letters(letter("mended"), letter("back", "Back: $benefits"), way=way)

    assert written(document)["2026-04-10 reinstated"].text == "Back: – queue"


def test_steps_carried_out_on_one_day_each_have_their_own_letter() -> None:
    steps = [
        {"kind": "notice", "letter": "one"},
        {"kind": "withdraw", "benefits": ["queue"], "letter": "two"},
        {"kind": "withdraw", "benefits": ["manager"], "letter": "three"},
        {"kind": "demote", "to": "one_rung", "letter": "four"},
    ]
    document = with_letters(
        *map(letter, ("one", "two", "three", "four")), way={**WAY, "steps": steps}
    )
    [_, falling] = changes(document, {"2026-01-01": 50, "2026-03-01": 10})

    found = list(letters_of(falling, MARIA))

    assert [each.subject.partition(":")[0] for each in found] == ["one", "two", "three", "four"]
    assert len({each.place for each in found}) == 4


def test_the_tier_that_follows_is_the_highest_that_remains() -> None:
    way: Document = {
        **WAY,
        "steps": [WAY["steps"][0], {"kind": "demote", "days": 9, "to": "one_rung"}],
    }
    way["steps"][0] = {"kind": "notice", "letter": "notice"}
    document = with_letters(letter("notice", "$tier_after"), way=way)

    assert written(document)["2026-03-01 notice_given"].text == "silver"


# -- who is written to, and in what language ---------------------------------------------------


@pytest.mark.parametrize(
    ("unnamed", "salutation"),
    [
        ({}, "Dear client,"),
        ({"unnamed": names("friend of the house")}, "Dear friend of the house,"),
    ],
)
def test_a_client_without_a_name_is_greeted_all_the_same(
    unnamed: Document, salutation: str
) -> None:
    document = with_letters(letter("up", **unnamed), promotion={"letter": "up"})

    assert written(document)["2026-01-02 promoted"].text == salutation
    assert written(document, MARIA)["2026-01-02 promoted"].text == "Dear Maria Stuart,"


def test_who_has_no_counterpart_turns_to_their_manager() -> None:
    for to, who in ((Addressee(), "your manager"), (MARIA, "Bess")):
        assert f"please turn to {who}." in written(with_letters(), to)["2026-01-02 promoted"].text


UKRAINIAN = {
    "key": "up",
    "subject": {"en": "Now $tier", "uk": "Тепер $tier"},
    "body": {"en": "Dear $client, $date: $figures", "uk": "Вітаємо, $client! $date: $figures"},
    "unnamed": {"en": "client", "uk": "друже"},
}


def _two_languages() -> Document:
    document = with_letters(UKRAINIAN, promotion={"letter": "up"}, languages=["en", "uk"])
    document["tiers"][2]["name"] = {"en": "Gold", "uk": "Золото"}
    document["metrics"][0]["name"] = {"en": "Spend", "uk": "Оборот"}
    return document


@pytest.mark.parametrize(
    ("wanted", "language", "subject", "text"),
    [
        ("uk", "uk", "Тепер Золото", "Вітаємо, друже! 2 січня 2026 року: – Оборот: 5 000"),
        ("uk-UA", "uk-UA", "Тепер Золото", "Вітаємо, друже! 2 січня 2026 року: – Оборот: 5 000"),
        ("en-GB", "en-GB", "Now Gold", "Dear client, 2 January 2026: – Spend: 5,000"),
        ("en", "en", "Now Gold", "Dear client, January 2, 2026: – Spend: 5,000"),
        ("de", "en", "Now Gold", "Dear client, January 2, 2026: – Spend: 5,000"),
        ("", "en", "Now Gold", "Dear client, January 2, 2026: – Spend: 5,000"),
        (None, "en", "Now Gold", "Dear client, January 2, 2026: – Spend: 5,000"),
    ],
)
def test_a_client_is_written_to_in_their_language_else_in_the_policys_first(
    wanted: str | None, language: str, subject: str, text: str
) -> None:
    life = {"2026-01-01": 20, "2026-01-02": 5000}
    found = written(_two_languages(), life=life, language=wanted)["2026-01-02 promoted"]

    said = found.text.replace("\xa0", " ").replace("\u202f", " ")
    assert (found.language, found.subject, said) == (language, subject, text)


def test_a_letter_of_ours_is_in_a_language_that_we_have_words_for() -> None:
    for wanted, language, hello in (
        *(("de", "en", "Dear Maria Stuart,"), ("en-GB", "en-GB", "Dear Maria Stuart,")),
        *((None, "en", "Dear Maria Stuart,"), ("nonsense!", "en", "Dear Maria Stuart,")),
        *(("uk", "uk", "Доброго дня, Maria Stuart!"), ("uk-UA", "uk-UA", "Доброго дня, Maria")),
    ):
        found = written(with_letters(), MARIA, language=wanted)["2026-03-01 notice_given"]

        assert found.language == language
        assert found.text.startswith(hello)


# -- nothing a client is called makes anything happen ------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "$tier $$ ${rule}",
        "%(tier)s {tier} {{tier}}",
        'O\'Brien & "Sons" <b>',
        "מריה בע״מ",
        "x" * 200,
    ],
)
@pytest.mark.parametrize("event", EVENTS)
def test_a_name_stands_in_a_letter_as_it_is(name: str, event: str) -> None:
    found = written(with_letters(), Addressee(name, name))[event]

    assert found.text.startswith(f"Dear {name},\n")
    assert not re.search("<(?!/?p>|br>)", found.html)


def test_no_name_adds_lines_to_a_subject() -> None:
    document = with_letters(
        {**letter("up"), "subject": names("For $client")}, promotion={"letter": "up"}
    )
    found = written(document, Addressee("Maria\r\nBcc: all@example.com"))["2026-01-02 promoted"]

    assert found.subject == "For Maria Bcc: all@example.com"


def test_the_same_change_gives_the_same_letter() -> None:
    for each in changes(with_letters(), LIFE):
        assert list(letters_of(each, MARIA)) == list(letters_of(each, MARIA))


# -- when the rules change ---------------------------------------------------------------------


def test_a_run_that_was_announced_is_told_by_the_letters_and_dates_of_its_own_version() -> None:
    former = _ready_with("former", 30)
    [_, announced, *_] = changes(former, {"2026-01-01": 50, "2026-03-01": 10})
    in_force = changes(_ready_with("new", 5), {"2026-01-01": 50, "2026-03-01": 10})[0].in_force
    policy = announced.in_force.policy
    found = Findings.of(policy, announced.in_force.judge.judge({"spend": 10}), {"spend": 10})
    later = replace(
        announced,
        in_force=replace(in_force, number=2),
        before=announced.standing,
        older={0: Ruling(policy, found)},
    )

    [told] = letters_of(later, MARIA)

    assert told.subject == "former: gold"
    assert told.text == "– from March 31, 2026: base instead of gold"


def _ready_with(key: str, days: int) -> Document:
    steps = [{"kind": "notice", "letter": key}, {"kind": "demote", "days": days, "to": "entitled"}]
    return with_letters(letter(key, "$ahead"), way={**WAY, "steps": steps})
