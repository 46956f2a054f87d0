"""What an installation can set. config.py reads the environment into this; tests build it by hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of one process.

    Attributes:
        database_url: SQLAlchemy address; SQLite file by default, or `postgresql+psycopg://...`.
        host: Address the web server binds to.
        port: TCP port of the web server.
        workers: Web processes; only 1 on SQLite.
        threads: Threads per web process.
        max_body_bytes: Larger request bodies are answered with 413.
        webhook_url: Where notices are posted, or None for the console alone.
        webhook_secret: Key of the HMAC that signs them.
        sweep_cap_s: Longest sleep between two looks at the clocks, in seconds.
        late_after_s: A due step unfired for longer, in seconds, turns the health red.
        log_level: Level of the log on standard error.
    """

    database_url: str
    host: str = "127.0.0.1"
    port: int = 8653
    workers: int = 1
    threads: int = 128
    max_body_bytes: int = 1_000_000
    webhook_url: str | None = None
    webhook_secret: str | None = None
    sweep_cap_s: float = 1.0
    late_after_s: float = 5.0
    log_level: str = "INFO"

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is used."""
        return self.database_url.startswith("sqlite")

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that every notice goes to."""
        return ("console", "webhook") if self.webhook_url else ("console",)
