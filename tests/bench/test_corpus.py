"""The manifest of a corpus, as docs/benchmarks.md tells it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from wavescribe.bench.corpus import Recording, read_corpus, spoken
from wavescribe.bench.material import all_recordings
from wavescribe.errors import ConfigurationError

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def documented_line() -> dict[str, Any]:
    """The page's example."""
    [block] = re.findall(r"^```json\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    line: dict[str, Any] = json.loads(block)
    return line


def corpus(folder: Path, *lines: dict[str, Any]) -> Path:
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_the_documented_line_is_a_recording(tmp_path: Path) -> None:
    line = documented_line()
    [recording] = read_corpus(corpus(tmp_path, line))
    assert recording == Recording(
        name=line["id"],
        path=tmp_path / line["file"],
        seconds=line["seconds"],
        language=line["language"],
        kind=line["kind"],
        text=line["text"],
        tiled=False,
        reference=line["ref_quality"],
    )
    assert spoken([recording], {line["kind"]}, {line["language"]}) == [recording]


@pytest.mark.parametrize("member", documented_line())
def test_every_documented_member_has_to_be_there(tmp_path: Path, member: str) -> None:
    line = documented_line()
    del line[member]
    with pytest.raises(ConfigurationError, match=rf"manifest\.jsonl, line 2: the member '{member}' is missing"):
        all_recordings(corpus(tmp_path, documented_line(), line))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]\n", r"line 1: expected an object, got \[1\]"),
        ("\n{]\n", r"line 2: Expecting property name"),
    ],
)
def test_a_line_that_is_no_recording_is_told_with_its_number(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "manifest.jsonl").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        all_recordings(tmp_path)


def test_empty_lines_are_left_out_and_a_directory_without_a_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"has no readable manifest\.jsonl"):
        all_recordings(tmp_path)
    (tmp_path / "manifest.jsonl").write_text(f"\n{json.dumps(documented_line())}\n\n")
    assert len(all_recordings(tmp_path)) == 1


def test_members_say_what_the_page_says_of_them(tmp_path: Path) -> None:
    line = documented_line()
    others: list[dict[str, Any]] = [
        {"id": "no text", "text": None},
        {"id": "silence", "text": ""},
        {"id": "looped", "tiled": True},
        {"id": "tiled_by_its_name"},
        {"id": "synthetic", "ref_quality": "synthetic"},
        {"id": "machine", "ref_quality": "machine", "speaker": "of no account"},
    ]
    found = read_corpus(corpus(tmp_path, *(line | other for other in others)))
    assert [recording.name for recording in found] == [other["id"] for other in others[1:]]
    assert [recording.name for recording in found if recording.tiled] == ["looped", "tiled_by_its_name"]
    assert [recording.name for recording in spoken(found, {line["kind"]}, {line["language"]})] == ["machine"]
