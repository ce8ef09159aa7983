from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from obedient_engine import (
    RATE,
    load,
    load_and_die,
    load_damaged,
    load_damaged_once_there,
    load_endlessly_the_second_time,
    load_misconfigured,
    load_stateful,
    load_unknown,
    load_unless_there,
)

from wavescribe.engines.base import (
    AnswersEach,
    DecodeRequest,
    Engine,
    FileOptions,
    Hypothesis,
    Segment,
    StateReport,
    Supervised,
)
from wavescribe.engines.isolation import IsolatedEngine
from wavescribe.engines.isolation.messages import Decode
from wavescribe.engines.isolation.process import CallNotTakenError, EngineProcess
from wavescribe.errors import (
    ConfigurationError,
    EngineError,
    EngineLostError,
    InvalidRequestError,
    ModelNotFoundError,
    WavescribeError,
    WeightsError,
)

SECOND = np.zeros(RATE, dtype=np.float32)
PATIENCE = 60.0
STALL = 2.0
"""Long for a fake engine on a busy machine, short for a test that waits for it."""


@pytest.fixture(scope="module")
def pair() -> Iterator[IsolatedEngine]:
    """Two processes that no test harms for good."""
    engine = IsolatedEngine(load, 2, STALL)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def single() -> Iterator[IsolatedEngine]:
    """One process."""
    engine = IsolatedEngine(load, 1, STALL)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def stateful() -> Iterator[IsolatedEngine]:
    """One process with an engine that keeps state."""
    engine = IsolatedEngine(load_stateful, 1, STALL)
    yield engine
    engine.close()


def kept(engine: IsolatedEngine) -> str:
    """The streams of which the engine keeps something."""
    return ask(engine)


def ask(engine: IsolatedEngine, command: str = "") -> str:
    [hypothesis] = engine.decode([DecodeRequest(SECOND, context=command)])
    return hypothesis.text


def words(segments: list[Segment]) -> str:
    return "".join(segment.text for segment in segments)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def ends(pid: int) -> bool:
    """Whether a process has ended and was waited for."""
    return not Path(f"/proc/{pid}").exists()


def test_it_is_an_engine_that_can_be_watched(pair: IsolatedEngine) -> None:
    engine: Engine = pair
    assert isinstance(engine, Supervised)
    assert engine.info.name == "obedient"
    assert pair.alive == 2


def test_answers_come_from_other_processes_in_the_order_of_the_requests(pair: IsolatedEngine) -> None:
    answers = pair.decode([DecodeRequest(SECOND), DecodeRequest(SECOND)])
    assert len(answers) == 2
    assert {int(answer.text) for answer in answers} <= set(pair.pids)
    assert os.getpid() not in pair.pids


def test_calls_of_several_threads_run_in_several_processes(pair: IsolatedEngine, tmp_path: Path) -> None:
    marker = tmp_path / "hung"
    with ThreadPoolExecutor() as threads:
        hanging = threads.submit(ask, pair, f"hang at {marker}")
        until(marker.exists)
        assert int(ask(pair)) in pair.pids
        assert not hanging.done()
        hanging.result()
    until(lambda: pair.alive == 2)


def test_what_the_engine_raises_is_an_engine_error_and_its_process_goes_on(single: IsolatedEngine) -> None:
    before = ask(single)
    with pytest.raises(EngineError, match="the engine failed: .*the model broke"):
        ask(single, "raise")
    assert ask(single) == before


def test_a_request_that_the_engine_refuses_keeps_its_kind_code_and_field(single: IsolatedEngine) -> None:
    with pytest.raises(InvalidRequestError, match="^not this one$") as caught:
        single.transcribe_file(SECOND, FileOptions(prompt="refuse"))
    assert (caught.value.code, caught.value.param) == ("invalid_value", "language")


