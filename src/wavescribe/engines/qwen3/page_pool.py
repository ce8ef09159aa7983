"""Keys and values of all streams in one pool of pages."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from wavescribe.engines.qwen3.attention import Kernel, PagedLayout
from wavescribe.engines.qwen3.configuration import TextShape
from wavescribe.errors import EngineError


class OutOfPagesError(EngineError):
    """The pool has no room for a stream's tokens."""


class PagePool:
    """A fixed number of pages; each holds the keys and values of `page_size` tokens in all layers.

    Args:
        shape: the decoder.
        pages: how many pages there are.
        page_size: tokens of a page.
        device: where the pool lies.
        dtype: of the numbers.
    """

    def __init__(self, shape: TextShape, pages: int, page_size: int, device: torch.device, dtype: torch.dtype) -> None:
        size = (shape.layers, pages, page_size, shape.key_heads, shape.head_width)
        self.keys = torch.zeros(size, device=device, dtype=dtype)
        self.values = torch.zeros(size, device=device, dtype=dtype)
        self.page_size = page_size
        self.pages = pages
        self._free = list(range(pages))

    @property
    def free(self) -> int:
        """Pages that no stream holds."""
        return len(self._free)

    @property
    def page_bytes(self) -> int:
        """Bytes of one page."""
        return int(2 * self.keys[:, 0].numel() * self.keys.element_size())

    def pages_for(self, tokens: int) -> int:
        """Pages that many tokens of one stream take."""
        return -(-tokens // self.page_size)

    def take(self, count: int) -> list[int]:
        """Take free pages.

        Raises:
            OutOfPagesError: there are not as many.
        """
        if count > len(self._free):
            raise OutOfPagesError(
                f"the pool of keys and values has {len(self._free)} of {self.pages} pages free and {count} are "
                "needed; fewer streams or shorter windows, or more memory for the pool, would fit"
            )
        taken = [self._free.pop() for _ in range(count)]
        return taken

    def wipe(self, pages: Sequence[int]) -> None:
        """Clear what pages hold: attention adds nothing times what it must not see, which for NaN is NaN."""
        if pages:
            self.keys[:, list(pages)] = 0
            self.values[:, list(pages)] = 0

    def give(self, pages: Sequence[int]) -> None:
        """Give pages back."""
        self._free.extend(pages)


class PageTable:
    """One stream's tokens in the pool.

    Args:
        pool: where its pages are from.
    """

    def __init__(self, pool: PagePool) -> None:
        self._pool = pool
        self.pages: list[int] = []
        self.length = 0

    def grow(self, tokens: int) -> None:
        """Make room for that many more tokens and count them in.

        Raises:
            OutOfPagesError: the pool has too few pages; nothing changed.
        """
        needed = self._pool.pages_for(self.length + tokens) - len(self.pages)
        if needed > 0:
            self.pages += self._pool.take(needed)
        self.length += tokens

    def crop(self, length: int) -> None:
        """Forget the tokens after the first `length` and free their pages."""
        self.length = min(self.length, length)
        kept = self._pool.pages_for(self.length)
        self._pool.give(self.pages[kept:])
        del self.pages[kept:]

    def slots(self, start: int = 0) -> torch.Tensor:
        """Where each token from a place on lies in the pool: page times page size plus place in the page."""
        places = torch.arange(start, self.length)
        pages = torch.tensor(self.pages, dtype=torch.int64)
        return pages[places // self._pool.page_size] * self._pool.page_size + places % self._pool.page_size


def paged_layout(tables: Sequence[PageTable], new: Sequence[int], device: torch.device, kernel: Kernel) -> PagedLayout:
    """The layout of a packed forward; the tables have counted the new tokens in."""
    contexts = tuple(table.length for table in tables)
    pages = [torch.tensor(table.pages, dtype=torch.int32) for table in tables]
    positions = [torch.arange(context - count, context) for context, count in zip(contexts, new, strict=True)]
    added = [table.slots(table.length - count) for table, count in zip(tables, new, strict=True)]
    ends = torch.tensor([0, *new], dtype=torch.int64).cumsum(0)
    return PagedLayout(
        new=tuple(new),
        contexts=contexts,
        positions=torch.cat(positions).to(device),
        slots=torch.cat(added).to(device),
        stream_slots=tuple(table.slots().to(device) for table in tables) if kernel == "plain" else (),
        pages=torch.nn.utils.rnn.pad_sequence(pages, batch_first=True).to(device),
        ends=ends.to(device, torch.int32),
        used=torch.tensor(contexts, dtype=torch.int32).to(device),
    )
