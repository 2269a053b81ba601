"""The guard against an outage that looks like an empty account.

On 17 of 21 venues ccxt 4.5.90 makes an empty balance of `{}`, `[]` or a page of HTML with status
200, without an exception. What is not JSON is refused in `client`; here the answer must hold the
container that the venue keeps its amounts in, and ccxt must have found something in what is there.
"""

from collections.abc import Mapping, Sequence

from coffers.connectors.exchange.failures import Venue, unexpected
from coffers.connectors.exchange.rules import EVERY_WALLET, first, shapes

_ERROR_SIGNS = ("error", "errors", "err", "errorCode", "error_code", "errmsg", "err_msg")
_REFUSING = {"error", "fail", "failed", "failure"}


def check_shape(venue: Venue, wallet: str, answer: object, *, is_empty: bool) -> None:
    """Refuse an answer that cannot be a balance.

    Args:
        venue: who answered.
        wallet: which wallet was asked for.
        answer: the JSON of the last call.
        is_empty: whether ccxt found no currency in it.

    Raises:
        ConnectorFailure: when the shape is another one than the venue's.
    """
    by_wallet = first(shapes(), venue.family) or {}
    rules = by_wallet.get(wallet) or by_wallet.get(EVERY_WALLET)
    if rules:
        fits = any(_fits_all(rule, answer, is_empty=is_empty) for rule in rules)
    else:
        fits = _fits_generally(answer, is_empty=is_empty)
    if not fits:
        raise unexpected(venue, "it does not have the shape of a balance", "wrong_shape")


def value_at(value: object, path: Sequence[str]) -> object:
    """Return what is at the way in an answer, by keys and places; None where there is no way."""
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _fits_all(rule: str, answer: object, *, is_empty: bool) -> bool:
    """Judge an answer by a rule that may have several parts, joined by `&`."""
    return all(_fits(part, answer, is_empty=is_empty) for part in rule.split("&"))


def _fits(rule: str, answer: object, *, is_empty: bool) -> bool:
    """Judge an answer by one part of a rule, `path:kind` or `path:rows:field`.

    `array` and `object` hold one entry a currency, `objects` is an object of them that is never
    empty, `rows` hold entries of other wallets too, each with the `field`. A `value` is only
    there; a `found` value and a `listed` array come with some currency at least, perhaps of an
    earlier answer. `last` is false where no further page follows.
    """
    path, kind, field = (*rule.split(":"), "")[:3]
    found = value_at(answer, path.split(".") if path else [])
    match kind:
        case "array":
            fits = isinstance(found, list) and bool(found) is not is_empty
        case "object":
            fits = isinstance(found, Mapping) and bool(found) is not is_empty
        case "objects":
            fits = isinstance(found, Mapping) and not is_empty and _all_objects(found)
        case "rows":
            fits = isinstance(found, list) and all(
                value_at(row, [field]) is not None for row in found
            )
        case "listed":
            fits = isinstance(found, list) and not is_empty
        case "value":
            fits = found not in (None, "")
        case "last":
            fits = found in (None, False)
        case "found":
            fits = found not in (None, "") and not is_empty
        case _:
            raise ValueError(f"{kind!r} is no kind of shape")
    return fits


def _all_objects(found: Mapping[str, object]) -> bool:
    return all(isinstance(value, Mapping) for value in found.values())


def _fits_generally(answer: object, *, is_empty: bool) -> bool:
    """Judge a venue that no rule describes: something must be there, and it must not complain."""
    if not isinstance(answer, Mapping | list) or not answer:
        return False
    if not is_empty:
        return True
    if isinstance(answer, list):
        return False
    return not _complains(answer) and any(
        isinstance(value, Mapping | list) for value in answer.values()
    )


def _complains(answer: Mapping[str, object]) -> bool:
    return (
        any(answer.get(sign) for sign in _ERROR_SIGNS)
        or answer.get("success") in (False, "false")
        or str(answer.get("status")).lower() in _REFUSING
    )
