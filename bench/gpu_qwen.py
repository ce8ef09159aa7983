"""What a step of Qwen3-ASR costs on this machine: kept state against the cumulative recipe, at several batch sizes.

    python bench/gpu_qwen.py --output DIR

Needs torch and numpy, one GPU and ten minutes; weights are random in the real shapes, the features are real. On a
machine without a GPU it runs a toy size, to see that it runs. Writes DIR/gpu_qwen.json after every row and
DIR/gpu_qwen.md at the end. What does not fit the memory or the time is written down as such.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import torch  # after the path of the sources

from wavescribe.engines.qwen3.configuration import SHAPES, ModelShape
from wavescribe.engines.qwen3.model import Qwen3AsrModel, build_model
from wavescribe.engines.qwen3.page_pool import PagePool
from wavescribe.engines.qwen3.proven_kernel import proven_kernel
from wavescribe.engines.qwen3.random_weights import random_weights
from wavescribe.engines.qwen3.simulated_speech import (
    SEGMENT_SECONDS,
    STEP_SECONDS,
    SimulatedStream,
    speech_like,
    spoken_tokens,
    timed_request,
)
from wavescribe.engines.qwen3.stepper import Stepper, StepRequest
from wavescribe.engines.qwen3.streams import Streams
from wavescribe.errors import EngineError

SLICE_SECONDS = 4
"""A slice of the seeds' recipe: a chunk and its overlap."""

DECODED = 12
"""Tokens that each step of the stateless recipes writes; the kept-state step comes to as many."""


