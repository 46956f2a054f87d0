"""Settings from the environment: DISPATCH_<NAME> for each field of Settings; nothing else reads the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

from dispatch.domain.settings import Settings

DEFAULT_DATABASE = f"sqlite:///{Path(__file__).parent / 'var' / 'dispatch.db'}"

_MAKE_KEY = "例如 python -c 'import secrets; print(secrets.token_urlsafe(32))' 的输出"

_ADDRESS = r"[^@\s]+@[^@\s]+\.[^@\s]+"

# What a number may be; NaN is within no bounds.
_BOUNDS: dict[str, tuple[float, float]] = {
    "port": (1, 65_535),
    "workers": (1, 64),
    "threads": (1, 4_096),
    "max_body_bytes": (10_000, 100_000_000),
    "sweep_cap_s": (0.01, 60),
    "late_after_s": (0.1, 3_600),
    "session_idle_s": (60, 86_400),
    "proxies": (0, 8),
    "frequent_calls": (2, 1_000),
    "callback_tries": (1, 20),
    "callback_pause_min": (1, 1_440),
    "outage_alarm_min": (1, 1_440),
    "positions_keep_h": (1, 720),
    "incident_calls": (2, 1_000),
    "incident_radius_m": (10, 10_000),
    "incident_minutes": (1, 1_440),
    "geocoder_timeout_s": (0.2, 10),
    "sms_text_max": (10, 500),
    "smtp_port": (1, 65_535),
}


# What each geocoder cannot do without.
_GEOCODERS = {
    "amap": "amap_key",
    "baidu": "baidu_key",
    "tianditu": "tianditu_key",
    "nominatim": "nominatim_url",
}


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
            values[spec.name] = _parse(spec.name, text, hints[spec.name])
    settings = Settings(**values)
    _check(settings)
    return settings


def _parse(name: str, text: str, kind: Any) -> Any:
    variable = f"DISPATCH_{name.upper()}"
    if kind is bool:
        return _parse_bool(variable, text)
    if kind not in (int, float):
        return text
    least, most = _BOUNDS[name]
    try:
        number = kind(text)
    except ValueError as error:
        raise ConfigError(f"{variable} 应为数字, 现为“{text}”") from error
    if not least <= number <= most:
        raise ConfigError(f"{variable} 应在 {least} 到 {most} 之间, 现为“{text}”")
    return number


def _parse_bool(variable: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ConfigError(f"{variable} 应为 true 或 false, 现为“{text}”")
    return text.lower() == "true"


def _check(s: Settings) -> None:
    """Raise for the first combination that cannot work."""
    is_known = s.database_url.startswith(("sqlite:///", "postgresql+psycopg://"))
    rules = [
        (is_known, "DISPATCH_DATABASE_URL 应以 sqlite:/// 或 postgresql+psycopg:// 开头"),
        (not s.is_sqlite or s.workers == 1, "DISPATCH_WORKERS 大于 1 需要 PostgreSQL: 请设置 DISPATCH_DATABASE_URL"),
        (s.webhook_secret or not s.webhook_url, "DISPATCH_WEBHOOK_URL 需要同时设置 DISPATCH_WEBHOOK_SECRET, 用于签名"),
        (s.secret_key or s.is_sqlite, f"PostgreSQL 上的各进程须共用一个密钥: 请设置 DISPATCH_SECRET_KEY, {_MAKE_KEY}"),
        (not s.secret_key or len(s.secret_key) >= 32, f"DISPATCH_SECRET_KEY 至少 32 个字符, {_MAKE_KEY}"),
        (s.tiles_datum in ("wgs84", "gcj02", "bd09"), "DISPATCH_TILES_DATUM 应为 wgs84, gcj02 或 bd09"),
        (
            not s.push_key or re.fullmatch(r"[\w-]{43}=?", s.push_key, re.ASCII),
            "DISPATCH_PUSH_KEY 不是密钥: 请用 python run.py push-key 的输出",
        ),
        (
            s.push_contact or not s.push_key,
            "DISPATCH_PUSH_KEY 需要同时设置 DISPATCH_PUSH_CONTACT, 例如 mailto:it@example.cn",
        ),
    ]
    for holds, fault in [*rules, *_map_rules(s), *_channel_rules(s)]:
        if not holds:
            raise ConfigError(fault)


def _map_rules(s: Settings) -> list[tuple[object, str]]:
    """Return what must hold of the services on the network, each with its fault."""
    names = s.geocoder_names
    known = ", ".join(_GEOCODERS)
    rules: list[tuple[object, str]] = [
        (set(names) <= set(_GEOCODERS), f"DISPATCH_GEOCODERS 只能是 {known}, 以逗号分隔, 现为“{s.geocoders}”"),
        (len(names) == len(set(names)), f"DISPATCH_GEOCODERS 有重复: “{s.geocoders}”"),
        (
            not s.nominatim_url or re.fullmatch(r"https?://[^/?#@\s]+(/[^?#\s]*)?", s.nominatim_url),
            "DISPATCH_NOMINATIM_URL 应为 http:// 或 https:// 开头的自建服务地址",
        ),
    ]
    rules.append(
        (
            not s.router_url or re.fullmatch(r"(osrm|valhalla)\+https?://[^/?#@\s]+(/[^?#\s]*)?", s.router_url),
            "DISPATCH_ROUTER_URL 应为 osrm+http://… 或 valhalla+http://…",
        )
    )
    for name in names:
        need = _GEOCODERS.get(name, "geocoders")
        rules.append((getattr(s, need), f"DISPATCH_GEOCODERS 含 {name}, 需要同时设置 DISPATCH_{need.upper()}"))
    return rules


def _channel_rules(s: Settings) -> list[tuple[object, str]]:
    """Return what must hold of the channels to people, each with its fault."""
    names = ("SMS_KEY_ID", "SMS_KEY_SECRET", "SMS_SIGN", "SMS_TEMPLATE")
    sms_needs = [f"DISPATCH_{name}" for name in (*names, *(["SMS_APP"] if s.sms_gateway == "tencent" else []))]
    has_sms = s.sms_key_id and s.sms_key_secret and s.sms_sign and s.sms_template
    url = r"https://[^/?#@\s]+(/[^\s]*)?|http://(127\.0\.0\.1|localhost)(:\d+)?(/[^\s]*)?"
    return [
        (
            s.sms_gateway in ("", "aliyun", "tencent"),
            "DISPATCH_SMS_GATEWAY 应为 aliyun 或 tencent",
        ),
        (
            not s.sms_gateway or (has_sms and (s.sms_app or s.sms_gateway != "tencent")),
            f"DISPATCH_SMS_GATEWAY={s.sms_gateway} 需要同时设置 {', '.join(sms_needs)}",
        ),
        (not s.sms_url or re.fullmatch(url, s.sms_url), "DISPATCH_SMS_URL 应为 https:// 开头的地址"),
        (not s.wecom_robot or re.fullmatch(url, s.wecom_robot), "DISPATCH_WECOM_ROBOT 应为群机器人的 https:// 地址"),
        (re.fullmatch(url, s.wecom_url), "DISPATCH_WECOM_URL 应为 https:// 开头的地址"),
        (
            not s.wecom_secret or (s.wecom_corp and (s.wecom_agent or "").isdecimal()),
            "DISPATCH_WECOM_SECRET 需要同时设置 DISPATCH_WECOM_CORP 和 DISPATCH_WECOM_AGENT (数字)",
        ),
        (
            not s.smtp_host or re.fullmatch(_ADDRESS, s.mail_from or "", re.ASCII),
            "DISPATCH_SMTP_HOST 需要同时设置 DISPATCH_MAIL_FROM, 例如 96533@example.cn",
        ),
        (s.smtp_tls in ("starttls", "tls", "none"), "DISPATCH_SMTP_TLS 应为 starttls, tls 或 none"),
        (
            s.smtp_tls != "none" or not s.smtp_login,
            "DISPATCH_SMTP_LOGIN 需要加密: 请把 DISPATCH_SMTP_TLS 设为 starttls 或 tls",
        ),
        (bool(s.smtp_login) == bool(s.smtp_password), "DISPATCH_SMTP_LOGIN 和 DISPATCH_SMTP_PASSWORD 须同时设置"),
        (s.smtp_host or not s.report_readers, "DISPATCH_REPORT_TO 需要同时设置 DISPATCH_SMTP_HOST"),
        (
            all(re.fullmatch(_ADDRESS, one, re.ASCII) for one in s.report_readers),
            "DISPATCH_REPORT_TO 应为电子邮箱地址, 多个用英文逗号分开",
        ),
        (re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", s.report_at), "DISPATCH_REPORT_AT 应为时刻, 例如 07:30"),
    ]


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
