from __future__ import annotations

import re
from pathlib import Path

import pytest

import wavescribe.web
from wavescribe.web.assets import load_assets

FOLDER = Path(wavescribe.web.__file__).parent


def test_every_file_of_the_page_is_there_and_no_python() -> None:
    expected = {
        path.relative_to(FOLDER).as_posix()
        for path in FOLDER.rglob("*")
        if path.suffix in (".html", ".js", ".css", ".svg")
    }
    assert set(load_assets()) == expected
    assert "index.html" in expected


def test_different_files_have_different_etags() -> None:
    assets = load_assets().values()
    assert len({asset.etag for asset in assets}) == len(assets)


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path, asset in load_assets().items():
        addresses = set(re.findall(rb"(?:https?:)?//[\w.-]+\.\w+", asset.body)) - {b"http://www.w3.org"}
        assert not addresses, path


@pytest.mark.parametrize("path", [path for path in load_assets() if path.endswith((".js", ".html"))])
def test_text_is_never_written_as_markup(path: str) -> None:
    assert not re.search(rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", load_assets()[path].body)


def test_what_a_script_imports_is_there() -> None:
    assets = load_assets()
    for path, asset in assets.items():
        for name in re.findall(rb'from "\./([\w-]+\.js)"', asset.body):
            assert f"scripts/{name.decode()}" in assets, path
