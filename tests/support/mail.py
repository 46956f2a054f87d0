"""A mail server on this machine, in SMTP: TLS from the first byte or by STARTTLS, AUTH PLAIN; answers as told."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LOGIN, PASSWORD = "96533", "not-a-secret"


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it takes; `answers` says by verb what it answers once instead of yes; an empty answer hangs up."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, tls: str, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.tls = tls
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.answers: dict[str, str] = {}
        self.taken: list[tuple[str, list[str], EmailMessage]] = []
        self.was_encrypted: list[bool] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.is_encrypted = self.server.tls == "tls"
        self.sender, self.to = "", list[str]()
        try:
            if self.is_encrypted:
                self.encrypt()
            self.say(self.server.answers.pop("CONNECT", "220 mail.example ESMTP"))
            while self.answer(self.rfile.readline().decode().strip()):
                pass
        except (OSError, ssl.SSLError):  # the other side has gone
            return
        finally:
            self.request.close()

    def encrypt(self) -> None:
        self.finish()
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        self.setup()

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def answer(self, line: str) -> bool:
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        if verb in self.server.answers:
            told = self.server.answers.pop(verb)
            if told:
                self.say(told)
            return bool(told)
        match verb:
            case "EHLO":
                self.say("250-mail.example")
                if not self.is_encrypted and self.server.tls == "starttls":
                    self.say("250-STARTTLS")
                self.say("250 AUTH PLAIN")
            case "STARTTLS":
                self.say("220 go ahead")
                self.encrypt()
                self.is_encrypted = True
            case "AUTH":
                known = base64.b64encode(f"\0{LOGIN}\0{PASSWORD}".encode()).decode()
                self.say("235 welcome" if rest == f"PLAIN {known}" else "535 no")
            case "MAIL" | "RCPT":
                address = rest.partition("<")[2].partition(">")[0]
                self.sender = address if verb == "MAIL" else self.sender
                self.to += [address] if verb == "RCPT" else []
                self.say("250 ok")
            case "DATA":
                return self.take()
            case "QUIT" | "":
                return False
            case _:
                self.say("250 ok")
        return True

    def take(self) -> bool:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        answer = self.server.answers.pop("END", "250 queued")
        if not answer.startswith(("4", "5")):
            self.server.taken.append((self.sender, list(self.to), message))
            self.server.was_encrypted.append(self.is_encrypted)
        if answer:
            self.say(answer)
        return bool(answer)


def make_certificate(folder: Path) -> Path:
    """A key and a certificate of this machine in one file; it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + made.public_bytes(Encoding.PEM))
    return path


@contextmanager
def mail_server(tls: str, certificate: Path) -> Iterator[MailServer]:
    """Run one: `starttls`, `tls` or `none`."""
    with MailServer(tls, certificate) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
