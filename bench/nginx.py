"""nginx serving a file, where it is installed: what a list could cost at best."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import Server, free_port, running

_CONFIGURATION = """
daemon off; worker_processes 1; pid {place}/nginx.pid; error_log {place}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; default_type application/json; sendfile on; keepalive_requests 1000000;
  client_body_temp_path {place}/a; proxy_temp_path {place}/b; fastcgi_temp_path {place}/c;
  uwsgi_temp_path {place}/d; scgi_temp_path {place}/e;
  server {{ listen 127.0.0.1:{port}; root {place}; }}
}}
"""


def is_installed() -> bool:
    """Return whether there is an nginx to measure."""
    return shutil.which("nginx") is not None


@contextmanager
def serving(body: Path) -> Iterator[Server]:
    """Serve a file, by its name, from its directory."""
    port = free_port()
    configuration = body.with_suffix(".nginx")
    configuration.write_text(_CONFIGURATION.format(place=body.parent, port=port))
    command = ["nginx", "-p", str(body.parent), "-c", str(configuration)]
    with running(command, port, f"/{body.name}") as server:
        yield server
