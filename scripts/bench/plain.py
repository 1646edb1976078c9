"""The plain way to send people, for comparison: one JSON document a request, one after the other.

Usage: plain.py serve PORT | plain.py send URL ROWS.jsonl. The second prints seconds and how many.
"""

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx


class Receiver(BaseHTTPRequestHandler):
    """Says 201 to everything, as a server that trusts its status codes."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take one document."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet."""


def main(arguments: list[str]) -> int:
    """Serve, or send."""
    if arguments[0] == "serve":
        with ThreadingHTTPServer(("127.0.0.1", int(arguments[1])), Receiver) as server:
            print("ready", flush=True)
            server.serve_forever()
    url, path = arguments[1:]
    rows = Path(path).read_text(encoding="utf-8").splitlines()
    began = time.monotonic()
    with httpx.Client(timeout=90) as client:
        for row in rows:
            answer = client.post(url, content=row, headers={"Content-Type": "application/json"})
            answer.raise_for_status()
    print(time.monotonic() - began, len(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
