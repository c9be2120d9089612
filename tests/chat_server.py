"""A real HTTP server in a process of its own that speaks the chat completions protocol, well or badly.

``ChatServer`` starts it, tells it what to play, and asks what it was asked.  Without a script it
looks at the picture and answers with a verdict that names its colour.

Plays, used up one by one:
    {"play": "answer", "content": "...", "finish": "stop", "refusal": null, "usage": [900, 60]}
    {"play": "status", "status": 429, "headers": {"Retry-After": "7"}, "body": {...}}
    {"play": "hang"}     no answer until /release
    {"play": "drip"}     a byte now and then, without end
    {"play": "huge"}     two megabytes
    {"play": "raw", "body": "..."}   200 with that body
    {"play": "drop"}     the connection is closed without an answer
"""

import base64
import io
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 30), "blue": (30, 30, 200), "black": (0, 0, 0)}
USAGE = [900, 60]


def verdict(caption: str = "A frame.", **changes: Any) -> str:
    """A verdict as a model writes it."""
    whole = {"keep": True, "reject_reason": "none", "caption": caption, "characters": []}
    return json.dumps({**whole, **changes})


class State:
    """What the server is to play, and what it was asked."""

    plays: ClassVar[list[dict[str, Any]]] = []
    default: ClassVar[dict[str, Any]] = {"play": "answer"}
    calls: ClassVar[list[dict[str, Any]]] = []
    lock = threading.Lock()
    busy = 0
    most_busy = 0
    release = threading.Event()
    barrier = threading.Barrier(1)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *words: Any) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        with State.lock:
            told = {"calls": State.calls, "most_busy": State.most_busy, "left": len(State.plays)}
            body = json.dumps(told).encode()
        self.send(200, body)

    def do_POST(self) -> None:
        data = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        if self.path == "/control":
            with State.lock:
                State.plays, State.calls, State.most_busy = data.get("plays", []), [], 0
                State.default = data.get("default", {"play": "answer"})
                State.release.set()  # whoever hangs from an earlier script goes on
                State.release = threading.Event()
                State.barrier = threading.Barrier(State.default.get("together", 1))
            self.send(200, b"{}")
        elif self.path == "/release":
            State.release.set()
            self.send(200, b"{}")
        else:
            self.complete(data)

    def complete(self, data: dict[str, Any]) -> None:
        with State.lock:
            State.calls.append({"path": self.path, "headers": dict(self.headers), "body": data})
            State.busy += 1
            State.most_busy = max(State.most_busy, State.busy)
            play = State.plays.pop(0) if State.plays else State.default
            release = State.release
        try:
            getattr(self, f"play_{play['play']}")(data, play, release)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with State.lock:
                State.busy -= 1

    def play_answer(self, data: dict[str, Any], play: dict[str, Any], release: threading.Event) -> None:
        if "together" in play:  # answers only when so many are asked at once
            State.barrier.wait()
        content = play.get("content") or look(data)
        message = {"role": "assistant", "content": content, "refusal": play.get("refusal")}
        if play.get("refusal"):
            message["content"] = None
        tokens = play.get("usage", USAGE)
        usage = tokens and dict(
            zip(("prompt_tokens", "completion_tokens", "total_tokens"), [*tokens, sum(tokens)], strict=True)
        )
        choice = {"index": 0, "message": message, "finish_reason": play.get("finish", "stop")}
        answer = {"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}
        self.send(200, json.dumps(answer).encode())

    def play_status(self, data: dict[str, Any], play: dict[str, Any], release: threading.Event) -> None:
        body = play.get("body", {"error": {"message": f"status {play['status']}"}})
        self.send(play["status"], json.dumps(body).encode(), play.get("headers", {}))

    def play_raw(self, data: dict[str, Any], play: dict[str, Any], release: threading.Event) -> None:
        self.send(200, play["body"].encode(), play.get("headers", {}))

    def play_hang(self, data: dict[str, Any], play: dict[str, Any], release: threading.Event) -> None:
        release.wait()
        self.close_connection = True

    def play_drip(self, data: dict[str, Any], play: dict[str, Any], release: threading.Event) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        while not release.wait(0.02):
            self.wfile.write(b" ")
        self.close_connection = True

    def play_huge(self, data: dict[str, Any], play: dict[str, Any], release: threading.Event) -> None:
        self.send(200, b" " * (2 << 20))

    def play_drop(self, data: dict[str, Any], play: dict[str, Any], release: threading.Event) -> None:
        self.close_connection = True

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def look(data: dict[str, Any]) -> str:
    """A verdict on the last picture of a question, by its mean colour."""
    from PIL import Image

    parts = data["messages"][-1]["content"]
    url = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"][-1]
    assert url.startswith("data:image/jpeg;base64,")
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])), formats=("JPEG",)) as picture:
        mean = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))
    assert isinstance(mean, tuple)
    name = min(COLOURS, key=lambda c: sum((a - b) ** 2 for a, b in zip(COLOURS[c], mean, strict=True)))
    if name == "black":
        return verdict("", keep=False, reject_reason="too-dark")
    return verdict(f"A {name} frame with <Mira> and <Nobody>.", characters=["Mira"])


class ChatServer:
    """The server as a test sees it."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.base_url = f"{self.root}/v1"

    def play(self, *plays: dict[str, Any], default: dict[str, Any] | None = None) -> None:
        """Forget all calls, and play these next."""
        self._ask("/control", {"plays": plays, "default": default or {"play": "answer"}})

    def release(self) -> None:
        """Let those go on that hang."""
        self._ask("/release", {})

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What the server was asked since the last ``play``."""
        return list(self._ask("/calls")["calls"])

    @property
    def most_busy(self) -> int:
        """The most calls at once since the last ``play``."""
        return int(self._ask("/calls")["most_busy"])

    def _ask(self, path: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        body = None if data is None else json.dumps(data).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(self.root + path, body)) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found


@contextmanager
def running() -> Iterator[ChatServer]:
    """The server in a process of its own; it ends with the block, or with the tests."""
    with subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            yield ChatServer(int(process.stdout.readline()))
        finally:
            process.kill()


def main() -> None:
    """Serve until nobody holds the other end of stdin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
