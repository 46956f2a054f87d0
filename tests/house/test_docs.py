"""What the documents say twice is made from the code, or tested against it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

import config
from dispatch.cli.main import cli

ROOT = Path(__file__).parents[2]


def test_readme_has_the_settings_as_the_code_has_them() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    between = readme.partition("<!-- settings: made by config.settings_table() -->\n")[2]
    assert between.partition("<!-- /settings -->")[0] == config.settings_table()


def test_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in cli.commands if name not in readme and name != "serve"]
    assert not missing


def test_every_command_explains_itself() -> None:
    for name in cli.commands:
        shown = CliRunner().invoke(cli, [name, "--help"])
        assert shown.exit_code == 0
        assert cli.commands[name].help
