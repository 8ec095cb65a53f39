"""``policy``: documents checked, read back in words, and tried on clients."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import IO, Any

import click
from flask.cli import AppGroup

from app.cli.figures import DayParameter, Pair, bar, show_tiers
from app.cli.letters import show_letter
from app.cli.speech import said_plainly
from app.clock import business_date
from app.merit import merit
from app.policy_schema import policy_json_schema
from app.services.evaluations import Question, answer_for, read_question
from app.services.letters import Addressee, letters_of
from app.services.policies import PolicyInForce, prepare, read_document
from app.services.rehearsal import change, read_sequence, rehearse, written
from app.services.tables import Table, TableInvalid, read_clients
from app.words import Words
from rules.compare import compare
from rules.describe import describe
from rules.document import Problem, load
from rules.document.strict_json import JsonRefused, dumps, loads
from rules.facts import FactsInvalid, too_large, write_value
from rules.measure import CannotMeasure, Client, measure
from rules.messages import Listed, Message
from rules.policy import Activities, Attribute, AttributeHistory, Facts, Policy

policy_commands = AppGroup("policy", help="Check, read and try policy documents.")

_existing = click.Path(path_type=Path)


@policy_commands.command("validate")
@click.argument("policy", type=_existing)
def validate(policy: Path) -> None:
    """Check a policy document, name every error in it, and try it out on the engine."""
    with said_plainly():
        found = prepare(read_document(policy)).policy
    message = Message(
        "%(path)s is a policy with %(metrics)d metrics and the tiers %(tiers)s; its digest is "
        "%(digest)s.",
        path=str(policy),
        metrics=len(found.metrics),
        tiers=Listed(tuple(tier.key for tier in found.tiers)),
        digest=found.digest,
    )
    click.echo(Words().say(message))


@policy_commands.command("show")
@click.argument("policy", type=_existing)
@click.option("--language", default="en", show_default=True, help="Language of the sentences.")
def show(policy: Path, language: str) -> None:
    """Say in plain sentences what a policy holds."""
    with said_plainly():
        found = load(read_document(policy))
    words = Words.negotiated([language])
    for line in describe(found):
        click.echo("  " * line.depth + words.say(line.sentence))


@policy_commands.command("diff")
@click.argument("former", type=_existing)
@click.argument("policy", type=_existing)
@click.option("--language", default="en", show_default=True, help="Language of the sentences.")
def diff(former: Path, policy: Path, language: str) -> None:
    """Say in plain sentences in what POLICY differs from FORMER; nothing where they are equal."""
    with said_plainly():
        found = compare(load(read_document(former)), load(read_document(policy)))
    words = Words.negotiated([language])
    for each in found:
        click.echo(words.say(each.subject))
        for sign, lines in (("-", each.before), ("+", each.after)):
            for line in lines:
                click.echo(f"  {sign} {'  ' * line.depth}{words.say(line.sentence)}")


@policy_commands.command("schema")
def schema() -> None:
    """Print the JSON Schema of policy documents, as the code has it."""
    click.echo(dumps(policy_json_schema(), indent=2))


@policy_commands.command("evaluate")
@click.argument("policy", type=_existing)
@click.argument("facts", type=_existing, required=False)
@click.option("--activities", type=_existing, help="Activities of clients, as CSV.")
@click.option("--clients", type=_existing, help="Attributes of clients, as CSV.")
@click.option("--date", "day", type=DayParameter(), help="The business date; today if not given.")
@click.option(
    "--column",
    "columns",
    type=Pair("FIELD=COLUMN"),
    multiple=True,
    help="Where a field of --activities is: client, date, kind, amount, quantity, product, "
    "channel or attribute:NAME. May be repeated.",
)
@click.option(
    "--client-column",
    "client_columns",
    type=Pair("FIELD=COLUMN"),
    multiple=True,
    help="Where a field of --clients is: client, date or attribute:NAME. May be repeated.",
)
@click.option("--format", "form", type=click.Choice(["ndjson", "csv"]), default="ndjson")
@click.option("--output", type=click.File("w", "utf-8"), default="-", help="Else standard output.")
@click.option("--language", default="en", show_default=True, help="Language of the sentences.")
def evaluate(  # noqa: PLR0913 - one argument per option is how click gives them
    policy: Path,
    facts: Path | None,
    *,
    activities: Path | None,
    clients: Path | None,
    day: date | None,
    columns: tuple[tuple[str, str], ...],
    client_columns: tuple[tuple[str, str], ...],
    form: str,
    output: IO[str],
    language: str,
) -> None:
    """Judge clients by a policy: flat FACTS (NDJSON), or metrics measured from --activities.

    One decision a line goes to the output, in the order of the input; how many clients hold
    what, and anything that could not be judged, to standard error.
    """
    source = facts or activities
    if source is None:
        raise click.UsageError("Give a file of FACTS, or --activities.")
    if facts is not None and (activities or clients):
        raise click.UsageError("Give a file of FACTS or --activities, not both.")
    with said_plainly():
        in_force = prepare(read_document(policy))
        day = day or business_date(merit().clock, in_force.policy.time_zone)
        problems: list[Problem] = []
        if source is facts:
            questions = _from_facts(in_force.policy, source, day, problems)
        else:
            table = Table(source, dict(columns))
            of_clients = Table(clients, dict(client_columns)) if clients else None
            questions = _from_activities(in_force.policy, table, of_clients, day, problems)
        if form == "csv":
            write = _write_csv(in_force, output)
        else:
            write = _write_ndjson(in_force, output, Words.negotiated([language]))
        _judge(in_force.policy, questions, write)
        if problems:
            raise TableInvalid(source, problems)


@policy_commands.command("rehearse")
@click.argument("policy", type=_existing)
@click.argument("sequence", type=_existing)
@click.option("--letters", is_flag=True, help="Print the letters that would go out instead.")
@click.option("--language", help="The client's language, in which they are written to.")
@click.option("--name", help="The client's name, as it would stand in the letters.")
def rehearse_policy(
    policy: Path, sequence: Path, *, letters: bool, language: str | None, name: str | None
) -> None:
    """Say how a client would stand over time: SEQUENCE (JSON) has dated facts, in order.

    One line of JSON for each date: the tier that the facts give, the tier held, on what ground and
    until when, and what happened.
    """
    with said_plainly():
        ready = prepare(read_document(policy))
        try:
            dated = read_sequence(ready.policy, read_document(sequence))
        except FactsInvalid as error:
            raise TableInvalid(sequence, error.problems) from error
        for found in rehearse(ready, dated):
            if not letters:
                click.echo(dumps(written(ready.policy, found)))
                continue
            for letter in letters_of(change(ready, found, language), Addressee(name)):
                show_letter(found.standing.as_of, letter)


Writer = Callable[[Question, Facts], str]
"""Judges one client, writes the decision, and returns the name of the tier."""


def _judge(policy: Policy, questions: Iterable[tuple[Question, Facts]], write: Writer) -> None:
    """Judge and write all, then say how many hold what."""
    held: Counter[str] = Counter({tier.key: 0 for tier in reversed(policy.tiers)})
    for question, facts in questions:
        held[write(question, facts)] += 1
    show_tiers(held, err=True)


def _write_ndjson(in_force: PolicyInForce, output: IO[str], words: Words) -> Writer:
    def write(question: Question, facts: Facts) -> str:
        found = answer_for(in_force, question, facts, words)
        output.write(dumps(found) + "\n")
        return _UNDETERMINED if found["tier"] is None else str(found["tier"]["key"])

    return write


def _write_csv(in_force: PolicyInForce, output: IO[str]) -> Writer:
    policy = in_force.policy
    table = csv.writer(output, lineterminator="\n")
    table.writerow(["client", "date", "tier", *policy.metrics])

    def write(question: Question, facts: Facts) -> str:
        verdict = in_force.judge.judge(facts)
        tier = _UNDETERMINED if verdict.open_tiers else policy.tiers[verdict.tier].key
        values = (_cell(write_value(each, facts.get(key))) for key, each in policy.metrics.items())
        table.writerow([question.client, question.date.isoformat(), tier, *values])
        return tier

    return write


def _cell(value: object) -> object:
    """Return what stands in a cell: true and false as in JSON."""
    return str(value).lower() if isinstance(value, bool) else value


_UNDETERMINED = "undetermined"


def _from_facts(
    policy: Policy, path: Path, day: date, problems: list[Problem]
) -> Iterator[tuple[Question, Facts]]:
    """Yield the questions of a file of facts; append to ``problems`` what each bad line has."""
    with _progress(path) as advance:
        for number, line in enumerate(_lines(path), 1):
            advance(len(line))
            if not line.strip():
                continue
            try:
                yield read_question(policy, loads(line), day)
            except JsonRefused as error:
                problems.append(Problem(f"line {number}", error.message))
            except FactsInvalid as error:
                problems += [
                    Problem(f"line {number}, {each.path}".rstrip(", "), each.message)
                    for each in error.problems
                ]


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as lines:
            yield from lines
    except OSError as error:
        raise TableInvalid(path, [Problem("", error.strerror or str(error))]) from error


def _from_activities(
    policy: Policy, activities: Table, clients: Table | None, day: date, problems: list[Problem]
) -> Iterator[tuple[Question, Facts]]:
    """Yield what is measured of each client; append to ``problems`` whom that fails for."""
    with _progress(activities.path, *([clients.path] if clients else [])) as advance:
        recorded = read_clients(policy, activities, clients, advance)
    for warning in _never_seen(policy, recorded.values()):
        click.echo(Words().say(warning), err=True)
    with bar("Judging", len(recorded)) as advance:
        for reference, client in recorded.items():
            advance(1)
            try:
                facts = measure(policy, client, day)
            except CannotMeasure as error:
                problems.append(Problem(f"client {reference}", error.message))
                continue
            if large := list(too_large(policy, facts)):
                problems += [
                    Problem(f"client {reference}, {each.path}", each.message) for each in large
                ]
                continue
            yield Question(day, client=reference), facts


def _never_seen(policy: Policy, clients: Collection[Client]) -> Iterator[Message]:
    """Say what the policy measures and nobody has: most likely it is misspelt."""
    kinds: set[str] = set()
    attributes: set[str] = set()
    for metric in policy.metrics.values():
        if isinstance(metric.source, Activities):
            kinds.update(metric.source.kinds)
        elif isinstance(metric.source, Attribute | AttributeHistory):
            attributes.add(metric.source.attribute)
    for client in clients:
        kinds -= {each.kind for each in client.activities}
        attributes -= client.statements.keys()
    for kind in sorted(kinds):
        yield Message("No activity is of the kind %(kind)s, which the policy counts.", kind=kind)
    for name in sorted(attributes):
        yield Message("No client has the attribute %(name)s, which the policy reads.", name=name)


def _progress(*paths: Path) -> Any:
    size = sum(path.stat().st_size for path in paths if path.exists())
    return bar("Reading", size)
