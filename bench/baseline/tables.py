"""The tables as classes of SQLAlchemy's ORM."""

from sqlalchemy.orm import DeclarativeBase, relationship

from coffers.store import tables


class Base(DeclarativeBase):
    """What the classes have in common."""


class User(Base):
    """Somebody who has accounts."""

    __table__ = tables.users


class Position(Base):
    """What an account holds of one asset in one wallet."""

    __table__ = tables.positions


class Account(Base):
    """A connection of a user."""

    __table__ = tables.accounts

    positions = relationship(Position, viewonly=True)


class ApiToken(Base):
    """What a caller proves itself with."""

    __table__ = tables.api_tokens

    user = relationship(User, viewonly=True)


class Book(Base):
    """The prices of one moment."""

    __table__ = tables.price_books
