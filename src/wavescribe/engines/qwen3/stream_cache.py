"""What is kept of one stream's open segment between steps. All of it only saves time.

Every entry is checked before it is used: the audio must begin with the samples heard before, an embedding must have
been made under the floor that holds now, and the decoder's keys must belong to the same head and the same windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.configuration import AudioShape
from wavescribe.engines.qwen3.geometry import CHUNK_TOKENS, final_seconds
from wavescribe.engines.qwen3.mel import RawSecond, raw_seconds
from wavescribe.engines.qwen3.page_pool import PagePool, PageTable


@dataclass(frozen=True, slots=True)
class Embedded:
    """An embedding and the floor under which it was made (None: the floor changed nothing).

    Attributes:
        floor: see above.
        values: the tensor.
    """

    floor: float | None
    values: torch.Tensor


@dataclass(slots=True)
class StreamCache:
    """One stream's state.

    Attributes:
        table: its pages: head and finished windows between steps, everything during one.
        window_tokens: tokens of a finished window.
        samples: the audio heard so far.
        final: features of its final seconds.
        seconds: convolved seconds of the open window, by index.
        windows: encoded finished windows, by index.
        head: the tokens before the audio whose keys are in the pages.
        committed: for each finished window whose keys are in the pages, the floor it was made under.
        written: the last answer, the next one's draft.
    """

    table: PageTable
    window_tokens: int
    samples: Samples = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    final: list[RawSecond] = field(default_factory=list)
    seconds: dict[int, Embedded] = field(default_factory=dict)
    windows: dict[int, Embedded] = field(default_factory=dict)
    head: tuple[int, ...] = ()
    committed: list[float | None] = field(default_factory=list)
    written: tuple[int, ...] = ()

    def listen(self, samples: Samples) -> list[RawSecond]:
        """The features of a clip; what was heard of it before is not computed again.

        A clip that does not begin with what was heard before empties the cache; of a shorter clip, what stays final
        is kept.
        """
        known = min(len(self.samples), len(samples))
        if not np.array_equal(self.samples[:known], samples[:known]):
            self.clear()
        self.final = self.final[: final_seconds(len(samples))]
        seconds = raw_seconds(samples, self.final)
        self.final = [second for second in seconds if second.is_final]
        for index in [each for each in self.seconds if each >= len(self.final)]:
            del self.seconds[index]
        self.samples = np.array(samples, dtype=np.float32)
        return seconds

    def uncommit(self, head: Sequence[int], floors: Sequence[float | None]) -> None:
        """Crop the pages to what still belongs to the head and the finished windows."""
        if tuple(head) != self.head:
            self.head, self.committed = (), []
        same = 0
        while same < min(len(self.committed), len(floors)) and self.committed[same] == floors[same]:
            same += 1
        del self.committed[same:]
        self.table.crop(self.committed_tokens)

    @property
    def committed_tokens(self) -> int:
        """Tokens of the head and the finished windows in the pages."""
        return len(self.head) + self.window_tokens * len(self.committed)

    def drop_pages(self) -> None:
        """Give the pages back; the rest stays."""
        self.head, self.committed = (), []
        self.table.crop(0)

    def clear(self) -> None:
        """Forget everything."""
        self.drop_pages()
        self.samples = np.zeros(0, dtype=np.float32)
        self.final, self.written = [], ()
        self.seconds.clear()
        self.windows.clear()

    @property
    def bytes(self) -> int:
        """Bytes held outside the page pool."""
        tensors = [second.values for second in self.final]
        tensors += [each.values for each in (*self.seconds.values(), *self.windows.values())]
        return self.samples.nbytes + sum(int(tensor.untyped_storage().nbytes()) for tensor in tensors)


def new_cache(pool: PagePool, shape: AudioShape) -> StreamCache:
    """An empty cache of a stream whose pages come from a pool."""
    return StreamCache(PageTable(pool), shape.window_seconds * CHUNK_TOKENS)
