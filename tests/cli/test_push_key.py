"""The key of Web Push from the command line is one that the settings take."""

from __future__ import annotations

from click.testing import CliRunner

import config
from dispatch.cli.main import cli


def test_what_is_printed_switches_web_push_on() -> None:
    told = CliRunner().invoke(cli, ["push-key"])
    assert told.exit_code == 0
    environ = dict(line.split("=", 1) for line in told.stdout.splitlines())
    assert config.from_env(environ).channels == ("console", "webpush")
