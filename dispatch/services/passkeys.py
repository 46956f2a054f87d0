"""Passkeys (WebAuthn) as a second factor. A challenge is a row that works once, whichever process answers."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.settings import Settings
from dispatch.services import attempts, factors, sessions
from dispatch.services.accounts import confirm
from dispatch.services.desk import Desk
from dispatch.services.setup import token_hash
from dispatch.storage import accounts
from dispatch.storage.accounts import Session
from dispatch.storage.db import Tx

_RP_NAME = "96533 供水调度"
_CHALLENGE_BYTES = 32
_CHALLENGE_LIVES = timedelta(minutes=5)
_MOST_LABEL = 40
# What the library raises for an answer that is none: its own errors, and those of what it takes apart.
_MALFORMED = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)


class PasskeyFailed(InvalidInput):
    """An answer that proves nothing."""

    code = "passkey-failed"


def is_possible(settings: Settings) -> bool:
    """Tell whether browsers make passkeys for this address: a name, not a number, over https or on this machine."""
    parts = urlsplit(settings.address)
    try:
        ipaddress.ip_address(parts.hostname or "")
    except ValueError:
        return parts.scheme == "https" or parts.hostname == "localhost"
    return False


def options_to_add(desk: Desk, session: Session, *, password: str, address: str, now: datetime) -> str:
    """Return what `navigator.credentials.create` takes, as JSON.

    Raises:
        InvalidInput: for a wrong password.
        TooManyAttempts: after too many of them.
        NotPermitted: while the factor that the account has was not given.
    """
    factors.check_may_enrol(desk, session)
    confirm(desk, session, password, address, now)
    with desk.store.write() as tx:
        options = webauthn.generate_registration_options(
            rp_id=_host(desk),
            rp_name=_RP_NAME,
            user_name=session.login,
            user_display_name=session.actor.name,
            user_id=str(session.actor.user_id).encode(),
            challenge=_challenge(tx, session, "add", now),
            exclude_credentials=_known(tx, session),
        )
    return webauthn.options_to_json(options)


def add(desk: Desk, session: Session, answer: Mapping[str, Any], *, label: str, now: datetime) -> str | None:
    """Keep the passkey that the browser made; return the new token of a session made full.

    Raises:
        PasskeyFailed: for an answer to no challenge of ours, or one that was answered.
        InvalidInput: for a label that will not do, or a passkey that is known.
        NotPermitted: while the factor that the account has was not given.
    """
    factors.check_may_enrol(desk, session)
    check_text(label, "label")
    challenge = _answered(desk, session, answer, "add", now)
    try:
        made = webauthn.verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=_host(desk),
            expected_origin=desk.settings.address,
        )
    except _MALFORMED as error:
        raise PasskeyFailed("通行密钥未能验证, 请重试") from error
    values = {
        "user_id": session.actor.user_id,
        "credential_id": bytes_to_base64url(made.credential_id),
        "public_key": made.credential_public_key,
        "sign_count": made.sign_count,
        "label": label.strip()[:_MOST_LABEL] or "通行密钥",
        "created_at": now,
    }
    with desk.store.write() as tx:
        if not accounts.add_passkey(tx, values):
            raise InvalidInput("这个通行密钥已登记", field="passkey")
        tx.audit(now, session.actor, "passkey-added", session.login, label=values["label"])
        return None if session.is_full else sessions.fill(tx, session, "passkey", now)


def options_to_verify(desk: Desk, session: Session, now: datetime) -> str:
    """Return what `navigator.credentials.get` takes, as JSON."""
    with desk.store.write() as tx:
        options = webauthn.generate_authentication_options(
            rp_id=_host(desk),
            challenge=_challenge(tx, session, "verify", now),
            allow_credentials=_known(tx, session),
        )
    return webauthn.options_to_json(options)


def verify(desk: Desk, session: Session, answer: Mapping[str, Any], *, address: str, now: datetime) -> str:
    """Take a passkey's answer as the second factor and return the new token of the session, now full.

    Raises:
        PasskeyFailed: for an answer to no challenge of ours, of an unknown passkey, or of a copied one.
        TooManyAttempts: after too many of them.
    """
    claim = attempts.claim(desk, "code", session.login, address, now)
    challenge = _answered(desk, session, answer, "verify", now)
    with desk.store.read() as tx:
        known = {key["credential_id"]: key for key in accounts.passkeys(tx, session.actor.user_id)}
    try:
        key = known[str(answer["id"])]
        taken = webauthn.verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=_host(desk),
            expected_origin=desk.settings.address,
            credential_public_key=key["public_key"],
            credential_current_sign_count=key["sign_count"],
        )
    except _MALFORMED as error:
        with desk.store.write() as tx:
            tx.audit(now, session.actor, "second-factor-refused", session.login, factor="passkey", address=address)
        raise PasskeyFailed("通行密钥未能验证, 请重试") from error
    with desk.store.write() as tx:
        claim.succeeded(tx, now)
        accounts.use_passkey(tx, key["id"], taken.new_sign_count, now)
        return sessions.fill(tx, session, "passkey", now)


def remove(desk: Desk, session: Session, passkey_id: int, *, password: str, address: str, now: datetime) -> None:
    """Remove one of one's own passkeys.

    Raises:
        InvalidInput: for a wrong password.
        TooManyAttempts: after too many of them.
        NotFound: if it is not one's own.
        MustKeepFactor: if the account needs a factor and has no other.
    """
    confirm(desk, session, password, address, now)
    with desk.store.write() as tx:
        account, own = factors.account_of(tx, session), accounts.passkeys(tx, session.actor.user_id)
        factors.check_may_drop(desk, account, is_last=len(own) == 1 and account.totp_secret is None)
        if not accounts.drop_passkeys(tx, session.actor.user_id, passkey_id):
            raise NotFound("没有这个通行密钥")
        tx.audit(now, session.actor, "passkey-removed", session.login)


def own(desk: Desk, session: Session) -> list[dict[str, Any]]:
    """Return one's own passkeys, as a page shows them."""
    with desk.store.read() as tx:
        keys = accounts.passkeys(tx, session.actor.user_id)
    return [{name: key[name] for name in ("id", "label", "created_at", "used_at")} for key in keys]


def _host(desk: Desk) -> str:
    return urlsplit(desk.settings.address).hostname or ""


def _known(tx: Tx, session: Session) -> list[PublicKeyCredentialDescriptor]:
    keys = accounts.passkeys(tx, session.actor.user_id)
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(key["credential_id"])) for key in keys]


def _challenge(tx: Tx, session: Session, purpose: str, now: datetime) -> bytes:
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    accounts.forget_links(tx, now)
    mark = _mark(session, purpose, challenge)
    accounts.add_link(tx, mark, session.actor.user_id, now, now + _CHALLENGE_LIVES)
    return challenge


def _mark(session: Session, purpose: str, challenge: bytes) -> str:
    return token_hash(f"passkey:{purpose}:{session.session_id}:{challenge.hex()}")


def _answered(desk: Desk, session: Session, answer: Mapping[str, Any], purpose: str, now: datetime) -> bytes:
    """Use up the challenge that an answer is to, and return it."""
    try:
        told = parse_client_data_json(base64url_to_bytes(answer["response"]["clientDataJSON"]))
    except _MALFORMED as error:
        raise PasskeyFailed("通行密钥的回答不完整, 请重试") from error
    with desk.store.write() as tx:
        if not accounts.use_link(tx, _mark(session, purpose, told.challenge), now):
            raise PasskeyFailed("验证已过期, 请重试")
    return told.challenge
