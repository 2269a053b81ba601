"""A request to a venue, taken apart once."""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl

from coffers.sandbox import refusals


@dataclass(frozen=True, slots=True)
class Call:
    """What a client sent to a venue.

    `path` is the venue's own (`/api/v3/account`), `query` and `body` are raw as sent, `key` is the
    public half from the header (empty: none), `address` is where it came from.
    """

    venue: str
    method: str
    path: str
    query: str = ""
    body: str = ""
    key: str = ""
    address: str = ""
    params: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        pairs = parse_qsl(self.query, keep_blank_values=True)
        pairs += parse_qsl(self.body, keep_blank_values=True)
        object.__setattr__(self, "params", dict(pairs))

    def text(self, name: str) -> str:
        """Return a parameter that must be there.

        Raises:
            Refused: when it is not.
        """
        value = self.params.get(name, "")
        if not value:
            raise refusals.missing(name)
        return value

    def texts(self, name: str) -> list[str]:
        """Return the values of a parameter that may be sent several times.

        Raises:
            Refused: when it is not sent.
        """
        self.text(name)
        pairs = parse_qsl(self.query) + parse_qsl(self.body)
        return [value for each, value in pairs if each == name]

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole-number parameter, or the default where it is not sent.

        Raises:
            Refused: when it is no number, or missing without a default.
        """
        value = self.params.get(name, "")
        if not value and default is not None:
            return default
        try:
            return int(self.text(name))
        except ValueError:
            raise refusals.malformed(name) from None

    def amount(self, name: str) -> Decimal | None:
        """Return a decimal parameter, None where it is not sent.

        Raises:
            Refused: when it is no positive number.
        """
        value = self.params.get(name, "")
        if not value:
            return None
        try:
            amount = Decimal(value)
        except InvalidOperation:
            raise refusals.malformed(name) from None
        if not amount.is_finite() or amount <= 0:
            raise refusals.malformed(name)
        return amount
