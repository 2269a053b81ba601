"""What the venue refuses, in its own words: HTTP status, code and message of each error."""

from collections.abc import Mapping


class Refused(Exception):
    """A request that the venue answers with an error body.

    Args:
        status: the HTTP status.
        code: the venue's own negative number.
        message: the venue's own sentence, exactly.
        headers: further response headers, such as Retry-After.
    """

    def __init__(
        self, status: int, code: int, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, object]:
        """The error body as the venue sends it."""
        return {"code": self.code, "msg": self.message}


def key_refused() -> Refused:
    """Return the answer to an unknown or revoked key, or one that may not do this."""
    return Refused(401, -2015, "Invalid API-key, IP, or permissions for action.")


def address_refused(address: str) -> Refused:
    """Return the answer to a key that may not be used from this address."""
    message = f"Invalid API-key, IP, or permissions for action, request ip: {address}"
    return Refused(401, -2015, message)


def key_malformed() -> Refused:
    """Return the answer to a key that cannot be one, or to none."""
    return Refused(401, -2014, "API-key format invalid.")


def signature_wrong() -> Refused:
    """Return the answer to a request that was signed with another secret."""
    return Refused(400, -1022, "Signature for this request is not valid.")


def stale_timestamp() -> Refused:
    """Return the answer to a request that took longer than its recvWindow."""
    return Refused(400, -1021, "Timestamp for this request is outside of the recvWindow.")


def early_timestamp() -> Refused:
    """Return the answer to a request from a clock that is ahead."""
    message = "Timestamp for this request was 1000ms ahead of the server's time."
    return Refused(400, -1021, message)


def window_too_long() -> Refused:
    """Return the answer to a recvWindow beyond a minute."""
    return Refused(400, -1131, "recvWindow must be less than 60000.")


def missing(name: str) -> Refused:
    """Return the answer to a request without a parameter that it needs."""
    message = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    return Refused(400, -1102, message)


def malformed(name: str) -> Refused:
    """Return the answer to a parameter that is not of its kind."""
    return Refused(400, -1100, f"Illegal characters found in parameter '{name}'.")


def unknown_symbol() -> Refused:
    """Return the answer to a pair that the venue does not list."""
    return Refused(400, -1121, "Invalid symbol.")


def unknown_interval() -> Refused:
    """Return the answer to candles of an unknown length."""
    return Refused(400, -1120, "Invalid interval.")


def span_too_long() -> Refused:
    """Return the answer to a history window of more than 90 days."""
    return Refused(400, -4047, "Time interval must be within 0-90 days")


def unknown_network() -> Refused:
    """Return the answer to a question about a coin or a network that there is not."""
    return Refused(400, -4019, "The current currency is not open for recharge")


def deposits_closed() -> Refused:
    """Return the answer to a question for an address by a network that takes no deposits now."""
    return Refused(400, -9000, "Deposits for this network are currently closed")


def filter_failure(name: str) -> Refused:
    """Return the answer to an order outside one of its pair's filters."""
    return Refused(400, -1013, f"Filter failure: {name}")


def market_closed() -> Refused:
    """Return the answer to an order on a halted pair."""
    return Refused(400, -1013, "Market is closed.")


def order_refused(message: str) -> Refused:
    """Return the answer to an order that cannot be placed."""
    return Refused(400, -2010, message)


def unknown_order() -> Refused:
    """Return the answer to a question about an order that does not exist."""
    return Refused(400, -2013, "Order does not exist.")


def too_many(limit: int, retry_after: int) -> Refused:
    """Return the answer to a caller that has used up this minute's weight."""
    message = (
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
    )
    return Refused(429, -1003, message, {"retry-after": str(retry_after)})


def banned(until: int, retry_after: int) -> Refused:
    """Return the answer to a caller that went on regardless; `until` in milliseconds."""
    message = (
        f"Way too much request weight used; IP banned until {until}. "
        "Please use WebSocket Streams for live updates to avoid bans."
    )
    return Refused(418, -1003, message, {"retry-after": str(retry_after)})
