"""An OAuth2 provider on this machine: gives access tokens for a refresh token, and tells a mail server whose token it was shown."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tokens:
    url = ""
    user = ""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.valid: set[str] = set()
        self.refuses = self.worthless = False

    def give(self, asked: dict[str, str]) -> tuple[int, object]:
        self.asked.append(asked)
        if self.refuses:
            return 400, {"error": "invalid_grant", "error_description": "The refresh token has expired."}
        token = f"access-{len(self.asked)}"
        if not self.worthless:
            self.valid.add(token)
        return 200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer", "refresh_token": f"refresh-{len(self.asked) + 1}"}

    def tell(self, token: str) -> tuple[int, object]:
        return (200, {"user": self.user, "active": "yes"}) if token in self.valid else (400, {"error": "invalid_token"})


@contextmanager
def token_server(*, user: str) -> Iterator[Tokens]:
    tokens = Tokens()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            if self.path == "/token":
                self._say(*tokens.give(asked))
            elif self.path == "/moved":
                self._say(302, {}, Location=f"{tokens.url}/token")
            else:
                self._say(200, {"/list": [1], "/nothing": {}}.get(self.path, "<html>"))

        def do_GET(self) -> None:
            query = dict(parse_qsl(urlsplit(self.path).query))
            self._say(*tokens.tell(query.get("token", "")))

        def _say(self, status: int, answer: object, **headers: str) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tokens.url, tokens.user = f"http://127.0.0.1:{server.server_port}", user
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)  # seconds until it sees that it is to stop
    thread.start()
    try:
        yield tokens
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
