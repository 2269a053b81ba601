"""Keys of a request's scope: what the edge and the server leave there for whoever answers."""

from typing import Final

CONNECTION: Final = "coffers.connection"
"""The connection, for an answer that lasts or that is ready."""

HEAD_ALONE: Final = "coffers.head"
"""There where only the head of the answer is asked for."""

REQUEST_NAME: Final = "coffers.request_id"
"""The id that the answer carries, in bytes."""
