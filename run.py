"""Start here: `python run.py` runs web and scheduler; `python run.py --help` lists the rest."""

from __future__ import annotations

from apiflask import APIFlask

from config import from_env
from dispatch.app import create_app
from dispatch.cli.main import cli
from dispatch.cli.serve import start_in_worker


def server_app() -> APIFlask:
    """Return the application of one web process with its scheduler running; named to the web server by `serve`."""
    app = create_app(from_env())
    start_in_worker(app.extensions["jobs"], app.extensions["stop_live"])
    return app


if __name__ == "__main__":
    cli(obj=from_env)