def test_requests_of_a_batch_fail_each_for_itself_in_another_process_too(stateful: IsolatedEngine) -> None:
    assert isinstance(stateful, AnswersEach)
    good, bad = DecodeRequest(SECOND), DecodeRequest(SECOND, context="refuse")
    answers = stateful.decode_each([good, bad, good])
    assert [type(answer) for answer in answers] == [Hypothesis, InvalidRequestError, Hypothesis]
    assert isinstance(answers[1], InvalidRequestError)
    assert (answers[1].code, answers[1].param) == ("invalid_value", "language")
    with pytest.raises(InvalidRequestError, match="^not this one$"):
        stateful.decode([good, bad])


def test_a_batch_of_an_engine_that_answers_as_a_whole_fails_as_a_whole(single: IsolatedEngine) -> None:
    with pytest.raises(InvalidRequestError, match="^not this one$"):
        single.decode_each([DecodeRequest(SECOND), DecodeRequest(SECOND, context="refuse")])


def test_a_stream_that_has_ended_is_forgotten_in_the_other_process(stateful: IsolatedEngine) -> None:
    for stream in ("a", "b"):
        stateful.decode([DecodeRequest(SECOND, cache_key=(stream, 0))])
    assert kept(stateful) == "a b"
    stateful.forget("a")
    assert kept(stateful) == "b"
    stateful.forget("b")
    stateful.forget("never known")
    assert kept(stateful) == ""


def test_what_processes_keep_is_known_after_each_call(stateful: IsolatedEngine, single: IsolatedEngine) -> None:
    assert single.state is None
    assert stateful.state == StateReport(0, 0, 7, 100)
    for stream in ("a", "b"):
        stateful.decode([DecodeRequest(SECOND, cache_key=(stream, 0))])
    assert stateful.state == StateReport(2, 200, 7, 100)
    stateful.forget("a")
    assert stateful.state == StateReport(1, 100, 7, 100)
    stateful.forget("b")


def test_reports_of_two_engines_are_one() -> None:
    assert StateReport(1, 10, 5, 10) + StateReport(2, 30, 6, 20) == StateReport(3, 40, 11, 20)


def test_a_stream_is_forgotten_after_the_call_under_way(stateful: IsolatedEngine, tmp_path: Path) -> None:
    marker = tmp_path / "hung"
    stateful.decode([DecodeRequest(SECOND, cache_key=("gone", 0))])
    with ThreadPoolExecutor() as threads:
        hanging = threads.submit(ask, stateful, f"hang at {marker}")
        until(marker.exists)
        forgetting = threads.submit(stateful.forget, "gone")
        hanging.result()
        forgetting.result()
    assert kept(stateful) == ""


def test_a_process_that_dies_while_it_forgets_is_replaced_and_has_forgotten(
    stateful: IsolatedEngine, tmp_path: Path
) -> None:
    stream, restarts = f"die at {tmp_path / 'once'}", stateful.restarts
    stateful.decode([DecodeRequest(SECOND, cache_key=(stream, 0))])
    stateful.forget(stream)
    assert kept(stateful) == ""
    assert stateful.restarts == restarts + 1


def test_an_engine_without_state_is_asked_nothing_when_a_stream_ends(single: IsolatedEngine, tmp_path: Path) -> None:
    marker = tmp_path / "hung"
    with ThreadPoolExecutor() as threads:
        hanging = threads.submit(ask, single, f"hang at {marker}")
        until(marker.exists)
        single.forget("a")
        assert not hanging.done()
        hanging.result()


@pytest.mark.parametrize("fault", ["die", "hang", "lose its device"])
def test_a_call_that_loses_its_process_is_made_again_on_another(
    single: IsolatedEngine, tmp_path: Path, fault: str
) -> None:
    before, restarts = ask(single), single.restarts
    after = ask(single, f"{fault} at {tmp_path / 'once'}")
    assert after != before
    until(lambda: ends(int(before)))
    assert single.restarts > restarts
    assert ask(single) == after


