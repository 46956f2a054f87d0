"""A phone that can be killed: a Chromium with a profile of its own on the disk."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Playwright

from tests.support.browser import ARGUMENTS, Watch, chromium
from tests.support.processes import wait_for


@dataclass
class Phone:
    """Starts on the same profile each time; `page` is its only one."""

    driver: Playwright
    profile: Path
    address: str
    watch: Watch
    place: dict[str, float]
    context: BrowserContext | None = None

    def start(self, *, has_signal: bool = True) -> Page:
        """Start the browser, and open nothing yet."""
        told: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "locale": "zh-CN", "base_url": self.address}
        self.context = self.driver.chromium.launch_persistent_context(
            self.profile,
            executable_path=chromium(),
            args=ARGUMENTS,
            geolocation=self.place,  # type: ignore[arg-type]
            permissions=["geolocation"],
            **told,
        )
        self.context.set_default_timeout(15_000)
        self.context.set_offline(not has_signal)
        self.watch.over(self.context)
        return self.context.pages[0]

    def stop(self) -> None:
        """Close it as a person does."""
        if self.context:
            self.context.close()
            self.context = None

    def kill(self) -> None:
        """Kill every process of it, as an empty battery does."""
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self._pids(), "the killed browser is gone")
        with suppress(Exception):
            self.stop()
        self.context = None
        for name in ("SingletonLock", "SingletonSocket", "SingletonCookie"):
            (self.profile / name).unlink(missing_ok=True)

    def _pids(self) -> list[int]:
        mark = f"--user-data-dir={self.profile}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    if mark in (entry / "cmdline").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
        return found
