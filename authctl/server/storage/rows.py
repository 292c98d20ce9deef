"""Rows as instances of the table classes, made without the cost of validation or of the ORM's bookkeeping."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from sqlalchemy.orm import configure_mappers

import authctl.server.storage.tables  # noqa: F401  the classes have to exist before they are configured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


_defaults: dict[type[SQLModel], tuple[dict[str, object], dict[str, Callable[[], object]]]] = {}


def make(model: type[M], **values: object) -> M:
    """A new row from values that the caller has made sure of; defaults come from the class."""
    constants, factories = _defaults.get(model) or _read_defaults(model)
    row = {**constants, **values}
    for name, factory in factories.items():
        if name not in values:
            row[name] = factory()
    return hydrate(model, tuple(row), tuple(row.values()))


def _read_defaults(model: type[SQLModel]) -> tuple[dict[str, object], dict[str, Callable[[], object]]]:
    constants: dict[str, object] = {}
    factories: dict[str, Callable[[], object]] = {}
    for name, field in model.model_fields.items():
        if field.default_factory is not None:
            factories[name] = cast("Callable[[], object]", field.default_factory)
        elif not field.is_required():
            constants[name] = field.default
    _defaults[model] = constants, factories
    return constants, factories
