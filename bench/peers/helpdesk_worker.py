# mypy: disable-error-code="import-not-found, import-untyped"
"""One process of django-helpdesk that does what it is told: one command a line in, one JSON answer a line out.

Run by the peers' Python only, so that starting Python and Django counts in no figure.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 - models come after setup()
from django.core.management import call_command  # noqa: E402
from django.db.models import Count, Q  # noqa: E402
from django.utils import timezone  # noqa: E402
from helpdesk.models import Queue, Ticket  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402


def install() -> str:
    """Make the database with a queue that tells its team and escalates after a day; return a token of staff."""
    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_superuser("bench", "bench@example.invalid", "bench")
    Queue.objects.create(title="Hotline", slug="hotline", escalate_days=1, new_ticket_cc="team@example.invalid")
    key: str = Token.objects.create(user=user).key
    return key


def fill(count: int) -> int:
    """Add open tickets of this moment, owned by the member of staff; return how many there are."""
    queue, owner = Queue.objects.get(), get_user_model().objects.get()
    shared = {"queue": queue, "assigned_to": owner, "priority": 5, "created": timezone.now()}
    Ticket.objects.bulk_create(Ticket(title=f"Leak {n}", **shared) for n in range(count))
    return int(Ticket.objects.count())


def make_due(count: int) -> int:
    """Let this many tickets be due, as if none had been escalated; return how many are."""
    first = Ticket.objects.order_by("id").values_list("id", flat=True)[:count]
    long_ago = timezone.now() - timedelta(days=10)
    return int(Ticket.objects.filter(id__in=list(first)).update(priority=5, last_escalation=long_ago))


def escalate() -> float:
    """Run its own command; return seconds."""
    begin = time.perf_counter()
    call_command("escalate_tickets")
    return time.perf_counter() - begin


def escalated(times: int) -> int:
    """Return how many tickets tell of this many escalations."""
    told = Count("followup", filter=Q(followup__title="Ticket Escalated"))
    return int(Ticket.objects.annotate(told=told).filter(told=times).count())


COMMANDS = {command.__name__: command for command in (install, fill, make_due, escalate, escalated)}

if __name__ == "__main__":
    for line in sys.stdin:
        name, *numbers = line.split()
        print(json.dumps(COMMANDS[name](*map(int, numbers))), flush=True)
