"""Where the CPU of one intake goes: `python -m bench.profile`. It explains #3 and #4 of bench/intake.py.

The real endpoint is called in this process, on SQLite, under cProfile; the shares are of the time in the request. The
profiler makes small functions look dearer than they are: read the order, not the digits.
"""

from __future__ import annotations

import cProfile
import pstats
import tempfile

from bench.intake import a_call, install
from dispatch.app import create_app
from dispatch.domain.settings import Settings

REQUESTS = 300
# (what, file, function): the time spent in it and in all that it calls.
PARTS = (
    ("request as a whole", "flask/app.py", "full_dispatch_request"),
    ("  reading and checking the body", "schema_adapters/pydantic.py", "validate_input"),
    ("  intake: the transaction and all in it", "services/intake.py", "register"),
    ("    SQL through SQLAlchemy Core", "sqlalchemy/engine/base.py", "_execute_clauseelement"),
    ("      of it SQLite itself", "~", "<method 'execute' of 'sqlite3.Cursor' objects>"),
    ("    commit", "~", "<method 'commit' of 'sqlite3.Connection' objects>"),
    ("    routing with its reason", "domain/zone_index.py", "route"),
    ("    starting clocks", "domain/ticket.py", "first_clocks"),
    ("    deciding the dispatch", "domain/ticket.py", "decide"),
    ("    search terms", "domain/search.py", "index_terms"),
    ("    the answer", "services/present.py", "ticket"),
    ("  JSON, all of it", "json/__init__.py", "dumps"),
)


def main() -> None:
    """Print the shares."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/profile.db"
        headers = {"Authorization": f"Bearer {install(url)}"}
        client = create_app(Settings(database_url=url)).test_client()

        def post(first: int) -> None:
            for n in range(first, first + REQUESTS):
                answer = client.post("/api/v1/calls", json=a_call(f"profile-{n}"), headers=headers)
                if answer.status_code != 201:
                    raise RuntimeError(answer.text)

        post(0)
        profile = cProfile.Profile()
        profile.enable()
        post(REQUESTS)
        profile.disable()
    show(pstats.Stats(profile))


def show(stats: pstats.Stats) -> None:
    """Print each part with its share, its time and how often a request enters it."""
    entries = stats.stats  # type: ignore[attr-defined]
    found = {
        what: [entry for (path, _, name), entry in entries.items() if name == function and path.endswith(file)]
        for what, file, function in PARTS
    }
    whole = found[PARTS[0][0]][0][3]
    for what, parts in found.items():
        seconds, count = sum(entry[3] for entry in parts), sum(entry[1] for entry in parts)
        print(f"{what:<44} {seconds / whole:6.1%} {seconds / REQUESTS * 1e3:7.3f} ms {count / REQUESTS:6.1f} ×")


if __name__ == "__main__":
    main()
