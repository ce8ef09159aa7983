from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser, async_playwright

Launch = Callable[..., Awaitable[Browser]]

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of an installed Chromium; tests that need it are skipped where there is none."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no Chromium on the path ({', '.join(CHROMIUM)}): install one to run the tests of the page")
    return found


@pytest.fixture(scope="session")
async def launch(chromium: str) -> AsyncIterator[Launch]:
    """Start a headless Chromium with flags; one of the same flags is started once, and all end with the session."""
    started: dict[tuple[str, ...], Browser] = {}
    async with async_playwright() as playwright:

        async def start(*flags: str) -> Browser:
            if flags not in started:
                started[flags] = await playwright.chromium.launch(executable_path=chromium, args=list(flags))
            return started[flags]

        yield start
        for browser in started.values():
            await browser.close()
