from __future__ import annotations

import numpy as np
import pytest

from wavescribe.bench.installed_recordings import installed_recordings
from wavescribe.bench.pauses import without_pauses
from wavescribe.engines.base import Samples
from wavescribe.vad.detector import FRAME_SAMPLES
from wavescribe.vad.silero import SileroDetector

SECOND = 16_000


@pytest.fixture
def speech() -> Samples:
    return next(each for each in installed_recordings() if each.name == "en_two_cities").samples()


def test_what_nobody_says_is_cut_out(speech: Samples) -> None:
    pause = np.zeros(8 * SECOND, dtype=np.float32)
    cut = without_pauses(np.concatenate([speech[: 5 * SECOND], pause, speech[5 * SECOND : 10 * SECOND]]))
    assert cut.dtype == np.float32
    assert len(cut) % FRAME_SAMPLES == 0
    assert 5 * SECOND < len(cut) < 10 * SECOND
    # Frames are cut at no regard to what is beside them; the detector still hears speech nearly everywhere.
    heard = np.array(SileroDetector().probabilities(cut)) >= 0.5
    assert heard.mean() > 0.95


def test_of_silence_nothing_is_left() -> None:
    assert len(without_pauses(np.zeros(SECOND, dtype=np.float32))) == 0
