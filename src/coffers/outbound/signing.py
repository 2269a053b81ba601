"""How a receiver can tell that what it got was sent by this server, and when."""

import hashlib
import hmac

from coffers.secret import Secret

VERSION = "v1"


def signature(secret: Secret, timestamp: int, body: bytes) -> str:
    """Return `v1=` and the HMAC-SHA256 in hex of "timestamp.body"; the time in Unix seconds."""
    text = b"%d.%s" % (timestamp, body)
    digest = hmac.new(secret.reveal().encode(), text, hashlib.sha256).hexdigest()
    return f"{VERSION}={digest}"
