"""Several processes of the API, kept running on one socket."""

import time
from socket import socket
from typing import Final

from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from coffers import metrics
from coffers.logs import logger

_PAUSE: Final = 1.0
"""Seconds before a process is started anew that could not start."""

_log = logger("coffers.api")


class _Process(Process):
    """One process, whose death is noticed even while it is asked for a sign of life."""

    def start(self) -> None:
        """Start it, and leave it the only one that holds its end of the line.

        Held here too, the line would not end with the process, and whoever waits for an answer
        would wait for as long as a silent process is waited for.
        """
        super().start()
        self.child_conn.close()


class Supervisor(Multiprocess):
    """Starts the processes and replaces those that end; it holds the socket that they share."""

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        self._has_worked = False

    def init_processes(self) -> None:
        """Start all processes."""
        for _ in range(self.processes_num):
            self.processes.append(self._begun())

    def keep_subprocess_alive(self) -> None:
        """Replace the processes that have ended, and those that give no sign of life.

        If none has ever worked, one that cannot start ends them all: it would not start the next
        time either. Later on it may be the database that is away.
        """
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if process.is_alive(timeout=self.config.timeout_worker_healthcheck):
                self._has_worked = self._has_worked or process.is_ready()
                continue
            process.kill()
            process.join()
            if process.pid is not None:
                metrics.leave_out(process.pid)
            metrics.processes_ended.inc()
            _log.error("process ended", pid=process.pid, code=process.exitcode)
            if process.exitcode == STARTUP_FAILURE:
                if not self._has_worked:
                    self.should_exit.set()
                    return
                time.sleep(_PAUSE)
            self.processes[place] = self._begun()

    def terminate_all(self) -> None:
        """Tell all processes to end, and take no further connection.

        As long as this process held the socket, connections would wait in it for nobody. Refused at
        once, a proxy can go to another server.
        """
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def _begun(self) -> Process:
        process = _Process(self.config, self.sockets)
        process.start()
        return process
