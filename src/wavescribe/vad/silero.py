"""Silero's voice activity model through onnxruntime, streaming, its state per stream.

The model file ships with faster-whisper. It takes frames of 512 samples at 16 kHz, each preceded by the last 64
samples of the frame before (https://github.com/snakers4/silero-vad).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from faster_whisper.utils import get_assets_path

from wavescribe.engines.base import Samples
from wavescribe.vad.detector import FRAME_SAMPLES

CONTEXT_SAMPLES = 64
STATE_SHAPE = (1, 1, 128)


@cache
def _session() -> Any:
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    path = Path(get_assets_path()) / "silero_vad_v6.onnx"
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"], sess_options=options)


class SileroDetector:
    """The speech probability of one stream at 16 kHz. The model is shared, the state is this stream's own."""

    def __init__(self) -> None:
        self._context = np.zeros(CONTEXT_SAMPLES, dtype=np.float32)
        self._hidden = np.zeros(STATE_SHAPE, dtype=np.float32)
        self._cell = np.zeros(STATE_SHAPE, dtype=np.float32)
        self._rest = np.zeros(0, dtype=np.float32)

    def probabilities(self, samples: Samples) -> list[float]:
        """The speech probability of each frame of 512 samples that these samples complete, 0 to 1."""
        pending = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(pending) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = pending[whole:].copy()
        return [self._run(pending[start : start + FRAME_SAMPLES]) for start in range(0, whole, FRAME_SAMPLES)]

    def _run(self, frame: Samples) -> float:
        heard = np.concatenate([self._context, frame])[None]
        # One frame a call, always: batches of frames would round differently and make the turns depend on packets.
        output, self._hidden, self._cell = _session().run(None, {"input": heard, "h": self._hidden, "c": self._cell})
        self._context = frame[-CONTEXT_SAMPLES:].copy()
        return float(output.reshape(-1)[0])
