"""The web process is killed under load: what was acknowledged is there, once; and it stops when told to."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from dispatch.app import create_app
from dispatch.services import health
from dispatch.services.desk import Desk
from tests.support.due import escalation_count, flaws, seed
from tests.support.load import kept, load_on
from tests.support.processes import ROOT, Site, free_port, http_status, utc_now, wait_for

pytestmark = [pytest.mark.processes, pytest.mark.network]

STOPS_WITHIN_S = 8.0


def test_an_empty_folder_and_one_command_are_enough(tmp_path: Path) -> None:
    port = free_port()
    environ = {"DISPATCH_DATABASE_URL": f"sqlite:///{tmp_path}/new/dispatch.db", "DISPATCH_PORT": str(port)}
    with subprocess.Popen([sys.executable, "run.py"], cwd=ROOT, env=os.environ | environ) as started:
        wait_for(lambda: http_status(port, "/healthz") == 200, "a cold start is healthy")
        assert http_status(port, "/signin") == 200
        started.terminate()
        assert started.wait(STOPS_WITHIN_S) == 0


def test_calls_acknowledged_before_a_kill_are_kept(desk: Desk, site: Site) -> None:
    web = site.web().wait_until_up()
    load = load_on(site)
    with load.running():
        for _ in range(4):
            load.wait_for_more(15)
            web.kill()
            web = site.web().wait_until_up()
        load.wait_for_more(15)
    found = kept(desk, load)
    assert found.acknowledged >= 5 * 15
    assert (found.lost, found.duplicates) == (0, 0), found
    assert load.answers[None] > 0, "nobody noticed the kills"
    assert set(load.answers) == {None, 200, 201}
    assert flaws(desk) == {}


def test_a_killed_worker_is_replaced(desk: Desk, site: Site) -> None:
    web = site.web().wait_until_up()
    load = load_on(site)
    with load.running():
        load.wait_for_more(10)
        (worker,) = web.children()
        os.kill(worker, signal.SIGKILL)
        web.wait_for(lambda: web.children() not in ([], [worker]), "another worker")
        load.wait_for_more(10)
    found = kept(desk, load)
    assert (found.lost, found.duplicates) == (0, 0), found
    assert flaws(desk) == {}
    assert web.stop(STOPS_WITHIN_S) == 0


def test_no_worker_outlives_its_parent(site: Site) -> None:
    web = site.web().wait_until_up()
    os.kill(web.pid, signal.SIGKILL)
    wait_for(lambda: web.members() == [], "the worker ends with its parent", STOPS_WITHIN_S)
    assert web.health() is None
    again = site.web()
    again.wait_for(lambda: again.health() == 200, "the next one has the port")


def test_told_to_stop_under_load_the_web_stops(desk: Desk, site: Site) -> None:
    web = site.web().wait_until_up()
    load = load_on(site)
    with load.running(is_patient=False):
        load.wait_for_more(5)
        assert web.stop(STOPS_WITHIN_S) == 0
    assert web.members() == []
    assert "Traceback" not in web.log()
    assert set(load.answers) <= {None, 200, 201}
    found = kept(desk, load)
    assert (found.lost, found.duplicates) == (0, 0), found
    assert flaws(desk) == {}


@pytest.mark.parametrize("command", ["web", "scheduler"])
def test_told_to_stop_in_the_middle_of_a_sweep_it_stops(desk: Desk, site: Site, command: str) -> None:
    tickets = 7000  # enough for the stop to come in the middle, however busy the machine is
    seed(desk, tickets, utc_now() - timedelta(hours=2))
    running = site.web() if command == "web" else site.scheduler()
    running.wait_for(lambda: escalation_count(desk), "a sweep is under way")
    assert running.stop(STOPS_WITHIN_S) == 0
    assert 0 < escalation_count(desk) < tickets * 6
    assert running.members() == []
    assert "Traceback" not in running.log()
    assert flaws(desk) == {}


def test_the_lamp_is_red_while_no_scheduler_lives(desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(desk.settings)
    client = app.test_client()

    def lamp() -> tuple[int, str]:
        answer = client.get("/healthz")
        return answer.status_code, answer.get_json()["status"]

    assert lamp() == (503, "down")
    scheduler = site.scheduler()
    scheduler.wait_for(lambda: lamp() == (200, "ok"), "the lamp turns green")
    scheduler.kill()
    seed(desk, 1, utc_now() - timedelta(minutes=11))
    assert lamp() == (503, "late")
    monkeypatch.setattr(health, "SILENT_AFTER_S", 0.2)
    wait_for(lambda: lamp() == (503, "down"), "the silence is noticed")
    monkeypatch.undo()
    site.scheduler().wait_for(lambda: lamp() == (200, "ok"), "the next scheduler turns it green")
    app.extensions["desk"].store.close()
