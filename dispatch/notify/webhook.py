"""Notices as signed JSON by HTTP POST.

The receiver checks `X-Dispatch-Signature: v1=<hex>`, the HMAC-SHA256 under the shared secret of
`<X-Dispatch-Timestamp>.<body>`, refuses old timestamps, and drops an `Idempotency-Key` it has seen.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime

import urllib3

from dispatch.notify.port import DeliveryError, Parcel

TIMEOUT = urllib3.Timeout(connect=3.0, read=7.0)
# The receiver understood and refused; to ask again gets the same answer. 408, 425 and 429 mean "later".
_LATER = frozenset({408, 425, 429})


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of X-Dispatch-Signature."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"v1={digest}"


class Webhook:
    """Posts to one URL."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret
        self._pool = urllib3.PoolManager(timeout=TIMEOUT, retries=False)

    def send(self, parcel: Parcel, now: datetime) -> None:
        """Post; any 2xx means taken.

        Raises:
            DeliveryError: permanent for a 4xx that says "never", else to be tried again.
        """
        told = {
            "id": parcel.id,
            "recipients": list(parcel.recipients),
            "text": parcel.text,
            "created_at": parcel.created_at.isoformat(),
        }
        body = json.dumps(told, ensure_ascii=False).encode()
        timestamp = str(int(now.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": parcel.idempotency_key,
            "X-Dispatch-Timestamp": timestamp,
            "X-Dispatch-Signature": sign(self._secret, timestamp, body),
        }
        try:
            answer = self._pool.request("POST", self._url, body=body, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise DeliveryError(f"{type(error).__name__}: {error}", is_permanent=False) from error
        if not 200 <= answer.status < 300:
            is_permanent = 300 <= answer.status < 500 and answer.status not in _LATER
            raise DeliveryError(f"HTTP {answer.status}", is_permanent=is_permanent)
