"""The platforms' stand-ins as tests meet them: a server in a thread of this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Thread

from django.conf import settings

from shop.config.sandbox.server import Sandbox


def start() -> Sandbox:
    """Return a running sandbox with the demo's vouchers sold."""
    server = Sandbox("127.0.0.1", 0)
    server.shelf.sell_demo()
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


@contextmanager
def served() -> Iterator[Sandbox]:
    """Run a sandbox of one's own."""
    server = start()
    yield server
    server.shutdown()
    server.server_close()


@cache
def shared() -> Sandbox:
    """Return the sandbox of all tests that need none of their own."""
    server = start()
    settings.SANDBOX_URL = server.url
    return server
