"""A push service on this machine, and a browser behind it that can read what it gets."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dispatch.notify.webpush import Subscription

AUTH = b"sixteen bytes..."


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def data(base64url: str) -> bytes:
    return base64.urlsafe_b64decode(base64url + "=" * (-len(base64url) % 4))


def _mac(key: bytes, told: bytes) -> bytes:
    made = hmac.HMAC(key, hashes.SHA256())
    made.update(told)
    return made.finalize()


@dataclass
class Phone:
    """A browser with its keys; it reads by the steps of RFC 8291, written out without the code under test."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def at(self, endpoint: str) -> Subscription:
        return Subscription(endpoint, text(self.point), text(AUTH))

    def read(self, body: bytes, auth: bytes = AUTH) -> bytes:
        salt, ours, record = body[:16], body[21 : 21 + body[20]], body[21 + body[20] :]
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), ours))
        secret = _mac(_mac(auth, shared), b"WebPush: info\0" + self.point + ours + b"\x01")
        seed = _mac(salt, secret)
        cipher = AESGCM(_mac(seed, b"Content-Encoding: aes128gcm\0\x01")[:16])
        told = cipher.decrypt(_mac(seed, b"Content-Encoding: nonce\0\x01")[:12], record, None)
        assert told[-1:] == b"\x02"
        return told[:-1]


def claims_of(authorization: str, public_key: str) -> dict[str, Any]:
    """Check the signature of RFC 8292 and return what is signed."""
    scheme, _, rest = authorization.partition(" ")
    told = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert (scheme, told["k"]) == ("vapid", public_key)
    head, claims, signature = told["t"].split(".")
    assert json.loads(data(head)) == {"typ": "JWT", "alg": "ES256"}
    r, s = (int.from_bytes(half, "big") for half in (data(signature)[:32], data(signature)[32:]))
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data(public_key))
    theirs.verify(encode_dss_signature(r, s), f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    read: dict[str, Any] = json.loads(data(claims))
    return read


class PushService(HTTPServer):
    """Answers as told, by path, else 201; keeps path, headers and body of what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, list[int]] = {}
        self.got: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: PushService

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        waiting = self.server.answers.get(self.path)
        self.send_response(waiting.pop(0) if waiting else 201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def push_service() -> Iterator[PushService]:
    """Run one."""
    with PushService() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
