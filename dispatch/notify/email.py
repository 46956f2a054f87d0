"""Notices by e-mail: SMTP with TLS, one message for one person.

Source: RFC 5321, section 4.2.1 (4yz: try again, 5yz: do not), RFC 5322, section 3.6.4: the Message-ID is made of the
idempotency key, so that all tries are one message by their id. An answer that was lost after the message went out leads
to a second copy, which mail programs show as one.
"""

from __future__ import annotations

import hashlib
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Any

from dispatch.domain import sms
from dispatch.domain.push import hide_phones
from dispatch.domain.times import SHANGHAI
from dispatch.notify.port import MENDED_AFTER_S, DeliveryError, Parcel

# All of a conversation: the lease of delivery must outlive it.
_BUDGET_S = 12.0
_LONGEST_SUBJECT = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server.

    Attributes:
        host: Its name, by which its certificate is checked.
        port: TCP port.
        tls: `starttls`, `tls` or `none`.
        login: None where it asks for none.
        password: That of the login.
    """

    host: str
    port: int
    tls: str
    login: str | None = None
    password: str | None = None


class Email:
    """Sends plain text, and with a letter its document.

    Args:
        server: Where to.
        sender: Address that messages come from.
        link: Address of the pages, under each message.
        context: What TLS trusts; by default the authorities of this machine.
    """

    def __init__(self, server: Server, sender: str, link: str, context: ssl.SSLContext | None = None) -> None:
        self._server, self._sender, self._link = server, sender, link
        self._context = context or ssl.create_default_context()

    def send(self, parcel: Parcel, now: datetime) -> None:
        """Hand one message over.

        Raises:
            DeliveryError: permanent for an answer of 5yz to the address or the message.
        """
        address = parcel.to("email")
        if not address:
            raise DeliveryError("没有电子邮箱地址", is_permanent=True)
        message = self._message(parcel, address)
        try:
            with self._open() as mail:
                mail.send_message(message, self._sender, [address])
        except smtplib.SMTPRecipientsRefused as error:
            raise _refusal(*error.recipients[address]) from error
        except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
            raise _refusal(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPAuthenticationError as error:
            raise DeliveryError(
                f"SMTP {error.smtp_code}: 登录被拒绝", is_permanent=False, after_s=MENDED_AFTER_S
            ) from None
        except (smtplib.SMTPException, ssl.SSLError) as error:
            raise DeliveryError(f"{type(error).__name__}: {error}", is_permanent=False) from error
        except OSError as error:
            raise DeliveryError(type(error).__name__, is_permanent=False) from error

    @contextmanager
    def _open(self) -> Iterator[smtplib.SMTP]:
        """Connect, encrypt, sign in; how the other side says good-bye does not matter."""
        server, named = self._server, self._sender.rpartition("@")[2]
        told: dict[str, Any] = {"timeout": _BUDGET_S, "local_hostname": named}
        stop_at = time.monotonic() + _BUDGET_S
        mail: smtplib.SMTP
        if server.tls == "tls":
            mail = _Encrypted(stop_at, server.host, server.port, context=self._context, **told)
        else:
            mail = _Plain(stop_at, server.host, server.port, **told)
        try:
            if server.tls == "starttls":
                mail.starttls(context=self._context)
            if server.login:
                mail.login(server.login, server.password or "")
            yield mail
            with suppress(smtplib.SMTPException, OSError):
                mail.quit()
        finally:
            mail.close()

    def _message(self, parcel: Parcel, address: str) -> EmailMessage:
        text = hide_phones(parcel.text)
        key = hashlib.sha256(parcel.idempotency_key.encode()).hexdigest()[:40]
        message = EmailMessage(policy=WIRE)
        message["From"], message["To"] = self._sender, address
        subject = text if parcel.html is None else text.partition("\n")[0]
        message["Subject"] = f"[96533] {sms.shorten(subject, _LONGEST_SUBJECT)}"
        message["Date"] = format_datetime(parcel.created_at.astimezone(SHANGHAI))
        message["Message-ID"] = f"<{key}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(f"{text}\n\n{self._link}\n", cte="base64")
        if parcel.html is not None:
            # Attached, to be opened and printed: mail programs show no pictures of a document.
            document = parcel.html.encode()
            message.add_attachment(document, "text", "html", params={"charset": "utf-8"}, filename=f"{subject}.html")
        return message


class _Hasty:
    """A conversation that ends in time, however slowly the other side speaks."""

    sock: socket.socket | None

    def __init__(self, stop_at: float, *args: Any, **told: Any) -> None:
        self._stop_at = stop_at
        super().__init__(*args, **told)

    def getreply(self) -> tuple[int, bytes]:
        """Wait for a reply no longer than is left."""
        if self.sock is not None:
            self.sock.settimeout(max(0.1, self._stop_at - time.monotonic()))
        answer: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
        return answer


class _Plain(_Hasty, smtplib.SMTP):
    """From the first byte in the open."""


class _Encrypted(_Hasty, smtplib.SMTP_SSL):
    """From the first byte encrypted."""


def _refusal(code: int, words: bytes | str) -> DeliveryError:
    told = words.decode(errors="replace") if isinstance(words, bytes) else words
    return DeliveryError(f"SMTP {code}: {told}", is_permanent=code >= 500)
