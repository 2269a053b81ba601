"""`python -m coffers`: the same as the command `coffers`."""

from coffers.cli.main import run

run()
