"""What all tables have in common."""

from __future__ import annotations

import pytest
from sqlalchemy import DateTime, Float, Table

from app.models import Base
from app.models.base import Instant

TABLES = list(Base.metadata.tables.values())


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_no_column_is_a_float_or_a_time_without_offset(table: Table) -> None:
    for column in table.columns:
        assert not isinstance(column.type, Float | DateTime), column
        if column.name == "at" or column.name.endswith("_at"):
            assert isinstance(column.type, Instant), column


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_every_constraint_has_a_name_by_which_it_can_be_changed(table: Table) -> None:
    for each in (*table.constraints, *table.indexes):
        name = str(getattr(each, "name", None))
        assert table.name in name, each
        assert len(name) <= 63, each
