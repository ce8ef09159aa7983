from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, Route

from wavescribe.web.assets import load_assets

ORIGIN = "http://page.test"

Run = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session")
async def modules(launch: Any) -> AsyncIterator[Page]:
    """An empty page that can import the page's scripts."""
    assets = load_assets()

    async def serve(route: Route) -> None:
        path = route.request.url.removeprefix(f"{ORIGIN}/web/")
        if path in assets:
            await route.fulfill(body=assets[path].body, content_type=assets[path].content_type)
        else:
            await route.fulfill(body="<!doctype html><title>empty</title>", content_type="text/html")

    browser = await launch()
    page = await browser.new_page()
    await page.route(f"{ORIGIN}/**", serve)
    await page.goto(ORIGIN)
    yield page
    await page.close()


@pytest.fixture
def run(modules: Page) -> Run:
    """Run JavaScript: (script's name, an expression of its exports `m` and of `given`, given)."""

    async def evaluate(script: str, expression: str, given: Any = None) -> Any:
        code = f"async (given) => {{ const m = await import('/web/scripts/{script}.js'); return {expression}; }}"
        return await modules.evaluate(code, json.loads(json.dumps(given)))

    return evaluate
