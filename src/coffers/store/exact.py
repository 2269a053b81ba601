"""Column types: decimals that keep every digit, and lists kept as JSON."""

from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Numeric, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from coffers import money


class Exact(TypeDecorator[Decimal]):
    """A decimal of any length: NUMERIC on PostgreSQL, plain text on SQLite; never a float."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that this database keeps decimals in."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(asdecimal=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        """Hand a decimal to the database."""
        if value is None or dialect.name == "postgresql":
            return value
        return f"{value:f}"

    def process_result_value(self, value: Any | None, _dialect: Dialect) -> Decimal | None:  # noqa: ANN401 - what a driver gives
        """Take a decimal from the database, in the one form that equal numbers share."""
        return None if value is None else Decimal(value) or money.ZERO


class Texts(TypeDecorator[tuple[str, ...]]):
    """A list of texts, kept as JSON."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, _dialect: Dialect) -> str | None:
        """Hand a list to the database."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: Any | None, _dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ANN401 - what a driver gives
        """Take a list from the database."""
        return None if value is None else msgspec.json.decode(value, type=tuple[str, ...])
