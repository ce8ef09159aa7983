"""The variable-length kernel runs on CUDA only; here a plain function with its signature stands in for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.proven_kernel import proven_kernel
from wavescribe.errors import EngineLostError


def one_sequence(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, causal: bool) -> torch.Tensor:
    mask = torch.ones(len(query), len(key), dtype=torch.bool).tril(len(key) - len(query)) if causal else None
    query, key, value = (each.transpose(0, 1)[None] for each in (query, key, value))
    return scaled_dot_product_attention(query, key, value, attn_mask=mask, enable_gqa=True)[0].transpose(0, 1)


def reference(
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    query_ends: torch.Tensor,
    key_ends: torch.Tensor | None,
    longest_query: int,
    longest_key: int,
    *,
    window_size: tuple[int, int] = (-1, -1),
    enable_gqa: bool = False,
    seqused_k: torch.Tensor | None = None,
    block_table: torch.Tensor | None = None,
    num_splits: int = 0,
) -> torch.Tensor:
    """Attention as torch.nn.attention.varlen documents it, a sequence at a time."""
    ends = query_ends.tolist()
    assert longest_query == max(b - a for a, b in zip(ends, ends[1:], strict=False))
    parts = []
    for index, (start, end) in enumerate(zip(ends, ends[1:], strict=False)):
        if block_table is not None and seqused_k is not None:
            used = int(seqused_k[index])
            assert used <= longest_key
            key, value = (pool[block_table[index].long()].flatten(0, 1)[:used] for pool in (keys, values))
        else:
            assert key_ends is not None
            first, last = int(key_ends[index]), int(key_ends[index + 1])
            key, value = keys[first:last], values[first:last]
        parts.append(one_sequence(query[start:end], key, value, causal=window_size == (-1, 0)))
    return torch.cat(parts)


@dataclass(frozen=True)
class Call:
    """What a kernel is called with."""

    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def with_options(self, **changed: torch.Tensor) -> Call:
        """The call with other options."""
        return Call(self.arguments, self.options | changed)


def stand_in(monkeypatch: pytest.MonkeyPatch, kernel: object) -> None:
    module = ModuleType("torch.nn.attention.varlen")
    module.varlen_attn = kernel  # type: ignore[attr-defined]  # made just now
    monkeypatch.setitem(sys.modules, "torch.nn.attention.varlen", module)


def test_what_the_fast_kernel_is_given_says_where_every_token_lies(
    monkeypatch: pytest.MonkeyPatch, toy: ModelShape, toy_weights: Mapping[str, torch.Tensor]
) -> None:
    stand_in(monkeypatch, reference)
    kernel, reason = proven_kernel(toy, toy_weights, best="varlen")
    assert kernel == "varlen"
    assert float(reason.split(": ")[1].split()[0]) < 1e-5


def test_a_kernel_that_does_not_run_is_not_used_and_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, toy: ModelShape, toy_weights: Mapping[str, torch.Tensor]
) -> None:
    def fail(*_: object, **__: object) -> torch.Tensor:
        raise RuntimeError("no kernel for this device")

    stand_in(monkeypatch, fail)
    kernel, reason = proven_kernel(toy, toy_weights, best="varlen")
    assert kernel == "plain"
    assert "no kernel for this device" in reason


def test_a_kernel_under_which_the_device_fails_ends_the_loading(
    monkeypatch: pytest.MonkeyPatch, toy: ModelShape, toy_weights: Mapping[str, torch.Tensor]
) -> None:
    def fail(*_: object, **__: object) -> torch.Tensor:
        raise torch.AcceleratorError("an illegal memory access was encountered")

    stand_in(monkeypatch, fail)
    with pytest.raises(EngineLostError, match="illegal memory access"):
        proven_kernel(toy, toy_weights, best="varlen")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (torch.zeros_like, "other scores"),
        (lambda found: found * float("nan"), "not finite"),
        (lambda found: found.flip(0), "other scores"),
    ],
)
def test_a_kernel_that_gives_something_else_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
    toy: ModelShape,
    toy_weights: Mapping[str, torch.Tensor],
    wrong: object,
    words: str,
) -> None:
    def otherwise(*arguments: object, **options: object) -> torch.Tensor:
        assert callable(wrong)
        changed: torch.Tensor = wrong(reference(*arguments, **options))  # type: ignore[arg-type]  # passed on
        return changed

    stand_in(monkeypatch, otherwise)
    kernel, reason = proven_kernel(toy, toy_weights, best="varlen")
    assert kernel == "plain"
    assert words in reason


def first_page_only(given: Call) -> Call:
    table = given.options["block_table"]
    return given.with_options(block_table=table[:, :1].expand_as(table))


def pages_in_another_order(given: Call) -> Call:
    return given.with_options(block_table=given.options["block_table"].flip(1))


def pages_of_the_other_stream(given: Call) -> Call:
    return given.with_options(block_table=given.options["block_table"].flip(0))


def half_of_the_context(given: Call) -> Call:
    return given.with_options(seqused_k=given.options["seqused_k"] // 2 + 1)


@pytest.mark.parametrize("pass_", ["several tokens", "one token"])
@pytest.mark.parametrize(
    "wrong", [first_page_only, pages_in_another_order, pages_of_the_other_stream, half_of_the_context]
)
def test_a_kernel_that_looks_at_wrong_tokens_in_one_kind_of_pass_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
    toy: ModelShape,
    toy_weights: Mapping[str, torch.Tensor],
    wrong: Callable[[Call], Call],
    pass_: str,
) -> None:
    spoilt = []

    def kernel(*arguments: Any, **options: Any) -> torch.Tensor:
        call = Call(arguments, options)
        if "block_table" in options and (arguments[5] == 1) == (pass_ == "one token"):
            spoilt.append(options["block_table"].shape)
            call = wrong(call)
        return reference(*call.arguments, **call.options)

    stand_in(monkeypatch, kernel)
    chosen, reason = proven_kernel(toy, toy_weights, best="varlen")
    assert chosen == "plain"
    assert "other scores" in reason
    assert set(spoilt) == {(2, 2)}


def test_on_a_cpu_the_plain_kernel_needs_no_proof(toy: ModelShape, toy_weights: Mapping[str, torch.Tensor]) -> None:
    assert proven_kernel(toy, toy_weights) == ("plain", "")
