"""Every relative link of the documentation leads to a file, and its anchor to a heading, as a forge shows them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_blocks import PAGES, ROOT

LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]*)\)")

FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose(path: Path) -> str:
    return FENCED.sub("", path.read_text())


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    path = ROOT / page
    dead = []
    for link in LINK.findall(prose(path)):
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(link)
    assert not dead


def test_every_file_that_a_page_includes_is_there() -> None:
    for page in PAGES:
        for name in re.findall(r'^--8<-- "(.*)"$', (ROOT / page).read_text(), re.MULTILINE):
            assert (ROOT / name).is_file(), f"{page}: {name}"
