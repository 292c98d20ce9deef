"""Rows as instances of the table classes, made without the cost of validation or of the ORM's bookkeeping."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.orm import configure_mappers

import authctl.server.storage.tables  # noqa: F401  the classes have to exist before they are configured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table
    from sqlmodel import SQLModel

    M = TypeVar("M", bound="SQLModel")

# Attribute access on the classes works only after this; the ORM would do it at its first query.
configure_mappers()

_set = object.__setattr__


def table_of(model: type[SQLModel]) -> Table:
    """The Core table behind a model class."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


def hydrate(model: type[M], names: Sequence[str], values: Sequence[object]) -> M:
    """A row as an instance of `model`: for reading only, about 40 times cheaper than its constructor."""
    row = object.__new__(model)
    _set(row, "__dict__", dict(zip(names, values, strict=True)))
    _set(row, "__pydantic_fields_set__", set())
    _set(row, "__pydantic_extra__", None)
    _set(row, "__pydantic_private__", None)
    return row


def make(model: type[M], **values: object) -> M:
    """A new row from values that the caller has made sure of; defaults come from the class."""
    filled = {
        name: field.get_default(call_default_factory=True, validated_data={})
        for name, field in model.model_fields.items()
        if name not in values
    }
    return hydrate(model, (*values, *filled), (*values.values(), *filled.values()))
