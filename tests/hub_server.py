"""A real HTTP server that speaks as much of the model hub's protocol as ``huggingface_hub`` needs to fetch.

``served`` starts it in a thread; commands that talk to it run in processes of their own (``asked``), because
``huggingface_hub`` reads HF_ENDPOINT once, when it is imported.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "1234567890abcdef1234567890abcdef12345678"
CHUNK = 1 << 16


@dataclass
class Repository:
    """What the hub has under a name."""

    folder: Path
    gated: bool = False
    commit: str = COMMIT
    card: dict[str, Any] = field(default_factory=dict)


@dataclass
class Hub:
    """The server's state; tests change it and look at it."""

    address: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    cuts: dict[str, list[int]] = field(default_factory=dict)
    """By file: after how many bytes each of the next answers breaks off."""
    calls: list[str] = field(default_factory=list)
    """Method, path and, where one was asked for, range."""

    def fetched(self) -> list[str]:
        """Files whose bytes were asked for, in order."""
        found = (re.match(r"GET .*/resolve/[^/]+/(\S+)", call) for call in self.calls)
        return [match[1] for match in found if match]


@contextmanager
def served() -> Iterator[Hub]:
    """A hub on this machine, for as long as the block."""
    hub = Hub()

    class Handler(_Handler):
        state = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def asked(address: str, home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``hub_worker.py`` or, where the first word is "cinema", the command, as a user of that hub."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "XDG_", "HUGGING"))}
    own = {
        "HF_ENDPOINT": address,
        "HF_HOME": str(home / "hf"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "NO_PROXY": "127.0.0.1",
    }
    start = ["-m", "cinema_cli"] if words[0] == "cinema" else [str(Path(__file__).with_name("hub_worker.py"))]
    rest = words[1:] if words[0] == "cinema" else words
    return subprocess.run(
        [sys.executable, *start, *rest],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=clean | own | environment,
    )


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    state: Hub

    def log_message(self, *words: Any) -> None:
        """Nothing is printed."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        self.state.calls.append(f"{self.command} {path} {self.headers.get('Range', '')}".strip())
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            self._info(found[1], found[2])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._file(found[1], found[2], found[3])
        else:
            self._refuse(404, "EntryNotFound")

    def _info(self, name: str, revision: str | None) -> None:
        repository = self._repository(name, revision)
        if repository is None:
            return
        siblings = [
            {"rfilename": file.relative_to(repository.folder).as_posix(), "size": file.stat().st_size}
            for file in sorted(repository.folder.rglob("*"))
            if file.is_file()
        ]
        told = {
            "id": name,
            "sha": repository.commit,
            "gated": "auto" if repository.gated else False,
            "siblings": siblings,
            "cardData": repository.card,
        }
        body = json.dumps(told).encode()
        self._head(200, len(body), {"Content-Type": "application/json"})
        self.wfile.write(body)

    def _file(self, name: str, revision: str, file: str) -> None:
        repository = self._repository(name, revision)
        if repository is None:
            return
        if repository.gated and self.headers.get("Authorization") != "Bearer hf_allowed":
            self._refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo")
            return
        path = repository.folder / file
        if not path.is_file():
            self._refuse(404, "EntryNotFound", {"X-Repo-Commit": repository.commit})
            return
        data = path.read_bytes()
        large = path.suffix == ".safetensors"  # small files go by git's own hash
        digest = hashlib.sha256(data).hexdigest() if large else hashlib.sha1(data).hexdigest()
        own = {"ETag": f'"{digest}"', "X-Repo-Commit": repository.commit, "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        if asked:
            own["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._head(206 if asked else 200, len(data) - start, own)
        if self.command == "GET":
            cuts = self.state.cuts.get(file, [])
            end = start + cuts.pop(0) if cuts else len(data)
            self.wfile.write(data[start:end])
            self.close_connection = end < len(data)

    def _repository(self, name: str, revision: str | None) -> Repository | None:
        repository = self.state.repositories.get(name)
        if repository is None:
            self._refuse(404 if self.headers.get("Authorization") else 401, "RepoNotFound")
        elif revision not in (None, "main", repository.commit):
            self._refuse(404, "RevisionNotFound")
            return None
        return repository

    def _refuse(self, status: int, code: str, own: dict[str, str] | None = None) -> None:
        self._head(status, 0, {"X-Error-Code": code, "X-Error-Message": code, **(own or {})})

    def _head(self, status: int, length: int, own: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in own.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
