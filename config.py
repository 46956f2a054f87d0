"""Settings from the environment: DISPATCH_<NAME> for each field of Settings; nothing else reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

from dispatch.domain.settings import Settings

DEFAULT_DATABASE = f"sqlite:///{Path(__file__).parent / 'var' / 'dispatch.db'}"


class ConfigError(ValueError):
    """A setting that cannot be used; the text names the variable and the fix."""


def from_env(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of this process.

    Raises:
        ConfigError: for a value of the wrong kind, or a combination that cannot work.
    """
    hints = get_type_hints(Settings)
    values: dict[str, Any] = {"database_url": DEFAULT_DATABASE}
    for spec in fields(Settings):
        text = environ.get(f"DISPATCH_{spec.name.upper()}")
        if text:
            values[spec.name] = _parse(f"DISPATCH_{spec.name.upper()}", text, hints[spec.name])
    settings = Settings(**values)
    _check(settings)
    return settings


def _parse(name: str, text: str, kind: Any) -> Any:
    if kind not in (int, float):
        return text
    try:
        return kind(text)
    except ValueError as error:
        raise ConfigError(f"{name} 应为数字, 现为“{text}”") from error


def _check(settings: Settings) -> None:
    if not settings.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigError("DISPATCH_DATABASE_URL 应以 sqlite:/// 或 postgresql+psycopg:// 开头")
    if settings.is_sqlite and settings.workers != 1:
        raise ConfigError("DISPATCH_WORKERS 大于 1 需要 PostgreSQL: 请设置 DISPATCH_DATABASE_URL")
    if settings.webhook_url and not settings.webhook_secret:
        raise ConfigError("DISPATCH_WEBHOOK_URL 需要同时设置 DISPATCH_WEBHOOK_SECRET, 用于签名")


def settings_table() -> str:
    """Return the table of settings in Markdown, made from Settings itself."""
    about = dict(
        line.strip().split(": ", 1) for line in (Settings.__doc__ or "").splitlines() if line.startswith("        ")
    )
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for spec in fields(Settings):
        default = "var/dispatch.db (SQLite)" if spec.default is MISSING else spec.default
        rows.append(f"| `DISPATCH_{spec.name.upper()}` | {default} | {about[spec.name]} |")
    return "\n".join(rows) + "\n"