@dataclass(slots=True)
class Row:
    """One measurement; times in seconds, memory in MiB, per step of the whole batch where not said otherwise."""

    size: str
    recipe: str
    batch: int
    steps: int = 0
    step_median: float = 0.0
    step_worst: float = 0.0
    text_tokens: float = 0.0
    passes: float = 0.0
    tokens_per_second: float = 0.0
    gigaflop_per_stream: float = 0.0
    realtime_streams: float = 0.0
    memory: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """One loaded model."""

    size: str
    shape: ModelShape
    model: Qwen3AsrModel
    deadline: float

    @property
    def is_cuda(self) -> bool:
        """Whether it runs on a GPU."""
        return self.model.device.type == "cuda"

    def streams(self, tokens: int) -> Streams:
        """Empty streams with room for so many tokens."""
        page = 256 if self.is_cuda else 64
        pool = PagePool(self.shape.text, -(-tokens // page), page, self.model.device, self.model.dtype)
        return Streams(Stepper(self.model, pool), pool, most_streams=4096)

    def clock(self) -> float:
        """The time after all work on the device is done."""
        if self.is_cuda:
            torch.cuda.synchronize()
        return time.perf_counter()


def main() -> None:
    """Measure and write."""
    options = parsed()
    options.output.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 60 * options.minutes
    report = {"machine": machine(options.device), "torch": torch.__version__, "rows": []}
    rows: list[Row] = []
    for size in options.sizes:
        for row in measured(size, options, deadline, report):
            rows.append(row)
            report["rows"] = [asdict(each) for each in rows]
            (options.output / "gpu_qwen.json").write_text(json.dumps(report, indent=1) + "\n")
            print(line(row), flush=True)  # noqa: T201  # a program that prints
    (options.output / "gpu_qwen.md").write_text(table(rows, report))


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="directory for the results")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--sizes", help="comma-separated: 0.6B, 1.7B, toy")
    parser.add_argument("--batches", help="comma-separated batch sizes")
    parser.add_argument("--ages", help="comma-separated seconds of audio at which the cumulative recipe is timed")
    parser.add_argument("--steps", type=int, help="measured steps of each row")
    parser.add_argument("--minutes", type=float, default=9.0, help="no row is begun after this time")
    options = parser.parse_args()
    is_cuda = options.device.startswith("cuda")
    options.sizes = (options.sizes or ("0.6B,1.7B" if is_cuda else "toy")).split(",")
    options.batches = [int(each) for each in (options.batches or ("1,8,32,128" if is_cuda else "1,4")).split(",")]
    options.ages = [int(each) for each in (options.ages or ("30,60,300" if is_cuda else "30")).split(",")]
    options.steps = options.steps or (15 if is_cuda else 3)
    return options


def machine(device: str) -> str:
    """The device in words."""
    if device.startswith("cuda"):
        free, total = torch.cuda.mem_get_info()
        return f"{torch.cuda.get_device_name()}, {total / 2**30:.0f} GiB, {free / 2**30:.0f} free"
    return f"CPU, {torch.get_num_threads()} threads"


def measured(size: str, options: argparse.Namespace, deadline: float, report: dict[str, object]) -> Iterator[Row]:
    """All rows of one size."""
    device = torch.device(options.device)
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    try:
        weights = random_weights(SHAPES[size], device=device, dtype=dtype)
    except torch.OutOfMemoryError as error:
        yield Row(size, "load", 0, problem=first_line(error))
        return
    kernel, reason = proven_kernel(SHAPES[size], weights)
    report[f"kernel {size}"] = f"{kernel} ({reason})" if reason else kernel
    bench = Bench(size, SHAPES[size], build_model(SHAPES[size], weights, kernel=kernel), deadline)
    for batch in options.batches:
        yield guarded(bench, f"kept state, segments of {SEGMENT_SECONDS} s", batch, options.steps)
        for age in options.ages if batch <= 32 else options.ages[:1]:
            yield guarded(bench, f"cumulative at {age} s", batch, min(3, options.steps), age)
        yield guarded(bench, f"sliced, {SLICE_SECONDS} s", batch, min(5, options.steps), SLICE_SECONDS)


def guarded(bench: Bench, recipe: str, batch: int, steps: int, age: int | None = None) -> Row:
    """A row, or why there is none."""
    row = Row(bench.size, recipe, batch)
    if time.monotonic() > bench.deadline:
        row.problem = "no time left"
        return row
    try:
        if bench.is_cuda:
            torch.cuda.reset_peak_memory_stats()
        fill(bench, row, steps, age)
    except (RuntimeError, EngineError) as error:  # torch's out-of-memory error is a RuntimeError
        row.problem = first_line(error)
    if bench.is_cuda:
        row.memory = torch.cuda.max_memory_allocated() / 2**20
        torch.cuda.empty_cache()
    return row


def fill(bench: Bench, row: Row, steps: int, age: int | None) -> None:
    """Run the steps of a row."""
    if age is None:
        streams = bench.streams(row.batch * 1024)
        speakers = [SimulatedStream(f"s{index}", STEP_SECONDS * (index % 15)) for index in range(row.batch)]
        run(streams, [(each.key, each.next()) for each in speakers])
        batches = ([(each.key, each.next()) for each in speakers] for _ in range(steps + 1))
    else:
        streams = bench.streams(row.batch * (14 * age + 3 * age + 512))
        spoken = spoken_tokens(age) if age > SLICE_SECONDS else spoken_tokens(SLICE_SECONDS)
        given = max(0, len(spoken) - DECODED)
        requests = [("", timed_request(speech_like(age, index), spoken, given)) for index in range(row.batch)]
        batches = (requests for _ in range(steps + 1))
    timed(bench, row, streams, batches)


def timed(bench: Bench, row: Row, streams: Streams, batches: Iterator[list[tuple[str, StepRequest]]]) -> None:
    """Run steps, the first one unmeasured, and fill the row."""
    run(streams, next(batches))
    work = streams.stepper.work.copy()
    times: list[float] = []
    for requests in batches:
        started = bench.clock()
        run(streams, requests)
        times.append(bench.clock() - started)
        if time.monotonic() > bench.deadline:
            break
    spent = streams.stepper.work.minus(work)
    row.steps = len(times)
    row.step_median, row.step_worst = statistics.median(times), max(times)
    row.text_tokens, row.passes = spent.text_tokens / len(times), spent.passes / len(times)
    row.tokens_per_second = spent.text_tokens / sum(times)
    row.gigaflop_per_stream = spent.operations(bench.shape) / len(times) / row.batch / 1e9
    row.realtime_streams = row.batch * STEP_SECONDS / statistics.mean(times)


def run(streams: Streams, requests: Sequence[tuple[str, StepRequest]]) -> None:
    """One step of the batch; any failure is raised."""
    for answer in streams.step(requests):
        if isinstance(answer, EngineError):
            raise answer


def first_line(error: BaseException) -> str:
    """An error in one line."""
    return (str(error).splitlines() or [repr(error)])[0][:200]


HEADINGS = (
    "size", "recipe", "batch", "step, median s", "worst s", "text tokens", "passes", "tokens/s", "GFLOP per stream",
    "streams in real time", "memory MiB",
)  # fmt: skip


def cells(row: Row) -> list[str]:
    """A row of the table."""
    if row.problem:
        return [row.size, row.recipe, str(row.batch), row.problem, *[""] * (len(HEADINGS) - 4)]
    numbers = [f"{row.step_median:.4f}", f"{row.step_worst:.4f}", f"{row.text_tokens:.0f}", f"{row.passes:.1f}"]
    numbers += [f"{row.tokens_per_second:.0f}", f"{row.gigaflop_per_stream:.1f}", f"{row.realtime_streams:.1f}"]
    return [row.size, row.recipe, str(row.batch), *numbers, f"{row.memory:.0f}"]


def line(row: Row) -> str:
    """A row as text."""
    return "  ".join(cells(row))


def table(rows: Sequence[Row], report: dict[str, object]) -> str:
    """The report as Markdown."""
    head = [f"# Steps of {STEP_SECONDS} s on {report['machine']}", "", f"torch {report['torch']}"]
    head += [f"{name}: {value}" for name, value in report.items() if name.startswith("kernel")]
    body = ["| " + " | ".join(each) + " |" for each in (HEADINGS, ["---"] * len(HEADINGS), *map(cells, rows))]
    return "\n".join([*head, "", *body]) + "\n"


if __name__ == "__main__":
    main()
