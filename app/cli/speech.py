"""What commands say: sentences, never a traceback, and an exit status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.database import DatabaseUnsuitable
from app.services.errors import Invalid, Refused
from app.services.installation import NotSetUp
from app.services.policies import ExamplesFail, PolicyUnreadable
from app.services.rulebook import NoPolicy, PolicyUnusable
from app.services.sending import NetworksInvalid, NotSent
from app.services.tables import TableInvalid
from app.services.trial import TrialFailed
from app.words import Words
from rules.document import DocumentInvalid
from rules.engine import EngineFailure
from rules.judge import Disagreement
from rules.messages import Message


def say(message: Message, *, err: bool = False) -> None:
    """Print a sentence."""
    click.echo(Words().sentence(message), err=err)


@contextmanager
def said_plainly() -> Iterator[None]:
    """Turn what may go wrong into sentences and an exit status, never a traceback."""
    try:
        yield
    except (DocumentInvalid, Invalid, TableInvalid) as error:
        raise click.ClickException("\n" + str(error)) from error
    except ExamplesFail as error:
        raise click.ClickException(str(error)) from error
    except (
        DatabaseUnsuitable,
        Disagreement,
        EngineFailure,
        NetworksInvalid,
        NoPolicy,
        NotSent,
        NotSetUp,
        PolicyUnreadable,
        PolicyUnusable,
        Refused,
        TrialFailed,
    ) as error:
        raise click.ClickException(error.message) from error
    except (OperationalError, ProgrammingError) as error:
        message = Message(
            "The database does not answer, or its tables are not those of this program; "
            "flask database upgrade brings them up to date. It says: %(reason)s",
            reason=str(error.orig).strip().partition("\n")[0],
        )
        raise click.ClickException(message) from error
