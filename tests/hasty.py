"""The program, in more haste: it does not wait for long before it does without who died.

Run as a script, with the program's own arguments.
"""

from coffers.cli.main import run
from coffers.clock import Millis
from coffers.sync import elected, queue, syncer, turns

LASTS = 4.0
GIVEN_UP_AFTER = 4.0
CLAIM = Millis(5_000)

if __name__ == "__main__":
    elected.LASTS = LASTS
    defaults = queue.JobQueue.__init__.__kwdefaults__
    defaults["given_up_after"] = GIVEN_UP_AFTER
    turns.READING_CLAIM = syncer.READING_CLAIM = CLAIM
    turns.RENEW_EVERY = CLAIM / 4_000
    run()
