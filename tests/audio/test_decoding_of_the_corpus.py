from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wavescribe.audio.decoding import decode_audio
from wavescribe.audio.pcm import decode_pcm16
from wavescribe.engines.base import Samples
from wavescribe.errors import InvalidRequestError

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpora" / "dev"
MANIFEST = CORPUS / "manifest.jsonl"
HEADERLESS = {".raw", ".pcm"}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not MANIFEST.exists(), reason="the development corpus is absent"),
]


def files(*expectations: str) -> list[Any]:
    """The corpus's files of odd formats whose `expect` is one of these."""
    lines = MANIFEST.read_text().splitlines() if MANIFEST.exists() else []
    items = [json.loads(line) for line in lines]
    return [pytest.param(item, id=item["id"]) for item in items if item.get("expect") in expectations]


def decode(item: dict[str, Any]) -> Samples:
    path = CORPUS / item["file"]
    if path.suffix in HEADERLESS:
        return decode_pcm16(path.read_bytes())
    return decode_audio(path, max_seconds=60, min_seconds=0.1)


@pytest.mark.parametrize("item", files("ok"))
def test_a_good_file_decodes_to_its_length(item: dict[str, Any]) -> None:
    samples = decode(item)
    assert abs(len(samples) / 16000 - item["seconds"]) < 0.2
    assert np.abs(samples).max() > 0.001


@pytest.mark.parametrize("item", files("4xx"))
def test_a_file_that_is_no_audio_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        decode(item)


@pytest.mark.parametrize("item", files("ok_or_4xx", "empty_or_4xx", "no_crash"))
def test_a_doubtful_file_is_decoded_or_refused(item: dict[str, Any]) -> None:
    try:
        samples = decode(item)
    except InvalidRequestError:
        return
    assert np.isfinite(samples).all()
