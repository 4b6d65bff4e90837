"""The server of the stand-ins, and the troubles that tests put in its way."""

import argparse
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import orjson

from shop.config.sandbox.ads import AdPlatforms
from shop.config.sandbox.answers import NOT_FOUND, Answer, Asked, Serve, flat
from shop.config.sandbox.douyin import Douyin
from shop.config.sandbox.meituan import Meituan
from shop.config.sandbox.shelf import Shelf

REFUSE, LOSE, STALL = "refuse", "lose", "stall"
"""Troubles: 503 before anything is done; done, but the answer is lost; done after a while."""
STALL_SECONDS = 0.3


class Sandbox(ThreadingHTTPServer):
    """All platforms under one address, each below its own prefix.

    `troubles` holds, for the end of a path, what goes wrong with the next requests to it.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int) -> None:
        super().__init__((host, port), _Handler)
        self.shelf = Shelf()
        self.douyin = Douyin(self.shelf)
        self.meituan = Meituan(self.shelf)
        self.ads = AdPlatforms()
        self.platforms: dict[str, Serve] = {
            "douyin": self.douyin.serve,
            "v.douyin.com": self.douyin.follow,
            "meituan": self.meituan.serve,
            "tencent-ads": self.ads.tencent,
            "oceanengine": self.ads.oceanengine,
        }
        self.troubles: dict[str, list[str]] = {}
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        """Return the address under which it is reached."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    def trouble(self, path: str, *kinds: str) -> None:
        """Let the next requests to paths that end so go wrong."""
        self.troubles.setdefault(path, []).extend(kinds)

    def handle_one(self, platform: str, asked: Asked) -> Answer | None:
        """Return the answer to a request; None to drop the connection instead."""
        trouble = self._next_trouble(asked.path)
        if trouble == REFUSE:
            return Answer(status=503, body={})
        serve = self.platforms.get(platform)
        with self.shelf.lock:
            self.asked.append(asked)
            answer = serve(asked) if serve else NOT_FOUND
        if trouble == STALL:
            time.sleep(STALL_SECONDS)
        return None if trouble == LOSE else answer

    def _next_trouble(self, path: str) -> str:
        for ending, kinds in self.troubles.items():
            if kinds and path.endswith(ending):
                return kinds.pop(0)
        return ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Sandbox

    def do_GET(self) -> None:
        """Answer a GET."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        _root, platform, *rest = parts.path.split("/", 2)
        asked = Asked(
            method=self.command,
            path="/" + (rest[0] if rest else ""),
            query=flat(parts.query),
            headers=self.headers,
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
        )
        answer = self.server.handle_one(platform, asked)
        if answer is None:
            self.close_connection = True
            return
        body = orjson.dumps(answer.body)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what was asked is in `asked`."""


def main() -> int:
    """Serve until somebody stops it."""
    parser = argparse.ArgumentParser(prog="python -m shop.config.sandbox.server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    sandbox = Sandbox(options.host, options.port)
    sandbox.shelf.sell_demo()
    sandbox.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
