"""A passkey in software: an ES256 key that answers as a browser with an authenticator would (WebAuthn Level 2)."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

_USER_PRESENT, _USER_VERIFIED, _HAS_KEY = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One key for one site; its counter counts up with each answer."""

    origin: str
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    count: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def name(self) -> str:
        return bytes_to_base64url(self.credential_id)

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create` gives."""
        data = self._data(options["rp"]["id"], _HAS_KEY) + self._attested()
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._outer(clientDataJSON=client, attestationObject=attestation)

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.get` gives."""
        data = self._data(options["rpId"])
        client = self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._outer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _data(self, host: str, flags: int = 0) -> bytes:
        self.count += 1
        flags |= _USER_PRESENT | _USER_VERIFIED
        return hashlib.sha256(host.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _attested(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        return bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cbor2.dumps(public)

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _outer(self, **response: bytes) -> dict[str, Any]:
        told = {member: bytes_to_base64url(value) for member, value in response.items()}
        return {
            "id": self.name,
            "rawId": self.name,
            "type": "public-key",
            "clientExtensionResults": {},
            "response": told,
        }
