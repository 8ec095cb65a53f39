"""``flask hook``: receivers of web hooks, and what has become of what they were told."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from click.testing import Result

from app.merit import Merit
from tests.app.asking import served
from tests.app.company import Company, close, email
from tests.app.telling import announced, change, deliveries, in_force
from tests.receiving import Receiver, is_signed, receiving

Run = Callable[..., Result]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def company(company: Company) -> Iterator[Company]:
    """The company, configured to send to the machine itself."""
    config = replace(company.merit.config, hook_networks="127.0.0.0/8, ::1/128")
    found = replace(company, merit=Merit(config, company.clock))
    yield found
    close(found)


@pytest.fixture
def run(company: Company) -> Run:
    """Run a command, as the person ``by`` if one is named."""
    return running(company)


def running(company: Company) -> Run:
    runner = served(company).test_cli_runner()

    def run(*args: str, by: str | None = None) -> Result:
        words, environment = list(args), {}
        if by is not None:
            words += ["--as", email(by)]
            environment["MERIT_PASSWORD"] = company.passwords[by]
        before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
        result = runner.invoke(args=words, env=environment)
        for each, handler in before.items():
            signal.signal(each, handler)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return run


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout.rstrip("\n")


def refused(result: Result, reason: str) -> None:
    assert result.exit_code == 1
    assert reason in result.stderr


def added(run: Run, url: str) -> tuple[str, str]:
    """Add a receiver by command; return its id and its secret."""
    result = run("hook", "add", url, by="anna")
    found = re.search("receiver ([0-9a-f]{12}) is shown only now", result.stderr)
    assert found, result.output
    return found[1], said(result)


def test_a_receiver_is_added_told_and_listed(
    run: Run, company: Company, receiver: Receiver
) -> None:
    assert said(run("hook", "list")) == ""
    name, secret = added(run, receiver.url)
    announced(company, [change(in_force(company))])
    assert (
        said(run("hook", "list"))
        == f"{name}  active     waiting 1         delivered 0         given up 0         "
        f"{receiver.url}  (waiting since 2026-07-01 12:00 UTC)"
    )

    said(run("worker", "--once"))

    [received] = receiver.requests
    assert is_signed(received, secret)
    assert "waiting 0         delivered 1 " in said(run("hook", "list"))
    assert (
        said(run("hook", "deliveries", name))
        == f"{received.id}  delivered  2026-07-01 12:00:00 UTC  attempts 1  status 204"
    )


def test_what_failed_says_why_and_is_tried_again(
    run: Run, company: Company, receiver: Receiver
) -> None:
    receiver.treat = lambda *_: "hangs_up"
    name, _ = added(run, receiver.url)
    announced(company, [change(in_force(company))])
    said(run("worker", "--once"))
    line = said(run("hook", "deliveries", name))
    assert re.search(r"waiting +2026-07-01 12:00:05 UTC  attempts 1  localhost cannot be", line)

    receiver.treat = lambda *_: "takes"
    assert said(run("hook", "retry", name, by="ben")) == "Messages that are due now: 1"
    said(run("worker", "--once"))

    assert [each.state for each in deliveries(company)] == ["delivered"]


def test_a_rotated_secret_signs_beside_the_old_one(run: Run, receiver: Receiver) -> None:
    name, old = added(run, receiver.url)

    new = said(run("hook", "rotate", name, "--overlap-days", "7", by="anna"))

    assert "(two secrets until 2026-07-08 12:00 UTC)" in said(run("hook", "list"))
    assert said(run("hook", "test", name, by="anna")) == "The receiver answers with status 204."
    [received] = receiver.requests
    assert is_signed(received, old)
    assert is_signed(received, new)


def test_a_receiver_is_disabled_enabled_and_removed(run: Run, receiver: Receiver) -> None:
    name, _ = added(run, receiver.url)
    for verb, listed in (("disable", "disabled"), ("enable", "active"), ("remove", "")):
        assert name in said(run("hook", verb, name, by="anna"))
        assert listed in said(run("hook", "list"))
    assert said(run("hook", "list")) == ""


def test_a_test_that_fails_says_how(run: Run, receiver: Receiver) -> None:
    name, _ = added(run, receiver.url)

    receiver.treat = lambda *_: 403
    refused(run("hook", "test", name, by="anna"), "answers with status 403")
    receiver.treat = lambda *_: "hangs_up"
    refused(run("hook", "test", name, by="anna"), "cannot be reached, or hung up")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("example.com", "url: must be an address such as"),
        ("https://10.0.0.1/", "10.0.0.1 is 10.0.0.1, which is inside the network"),
        ("https://no-such-name.invalid/", "The name no-such-name.invalid has no address."),
        ("http://8.8.8.8/", "8.8.8.8 is outside the network: it takes https."),
    ],
)
def test_what_cannot_be_sent_to_is_not_added(run: Run, url: str, reason: str) -> None:
    refused(run("hook", "add", url, by="anna"), reason)
    assert said(run("hook", "list")) == ""


@pytest.mark.parametrize("verb", ["disable", "enable", "remove", "retry", "test"])
def test_who_may_not_and_what_is_not_there_is_said(run: Run, verb: str) -> None:
    refused(run("hook", verb, "0" * 12, by="edith"), "takes the role administrator")
    refused(run("hook", verb, "0" * 12, by="anna"), "There is no receiver 000000000000.")


def test_nobody_without_a_password_adds_a_receiver(run: Run, receiver: Receiver) -> None:
    refused(run("hook", "add", receiver.url, by="max"), "takes the role administrator")
    assert run("hook", "add", receiver.url).exit_code == 2
    refused(run("hook", "deliveries", "0" * 12), "There is no receiver 000000000000.")


def test_networks_that_are_none_stop_the_worker_with_a_sentence(company: Company) -> None:
    config = replace(company.merit.config, hook_networks="inside")
    wrong = replace(company, merit=Merit(config, company.clock))

    refused(running(wrong)("worker", "--once"), "MERIT_HOOK_NETWORKS: inside is not a network")
    close(wrong)
