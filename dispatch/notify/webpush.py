"""Notices to browsers by Web Push: encrypted for the browser (RFC 8291), signed for its push service (RFC 8292).

Source: RFC 8291, section 3.4 and the example of section 5, which a test repeats; RFC 8188; RFC 8292, sections 2 and 3.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import urllib3
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dispatch.notify.port import DeliveryError, Parcel

TIMEOUT = urllib3.Timeout(connect=3.0, read=5.0)
# All of a parcel's browsers together: the lease of delivery must outlive it.
_BUDGET_S = 7.0
_TTL_S = 4 * 3600
_SIGNED_FOR = timedelta(hours=12)
_RECORD_SIZE = 4096
_GONE = frozenset({404, 410})
_LATER = frozenset({408, 425, 429})
_MOST_KNOWN = 1000


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser: where to send, its public key and its secret, both base64url."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What a parcel becomes: for whom, the JSON that the service worker gets, and whether a phone must wake for it."""

    subscriptions: Sequence[Subscription]
    payload: bytes
    is_urgent: bool


class Book(Protocol):
    """Knows the browsers behind the recipients of a parcel."""

    def open(self, parcel: Parcel) -> Letter:
        """Return the letter of a parcel."""

    def forget(self, endpoint: str) -> None:
        """Drop a browser that is gone."""


class WebPush:
    """Sends to every browser of a parcel's recipients.

    Args:
        key: The private VAPID key, 32 bytes in base64url.
        contact: Whom a push service may write to: `mailto:` or `https:`.
        book: Where the browsers are known.

    Raises:
        ValueError: for a key that is none.
    """

    def __init__(self, key: str, contact: str, book: Book) -> None:
        self._key = private_key(key)
        self._contact = contact
        self._book = book
        self._pool = urllib3.PoolManager(timeout=TIMEOUT, retries=False)
        # Who got which parcel, while another browser of it has to be tried again.
        self._reached: OrderedDict[str, set[str]] = OrderedDict()

    def send(self, parcel: Parcel, now: datetime) -> None:
        """Send to those that this process has not reached yet; a browser that is gone is forgotten.

        Raises:
            DeliveryError: if another try may reach one more, or, permanent, if none was reached and none will be.
        """
        letter = self._book.open(parcel)
        reached = self._reached.setdefault(parcel.idempotency_key, set())
        stop_at = time.monotonic() + _BUDGET_S
        faults = []
        for to in letter.subscriptions:
            if to.endpoint not in reached:
                fault = self._send_one(to, letter, parcel, now) if time.monotonic() < stop_at else _TOO_SLOW
                if fault is None:
                    reached.add(to.endpoint)
                else:
                    faults.append(fault)
        if faults and not all(fault.is_permanent for fault in faults):
            while len(self._reached) > _MOST_KNOWN:
                self._reached.popitem(last=False)
            raise DeliveryError("; ".join(map(str, faults)), is_permanent=False)
        del self._reached[parcel.idempotency_key]
        if faults and len(faults) == len(letter.subscriptions):
            raise faults[0]

    def _send_one(self, to: Subscription, letter: Letter, parcel: Parcel, now: datetime) -> DeliveryError | None:
        topic = hashlib.sha256(parcel.idempotency_key.encode()).digest()
        headers = {
            "Authorization": vapid(to.endpoint, self._key, self._contact, now),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(_TTL_S),
            "Urgency": "high" if letter.is_urgent else "normal",
            "Topic": _text(topic)[:32],  # one that waits is replaced by its repetition
        }
        try:
            body = encrypt(letter.payload, to)
            answer = self._pool.request("POST", to.endpoint, body=body, headers=headers, redirect=False)
        except ValueError as error:  # keys that are none
            return DeliveryError(str(error), is_permanent=True)
        except urllib3.exceptions.HTTPError as error:
            return DeliveryError(type(error).__name__, is_permanent=False)
        if answer.status in _GONE:
            self._book.forget(to.endpoint)
        elif not 200 <= answer.status < 300:
            is_permanent = 300 <= answer.status < 500 and answer.status not in _LATER
            return DeliveryError(f"HTTP {answer.status}", is_permanent=is_permanent)
        return None


_TOO_SLOW = DeliveryError("too slow: the rest later", is_permanent=False)


def encrypt(
    payload: bytes, to: Subscription, *, salt: bytes | None = None, key: ec.EllipticCurvePrivateKey | None = None
) -> bytes:
    """Return the body that only the browser can read (RFC 8291).

    Args:
        payload: At most 3,993 bytes.
        to: The browser.
        salt: 16 bytes; by default by chance, and never twice.
        key: A key for this message alone; by default a new one.

    Raises:
        ValueError: for keys that are none.
    """
    salt, key = salt or os.urandom(16), key or ec.generate_private_key(ec.SECP256R1())
    theirs = _bytes(to.p256dh)
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
    ours = _point(key)
    secret = _derive(_bytes(to.auth), shared, b"WebPush: info\0" + theirs + ours, 32)
    cipher = AESGCM(_derive(salt, secret, b"Content-Encoding: aes128gcm\0", 16))
    nonce = _derive(salt, secret, b"Content-Encoding: nonce\0", 12)
    # One record, and the last: delimiter 2.
    record = cipher.encrypt(nonce, payload + b"\x02", None)
    return salt + _RECORD_SIZE.to_bytes(4, "big") + bytes([len(ours)]) + ours + record


def vapid(endpoint: str, key: ec.EllipticCurvePrivateKey, contact: str, now: datetime) -> str:
    """Return the Authorization by which a push service knows who sends (RFC 8292)."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int((now + _SIGNED_FOR).timestamp()),
        "sub": contact,
    }
    told = ".".join(_text(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(key.sign(told.encode(), ec.ECDSA(hashes.SHA256())))
    signature = _text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={told}.{signature}, k={_text(_point(key))}"


def make_key() -> str:
    """Return a new private VAPID key, base64url."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _text(number.to_bytes(32, "big"))


def private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """Read what `make_key` made.

    Raises:
        ValueError: for anything else.
    """
    data = _bytes(text)
    if len(data) != 32:
        raise ValueError("a VAPID key has 32 bytes")
    return ec.derive_private_key(int.from_bytes(data, "big"), ec.SECP256R1())


def public_key(text: str) -> str:
    """Return the public key of a private one, as browsers want it: an uncompressed point, base64url."""
    return _text(_point(private_key(text)))


def check_keys(p256dh: str, auth: str) -> None:
    """Raise ValueError unless these are keys of a browser: a point of P-256, and 16 bytes."""
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(p256dh))
    if len(_bytes(auth)) != 16 or len(_bytes(p256dh)) != 65:
        raise ValueError("no keys of a browser")


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
