"""What is wrong with a form that was sent: at its fields, and in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coffers.connectors.reading import ConnectorFailure
from coffers.errors import CoffersError, InvalidRecord, NotFound
from coffers.portfolio.errand_outcomes import TookTooLong
from coffers.portfolio.errands import NoWorker, TooManyOpen
from coffers.portfolio.secrecy import secret_fault
from coffers.store.errors import StoreUnavailable
from coffers.web.judged import advice_on


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a form: by field, in sentences, and which account it is about."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    told: Sequence[str] = ()
    account_id: int | None = None
    status: int = 400


def faults_of(error: CoffersError, names: Sequence[str]) -> Faults:
    """Return what a form says of an error; `names` are the fields that it has.

    Raises:
        NotFound: what is nobody's is no fault of a form.
    """
    match error:
        case NotFound():
            raise error
        case InvalidRecord():
            return _by_field(error, {*names, "name"})
        case ConnectorFailure():
            return Faults(told=[str(error), advice_on(error.kind)])
        case NoWorker() | TookTooLong() | StoreUnavailable():
            return Faults(told=[_sentence(str(error))], status=503)
        case TooManyOpen():
            return Faults(told=[_sentence(str(error))], status=429)
    return Faults(told=[_sentence(str(error))], status=422)


def typed(form: Mapping[str, str], name: str, faults: Mapping[str, Sequence[str]]) -> str:
    """Return what a field shows once more: what was typed, but for a secret that was refused."""
    text = form.get(name, "")
    # Nothing is called by a secret, whatever else is wrong.
    is_refused = name in {*faults, "name"} and secret_fault(text)
    return "" if is_refused else text


def _by_field(error: InvalidRecord, names: set[str]) -> Faults:
    attributes = dict(error.attributes)
    account = attributes.pop("account_id", None)
    fields = {name: why for name, why in attributes.items() if name in names}
    told = [
        _sentence(each) for name, why in attributes.items() if name not in names for each in why
    ]
    is_id = account is not None and account[0].isdecimal()
    if account and not is_id:
        told += [_sentence(f"this account {each}") for each in account]
    return Faults(fields, told, int(account[0]) if account and is_id else None)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
