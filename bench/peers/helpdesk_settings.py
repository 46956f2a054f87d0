"""Settings of the django-helpdesk that we are held against; read by the peers' Python only.

Everything here favours it: one commit per request, connections that stay open, mail that goes nowhere.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qs, urlsplit


def _database(url: str) -> dict[str, Any]:
    """Django's words for `sqlite:///path` and `postgresql+psycopg://user@/name?host=folder`."""
    parts = urlsplit(url)
    shared = {"NAME": parts.path[1:], "ATOMIC_REQUESTS": True, "CONN_MAX_AGE": None}
    if parts.scheme != "sqlite":
        host = parse_qs(parts.query)["host"][0]
        return {"ENGINE": "django.db.backends.postgresql", "USER": parts.username, "HOST": host, **shared}
    tuned = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"
    options = {"transaction_mode": "IMMEDIATE", "timeout": 15, "init_command": tuned}
    return {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": options, **shared}


DATABASES = {"default": _database(os.environ["PEER_DATABASE_URL"])}
SECRET_KEY = "only for this run"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "bench.peers.helpdesk_urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.admin",
    "rest_framework",
    "rest_framework.authtoken",
    "helpdesk",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"]}
SITE_ID = 1
HELPDESK_TEAMS_MODE_ENABLED = False
