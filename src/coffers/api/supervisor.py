"""Several processes of the API, kept running on one socket."""

from uvicorn.supervisors import Multiprocess


class Supervisor(Multiprocess):
    """Starts the processes and replaces those that end; it holds the socket that they share."""

    def terminate_all(self) -> None:
        """Tell all processes to end, and take no further connection.

        As long as this process held the socket, connections would wait in it for nobody. Refused at
        once, a proxy can go to another server.
        """
        for listener in self.sockets:
            listener.close()
        super().terminate_all()
