# mypy: disable-error-code="import-not-found, import-untyped"
"""Where django-helpdesk answers; read by the peers' Python only."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("helpdesk.urls"))]
