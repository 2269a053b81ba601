"""How routes have operations done: begun, handed to a worker, awaited, and told of in headers."""

from typing import Final

from coffers.api.documents import ERRORS_OF_SIGNED, FROM_OPERATION, NOT_FOUND
from coffers.api.services import Services
from coffers.portfolio.errand_forms import PERFORM, PerformAsked
from coffers.portfolio.errand_outcomes import TookTooLong
from coffers.portfolio.errands import Errands, NoWorker, TooManyOpen
from coffers.portfolio.ledger import Ledger, OperationFailed, OperationRuns
from coffers.portfolio.moving import Moving
from coffers.store.operations import Operation

OPERATION_ERRORS: Final = {**ERRORS_OF_SIGNED, **NOT_FOUND, **FROM_OPERATION}
OPERATION_HEADERS: Final = {
    "X-Operation-Id": {"description": "The operation.", "schema": {"type": "integer"}},
    "X-Operation-State": {
        "description": "`done`, or `partly` where something stayed undone.",
        "schema": {"enum": ["done", "partly"]},
    },
}


class OperationDesk:
    """Has operations done, and waits for them."""

    def __init__(self, services: Services) -> None:
        self.ledger = Ledger(
            services.store,
            services.catalogue,
            services.clock,
            is_trading_on=services.settings.trading,
        )
        self.moving = Moving(services.store, services.catalogue, self.ledger)
        self._errands = Errands(services.store, services.vault, services.clock)

    async def done(self, operation: Operation) -> Operation:
        """Have an operation done and return it at its end.

        Raises:
            OperationFailed: when nothing of it was done, saying why.
            OperationRuns: when it takes longer than one waits, or nobody is there to do it yet, or
                too much of this user's is not done yet.
        """
        if operation.state == "running":
            asked = PerformAsked(operation.id)
            try:
                await self._errands.ask(operation.user_id, PERFORM, asked)
            except (NoWorker, TookTooLong, TooManyOpen):
                # It is written down, and a worker takes it over.
                raise OperationRuns(operation) from None
            operation = await self.ledger.get(operation.user_id, operation.id)
        if operation.state == "running":
            raise OperationRuns(operation)
        if operation.state == "failed":
            raise OperationFailed(operation)
        return operation


def told_of(operation: Operation) -> dict[str, str]:
    """Return the headers that tell of an operation."""
    return {"X-Operation-Id": str(operation.id), "X-Operation-State": operation.state}
