"""The parser of requests, for which there is no other protocol than HTTP/1.1."""

from typing import TYPE_CHECKING

import httptools

if TYPE_CHECKING:
    from array import array

    _Bytes = bytes | bytearray | memoryview[int] | array[int]


class Parser(httptools.HttpRequestParser):
    """Reads on where a request asks for another protocol.

    Nothing here speaks one, and RFC 9110 has such a wish ignored then. The parser itself stops
    behind the head, and loses what came with it.
    """

    def feed_data(self, data: "_Bytes") -> None:
        """Parse the next bytes."""
        while data:
            try:
                super().feed_data(data)
            except httptools.HttpParserUpgrade as stopped:
                data = data[stopped.args[0] :]
            else:
                return
