"""Templates of letters: what may stand in them, and that nothing else ever happens in one."""

from __future__ import annotations

import re
from html import unescape
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.letters import (
    ABOUT_AN_END,
    IN_SUBJECTS,
    OCCASIONS,
    PLACEHOLDERS,
    Occasion,
    as_html,
    fill,
    names_in,
    template_problems,
)
from rules.notices import MEANINGS

KNOWN = frozenset({"client", "rule"})


# -- names -------------------------------------------------------------------------------------


def test_every_name_has_a_meaning_and_every_meaning_a_name() -> None:
    assert {*MEANINGS, "client", "contact"} == set(PLACEHOLDERS)
    assert PLACEHOLDERS.keys() >= ABOUT_AN_END | IN_SUBJECTS
    assert tuple(OCCASIONS) == get_args(Occasion)


@pytest.mark.parametrize("template", ["", "$client", "${client}: $rule", "$$5", "$$client", "5 %"])
def test_a_template_of_known_names_is_right(template: str) -> None:
    assert list(template_problems(template, KNOWN)) == []


@pytest.mark.parametrize("template", ["$", "5 $", "$5", "${}", "${client", "$-", "$$$", "$ клієнт"])
def test_a_dollar_that_begins_no_name_is_refused(template: str) -> None:
    [problem] = template_problems(template, KNOWN)

    assert problem == "a $ that no name follows is written $$; names are $client, $rule"


@pytest.mark.parametrize("name", ["clients", "Client", "CLIENT", "client_", "tier", "__class__"])
def test_an_unknown_name_is_refused_and_the_known_are_listed(name: str) -> None:
    for template in (f"${name}", f"${{{name}}} twice ${name}"):
        [problem] = template_problems(template, KNOWN)

        assert problem == f"nothing stands for ${name} here; names are $client, $rule"


@pytest.mark.parametrize(
    "template",
    ["{client}", "{client.__class__}", "%(client)s", "{{ client }}", "{% raw %}", "`client`"],
)
def test_no_other_sort_of_template_means_anything(template: str) -> None:
    assert list(template_problems(template, KNOWN)) == []
    assert fill(template, {"client": ["Maria"]}) == template


def test_each_name_is_returned_once() -> None:
    assert names_in("$client ${client} $rule $$tier") == ["client", "rule"]


# -- text --------------------------------------------------------------------------------------


def test_values_stand_in_the_places_of_their_names() -> None:
    text = fill("Dear $client,\n\n${rule}!\n$$5", {"client": ["Maria"], "rule": ["– a", "– b"]})

    assert text == "Dear Maria,\n\n– a\n– b!\n$5"


@pytest.mark.parametrize(
    "name", ["$rule", "${rule}", "$$", "$", "$5", "%s", "{0}", "\\1", "\\g<0>"]
)
def test_what_stands_in_a_value_is_never_read_again(name: str) -> None:
    assert fill("$client $rule", {"client": [name], "rule": ["x"]}) == f"{name} x"


def test_a_paragraph_with_nothing_to_say_is_left_out() -> None:
    assert fill("A\n\n$rule\n\n \t\n\n\nB\n", {"rule": []}) == "A\n\nB"
    assert fill("A\n$rule\nB", {"rule": []}) == "A\nB"


@pytest.mark.parametrize(
    "name",
    [
        "Maria\n\nStuart",
        "Maria\r\nStuart",
        "Maria\u2028Stuart",
        "Maria\u2029Stuart",
        "Maria\x85Stuart",
        "Maria\x0bStuart",
        "Maria\u202eStuart",
        "Maria\u2067\u2066Stuart",
        "Maria\x1b\x00Stuart",
        "\u200fMaria Stuart\n",
    ],
)
def test_a_value_keeps_to_its_line_and_turns_no_text_around(name: str) -> None:
    assert fill("Dear $client,", {"client": [name]}) == "Dear Maria Stuart,"


@pytest.mark.parametrize("name", ["מריה", "شركة «النور»", 'O\'Brien "Bob"', "Zoë 👩\u200d🚀", "李"])
def test_a_name_of_any_script_stands_as_it_is_written(name: str) -> None:
    assert fill("Dear $client,", {"client": [name]}) == f"Dear {name},"


def test_a_very_long_letter_is_whole() -> None:
    rows = [f"– {'x' * 500} {number}" for number in range(2000)]
    text = fill("$client\n\n$rule", {"client": ["y" * 200], "rule": rows})

    assert text == "y" * 200 + "\n\n" + "\n".join(rows)


# -- HTML --------------------------------------------------------------------------------------


def test_html_has_paragraphs_and_lines_and_all_else_escaped() -> None:
    text = 'Dear <b>Maria</b> & "Co",\n\n– it\'s 5 < 6\n– 7'

    assert as_html(text) == (
        "<p>Dear &lt;b&gt;Maria&lt;/b&gt; &amp; &quot;Co&quot;,</p>\n"
        "<p>– it&#x27;s 5 &lt; 6<br>\n– 7</p>"
    )


ATTACKS = [
    "<script>alert(1)</script>",
    "</p><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onload='alert(1)",
    "&lt;script&gt;",
    "<!--",
    "javascript:alert(1)",
    "<p>",
]


@pytest.mark.parametrize("name", ATTACKS)
def test_no_name_is_taken_for_html(name: str) -> None:
    html = as_html(fill("Dear $client,", {"client": [name]}))

    assert re.fullmatch(r"<p>[^<>\"']*</p>", html)
    assert unescape(html) == f"<p>Dear {name},</p>"


@pytest.mark.parametrize("template", ATTACKS)
def test_no_template_is_taken_for_html(template: str) -> None:
    assert re.fullmatch(r"<p>[^<>\"']*</p>", as_html(fill(template, {})))


texts = st.text(st.characters(codec="utf-8"), max_size=60) | st.text("a \n\t<>&\"'$", max_size=40)


@given(texts)
def test_html_says_what_the_text_says(text: str) -> None:
    html = as_html(text)
    bare = html.replace("<p>", "").replace("</p>", "").replace("<br>", "")

    assert not set("<>\"'") & set(bare)
    words = unescape(bare).split()
    assert words == text.split()


@given(client=texts, rows=st.lists(texts, max_size=3))
def test_filling_never_fails_and_gives_the_same_again(client: str, rows: list[str]) -> None:
    values = {"client": [client], "rule": rows}
    text = fill("Dear $client,\n\n$rule\n\n$$", values)

    assert text == fill("Dear $client,\n\n$rule\n\n$$", values)
    assert text.startswith("Dear ")
    assert text.endswith("$")
    assert len(text.split("\n\n")) <= 3