def test_a_process_that_was_dead_before_a_call_came_to_it_does_not_count_as_lost_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = threading.Event()
    wait_until_dead = EngineProcess.wait_until_dead

    def find_late(process: EngineProcess) -> None:
        wait_until_dead(process)
        found.wait()

    monkeypatch.setattr(EngineProcess, "wait_until_dead", find_late)
    engine = IsolatedEngine(load, 2, STALL)
    dead = engine.pids
    for pid in dead:
        os.kill(pid, signal.SIGKILL)
    try:
        assert int(ask(engine)) not in dead
        assert engine.restarts == 2
    finally:
        found.set()
        engine.close()


def test_a_call_to_a_dead_process_is_not_taken() -> None:
    process = EngineProcess(load, STALL)
    process.wait_until_ready()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait_until_dead()
    with pytest.raises(CallNotTakenError, match="died before a call"):
        process.call(Decode((DecodeRequest(SECOND),)))
    process.release()


def test_a_call_that_takes_two_processes_with_it_fails_and_others_are_answered(pair: IsolatedEngine) -> None:
    restarts = pair.restarts
    with pytest.raises(EngineLostError, match=r"the engine's process \d+ "):
        ask(pair, "die")
    assert pair.restarts >= restarts + 2
    assert int(ask(pair)) in pair.pids
    until(lambda: pair.alive == 2)


def test_a_process_that_dies_with_nothing_to_do_is_replaced_before_anybody_asks(pair: IsolatedEngine) -> None:
    until(lambda: pair.alive == 2)
    victims, restarts = pair.pids, pair.restarts
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    until(lambda: pair.restarts == restarts + 2 and pair.alive == 2)
    assert not set(victims) & set(pair.pids)
    assert int(ask(pair)) in pair.pids


@pytest.mark.parametrize("seconds", [1, 60], ids=["short", "longer than the buffer of a connection"])
def test_a_stopped_process_is_killed_and_replaced(single: IsolatedEngine, seconds: int) -> None:
    stopped = int(ask(single))
    os.kill(stopped, signal.SIGSTOP)
    [answer] = single.decode([DecodeRequest(np.tile(SECOND, seconds))])
    assert int(answer.text) != stopped
    assert ends(stopped)


def test_lost_processes_leave_no_descriptors_behind(single: IsolatedEngine, tmp_path: Path) -> None:
    ask(single)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(3):
        ask(single, f"die at {tmp_path / str(number)}")
    until(lambda: len(os.listdir("/proc/self/fd")) <= before)


def test_live_steps_go_between_the_segments_of_a_file(single: IsolatedEngine) -> None:
    file = single.transcribe_file(np.tile(SECOND, 4), FileOptions())
    heard = []
    for segment in file.segments:
        heard.append(segment)
        assert int(ask(single)) in single.pids
    assert words(heard) == " w0 w1 w2 w3"
    assert (file.language, file.duration) == ("en", 4.0)


def test_files_leave_a_process_to_live_steps(pair: IsolatedEngine, tmp_path: Path) -> None:
    until(lambda: pair.alive == 2)
    markers = [tmp_path / "first", tmp_path / "second"]
    with ThreadPoolExecutor() as threads:
        files = [threads.submit(transcribe, pair, f"hang at {marker}") for marker in markers]
        until(lambda: any(marker.exists() for marker in markers))
        assert int(ask(pair)) in pair.pids
        assert sum(marker.exists() for marker in markers) == 1
        assert [file.result() for file in files] == [" w0 w1 w2 w3"] * 2
    until(lambda: pair.alive == 2)


def transcribe(engine: IsolatedEngine, command: str) -> str:
    return words(list(engine.transcribe_file(np.tile(SECOND, 4), FileOptions(prompt=command)).segments))


@pytest.mark.parametrize("fault", ["die", "hang", "lose its device"])
def test_a_file_whose_process_is_lost_goes_on_where_it_was(single: IsolatedEngine, tmp_path: Path, fault: str) -> None:
    marker = tmp_path / "once"
    assert transcribe(single, f"{fault} at {marker}") == " w0 w1 w2 w3"
    assert marker.exists()


