"""Settings of the web server: ``gunicorn -c shop/config/gunicorn.py shop.config.wsgi``.

A few processes with a few threads each: every thread keeps one database connection. The application
is loaded by each worker after the fork, so no connection is ever shared between processes.
"""

import ctypes
import os
from pathlib import Path
from typing import Any

bind = f"{os.environ.get('WEB_HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
keepalive = 65  # longer than the usual 60 s of the proxy in front, which must close first
timeout = 60
graceful_timeout = 15
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  a heartbeat file
M_ARENA_MAX = -8  # <malloc.h>
control_socket_disable = True  # it would live in the home directory


def post_fork(server: Any, worker: Any) -> None:
    """Let the threads of a worker share one heap.

    glibc gives each thread a heap of its own and keeps what it once needed: 10 MB a worker.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # another libc has other habits
        mallopt(M_ARENA_MAX, 1)


def post_worker_init(worker: Any) -> None:
    """Take clicks, with those that a killed worker has left on disk."""
    from django.conf import settings  # the application is loaded by now

    from campaigns import clicks

    clicks.serve(settings.CLICKS_DIR)


def worker_exit(server: Any, worker: Any) -> None:
    """Save the clicks a worker still holds in memory when it is told to stop."""
    from django.apps import apps

    if apps.ready:  # not so in a worker that failed while loading
        from campaigns import clicks  # models can be imported only now

        clicks.stop()
