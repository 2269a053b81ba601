"""A simulated exchange that speaks Binance's spot REST, deterministic and scriptable.

It drives the demo, the tests and the benchmarks alike, and imports nothing of the rest of Coffers.
Point an exchange library at it by replacing each address `https://<host><path>` with
`<base URL>/<binance or binanceus>/<host><path>`.
"""

from coffers.sandbox.accounts import BadScript, Wallet
from coffers.sandbox.app import make_app
from coffers.sandbox.control import SandboxControl
from coffers.sandbox.demo import DemoKey, demo_keys
from coffers.sandbox.exchange import Exchange
from coffers.sandbox.faults import FaultKind
from coffers.sandbox.script import Move, NewFault, NewKey, PastFill, Requests, Waiting
from coffers.sandbox.server import machine_time, running, serve

__all__ = [
    "BadScript",
    "DemoKey",
    "Exchange",
    "FaultKind",
    "Move",
    "NewFault",
    "NewKey",
    "PastFill",
    "Requests",
    "SandboxControl",
    "Waiting",
    "Wallet",
    "demo_keys",
    "machine_time",
    "make_app",
    "running",
    "serve",
]