def test_a_file_that_takes_two_processes_with_it_fails(single: IsolatedEngine) -> None:
    with pytest.raises(EngineLostError):
        transcribe(single, "die")
    assert ask(single)


def test_a_file_on_which_the_engine_raises_fails_and_its_process_goes_on(single: IsolatedEngine) -> None:
    before = ask(single)
    with pytest.raises(EngineError, match="the model broke"):
        transcribe(single, "raise")
    assert ask(single) == before


def test_a_file_that_is_given_up_is_forgotten_by_its_process(
    single: IsolatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up: list[int] = []
    real = IsolatedEngine._give_up

    def give_up(self: IsolatedEngine, process: Any, number: int) -> None:
        real(self, process, number)
        given_up.append(number)

    monkeypatch.setattr(IsolatedEngine, "_give_up", give_up)
    segments: Any = single.transcribe_file(np.tile(SECOND, 4), FileOptions(prompt="die")).segments
    assert next(segments).text == " w0"
    segments.close()
    assert len(given_up) == 1
    assert ask(single)


@pytest.mark.parametrize(
    ("loader", "kind", "message"),
    [
        (load_damaged, WeightsError, "model.bin is damaged; install it anew"),
        (load_misconfigured, ConfigurationError, "setting compute_type: int3 is none"),
        (load_unknown, ModelNotFoundError, "no model of that name"),
        (load_and_die, EngineError, "died while it loaded the model"),
    ],
)
def test_an_engine_that_cannot_be_loaded_says_why(
    loader: Callable[[], Engine], kind: type[WavescribeError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        IsolatedEngine(loader, 1, STALL)


def test_a_process_that_fails_to_load_when_nobody_waits_for_it_any_more_ends_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    marker = tmp_path / "failed"
    process = EngineProcess(partial(load_damaged_once_there, str(marker)), STALL)
    process.dismiss()
    marker.touch()
    process.wait_until_dead()
    process.release()
    assert capfd.readouterr().err == ""


def test_a_process_that_cannot_be_started_anew_is_tried_again(tmp_path: Path) -> None:
    marker = tmp_path / "broken"
    engine = IsolatedEngine(partial(load_unless_there, str(marker)), 1, STALL, patience_seconds=0.5)
    try:
        marker.touch()
        with pytest.raises(EngineLostError, match=r"no engine process was there for 0\.5 s"):
            ask(engine, "die")
        assert engine.alive == 0
        marker.unlink()
        until(lambda: engine.alive == 1)
        assert int(ask(engine)) in engine.pids
    finally:
        engine.close()


def test_closing_ends_the_processes_also_one_that_hangs(tmp_path: Path) -> None:
    engine = IsolatedEngine(load, 2, stall_seconds=600)
    pids, marker = engine.pids, tmp_path / "hung"
    with ThreadPoolExecutor() as threads:
        hanging = threads.submit(ask, engine, f"hang at {marker}")
        until(marker.exists)
        engine.close()
        with pytest.raises(EngineLostError):
            hanging.result(PATIENCE)
    assert all(ends(pid) for pid in pids)
    assert not [thread for thread in threading.enumerate() if thread.name == "restart engine"]


def test_closing_does_not_wait_for_a_process_that_loads_its_model(tmp_path: Path) -> None:
    engine = IsolatedEngine(partial(load_endlessly_the_second_time, str(tmp_path)), 1, STALL)
    second = tmp_path / "second"
    [first] = engine.pids
    os.kill(first, signal.SIGKILL)
    until(second.exists)
    loading = int(second.read_text())
    try:
        closing = threading.Thread(target=engine.close, daemon=True)
        closing.start()
        closing.join(PATIENCE)
        assert not closing.is_alive()
        assert ends(loading)
    finally:
        with suppress(ProcessLookupError):
            os.kill(loading, signal.SIGKILL)


def test_signals_to_the_whole_group_are_left_to_the_server(single: IsolatedEngine) -> None:
    [pid] = single.pids
    for harmless in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, harmless)
    assert ask(single) == str(pid)
