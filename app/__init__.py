"""Merit: who is a VIP client, by written rules."""

from __future__ import annotations

import os
from typing import Any

import structlog
from flask import Flask

from app.api import register_api
from app.cli.demo import demo
from app.cli.effect import policy_commands
from app.cli.history import history_commands
from app.cli.hooks import hook_commands
from app.cli.imports import import_commands
from app.cli.installation import database_commands, public_page, setup
from app.cli.measures import measure_commands
from app.cli.notices import notice_commands
from app.cli.people import key_commands, user_commands
from app.cli.review import review_command
from app.cli.tiers import tiers
from app.cli.worker import job_commands, worker
from app.clock import Clock, system_clock
from app.config import Config
from app.logs import configure_logs
from app.merit import Merit


class _Application(Flask):
    """Flask, with its log among ours."""

    def log_exception(self, exc_info: Any) -> None:
        structlog.get_logger().error("unforeseen", exc_info=exc_info)


def create_app(config: Config | None = None, clock: Clock = system_clock) -> Flask:
    """Put the application together: the API and the commands.

    :param config: the settings; the environment's if left out.
    :param clock: where the time comes from.
    """
    config = config or Config.from_environment(os.environ)
    configure_logs()
    app = _Application("merit", static_folder=None, template_folder=None)
    Merit(config, clock).install(app)
    register_api(app)
    for command in (
        database_commands,
        demo,
        history_commands,
        hook_commands,
        import_commands,
        job_commands,
        key_commands,
        measure_commands,
        notice_commands,
        policy_commands,
        public_page,
        review_command,
        setup,
        tiers,
        user_commands,
        worker,
    ):
        app.cli.add_command(command)
    return app
