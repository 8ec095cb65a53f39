"""Lists of what is recorded, to look through and to export: read-only views of tables."""

from __future__ import annotations

from typing import Any

from flask_admin.contrib.sqla import ModelView
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine

from admin.language import words
from admin.views import View, page
from app.merit import Merit
from app.models import Activity, Client, Decision, HookDelivery, Job, StandingEvent
from app.services.authority import Permission
from app.services.spreadsheet import neutral
from rules.messages import N_

_AUDIT = (Permission.READ_HISTORY,)
_OPERATION = (Permission.READ_HISTORY, Permission.MANAGE_ACCOUNTS)
_READING = ("index_view", "details_view", "export")
_FARTHEST = 10**6
"""The last page that is asked of the database; it knows no numbers beyond its own."""


class Tables(SQLAlchemy):
    """The same database as everybody's, opened to read: no engine is made here."""

    def __init__(self, found: Merit) -> None:
        super().__init__(disable_autonaming=True)
        self._merit = found

    def _make_engine(self, *_: Any) -> Engine:
        return self._merit.database.reader


_COLUMNS = {
    "amount": N_("Amount"),
    "at": N_("Time"),
    "attempts": N_("Attempts"),
    "attributes": N_("Attributes"),
    "batch": N_("Batch"),
    "before": N_("Tier before"),
    "benefits": N_("Benefits"),
    "channel": N_("Channel"),
    "client_id": N_("Client"),
    "created_at": N_("Added"),
    "cursor": N_("Done up to"),
    "day": N_("Day"),
    "decision_id": N_("Decision"),
    "done": N_("Done"),
    "due_at": N_("Due"),
    "ended_at": N_("Ended"),
    "entitled": N_("Tier entitled to"),
    "error": N_("Error"),
    "external_id": N_("Number in the source"),
    "failures": N_("Failures"),
    "fence": N_("Turn"),
    "finished_at": N_("Finished"),
    "held": N_("Tier held"),
    "id": N_("Number"),
    "key": N_("Key"),
    "kind": N_("Kind"),
    "leased_until": N_("Reserved until"),
    "message_id": N_("Message"),
    "policy_version": N_("Version of the policy"),
    "product": N_("Product"),
    "quantity": N_("Quantity"),
    "receiver_id": N_("Receiver"),
    "report": N_("Report"),
    "source": N_("Source"),
    "state": N_("State"),
    "status": N_("HTTP status"),
    "subject": N_("Subject"),
    "tier": N_("Tier"),
    "total": N_("Total"),
    "voids": N_("Takes out"),
    "worker": N_("Worker"),
}
"""How the columns of all tables are called."""


class RecordList(View, ModelView):
    """One table: a list that can be searched, sorted and exported, and each row by itself."""

    takes: tuple[Permission, ...] = _AUDIT
    title: str
    can_create = can_edit = can_delete = False
    can_view_details = can_export = True
    page_size = 50
    export_max_rows = 10_000
    list_template = "records/list.html"
    details_template = "records/details.html"
    column_display_pk = True
    column_labels = _COLUMNS

    def __init__(self, model: type[Any], tables: Tables) -> None:
        name = model.__tablename__
        self.column_details_list = [each.key for each in model.__table__.columns]
        super().__init__(model, tables, endpoint=f"records_{name}", url=f"/records/{name}")

    def create_blueprint(self, admin: Any) -> Any:
        """Serve what reads; what the library brings to write has no address."""
        self._urls: Any = [each for each in self._urls if each[1] in _READING]
        return super().create_blueprint(admin)

    def get_list(self, page: int, *args: Any, **kwargs: Any) -> Any:
        return super().get_list(min(page, _FARTHEST), *args, **kwargs)

    def search_placeholder(self) -> str:
        names = self.column_searchable_list or ()
        return ", ".join(words().gettext(_COLUMNS[str(name)]) for name in names)

    def get_list_value(self, context: Any, model: Any, name: str) -> Any:
        return self._shown(model, name)

    def get_detail_value(self, context: Any, model: Any, name: str) -> Any:
        return self._shown(model, name)

    def get_export_value(self, model: Any, name: str) -> str:
        return neutral(str(self._shown(model, name) or ""))

    def _shown(self, model: Any, name: str) -> Any:
        """Return a value; of a client the reference, by which everybody knows them."""
        value = getattr(model, name)
        if name != "client_id" or value is None:
            return value
        client = self.session.session.get(Client, value)
        return value if client is None else client.reference


class Records(View):
    """Which lists there are."""

    label = N_("Records")

    def __init__(self, lists: tuple[RecordList, ...]) -> None:
        self._lists = lists
        super().__init__(endpoint="records", url="/records")

    @page("/", *_OPERATION)
    def index(self) -> str:
        lists = [each for each in self._lists if each.is_accessible()]
        return self.render("records/index.html", lists=lists)


class Activities(RecordList):
    title = N_("Activities")
    column_list = ("id", "client_id", "day", "kind", "amount", "source", "external_id")
    column_default_sort = ("id", True)
    column_searchable_list = ("kind", "external_id")


class Decisions(RecordList):
    title = N_("Decisions")
    column_list = ("id", "client_id", "day", "at", "policy_version", "entitled", "held", "tier")
    column_default_sort = ("at", True)
    column_searchable_list = ("id", "tier")


class Events(RecordList):
    title = N_("Events of standings")
    column_list = ("id", "client_id", "day", "kind", "before", "tier", "decision_id")
    column_default_sort = ("id", True)
    column_searchable_list = ("kind", "tier")


class Jobs(RecordList):
    title = N_("Jobs")
    takes = _OPERATION
    column_list = ("id", "kind", "key", "state", "due_at", "done", "total", "failures", "error")
    column_default_sort = ("due_at", True)
    column_searchable_list = ("kind", "state")


class Deliveries(RecordList):
    title = N_("Messages to other systems")
    takes = _OPERATION
    column_list = ("id", "receiver_id", "state", "due_at", "attempts", "status", "error")
    column_default_sort = ("id", True)
    column_searchable_list = ("state",)


def records(tables: Tables) -> tuple[View, ...]:
    """Return the page of lists and the lists."""
    lists = (
        Activities(Activity, tables),
        Decisions(Decision, tables),
        Events(StandingEvent, tables),
        Jobs(Job, tables),
        Deliveries(HookDelivery, tables),
    )
    return Records(lists), *lists
