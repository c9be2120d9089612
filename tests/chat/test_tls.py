"""The key goes only where a trusted certificate says that it may."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cinema_cli.chat.model import ChatError, Request
from cinema_cli.chat.openai import OpenAIChat, OpenAIConfig

REQUEST = Request("Do this.", ("Hello.",), {}, 100)

# Made for this test, trusted by nobody, valid for a hundred years:
# openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500
#     -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1
KEY = """
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbbCYBYAND4OLypw3
ttGDaNPyA5nQJQLf150+f9TVxHehRANCAARTLg6jd/iEQpEyPMByefoRHbk2OSSw
QUjULFq5via6Tj2wtbh1CHz4F/gtjDgUHLJMHnrkhpQ0zq6hCsqwPLWV
-----END PRIVATE KEY-----
"""
CERTIFICATE = """
-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUYL3G7oxARWSrQebQ/4Hd5URl84QwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNjAxMTU0NloYDzIxMjYxMTAy
MDExNTQ2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARTLg6jd/iEQpEyPMByefoRHbk2OSSwQUjULFq5via6Tj2wtbh1CHz4
F/gtjDgUHLJMHnrkhpQ0zq6hCsqwPLWVo28wbTAdBgNVHQ4EFgQUMm7EaBIIGPvF
6G7VsvUuxdhUbSEwHwYDVR0jBBgwFoAUMm7EaBIIGPvF6G7VsvUuxdhUbSEwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAIatuSZDH+DbFVfAxdWxou5oFCm1WZeHbZYjFd6QKD3vAiEA
xWNPSxFz2WjbGsdw0U4liifY9hy3ttcRL1x30R9PXNM=
-----END CERTIFICATE-----
"""


SEEN: list[str | None] = []
"""The Authorization of every request that came through."""


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass

    def do_POST(self) -> None:
        SEEN.append(self.headers.get("Authorization"))
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "both.pem").write_text(KEY.strip() + "\n" + CERTIFICATE.strip() + "\n")
    (tmp_path / "certificate.pem").write_text(CERTIFICATE.strip() + "\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    SEEN.clear()
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *words: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://localhost:{server.server_address[1]}/v1"
        server.shutdown()
        thread.join()


def ask(address: str) -> str:
    with OpenAIChat(OpenAIConfig(base_url=address, model="m")) as chat:
        with pytest.raises(ChatError) as caught:
            chat.complete(REQUEST)
        return str(caught.value)


def test_a_certificate_that_nobody_trusts(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEMA_API_KEY", "secret")
    assert "CERTIFICATE_VERIFY_FAILED" in ask(address)
    assert SEEN == []


def test_the_same_certificate_trusted(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINEMA_API_KEY", "secret")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    assert "answered 503" in ask(address)
    assert SEEN == ["Bearer secret"]
