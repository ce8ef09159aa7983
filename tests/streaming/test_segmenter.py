from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.streaming.parameters import RecipeParameters, StreamParameters
from wavescribe.streaming.segmenter import Cut, CutKind, Segmenter
from wavescribe.vad.detector import FRAME_SAMPLES

STEP = 16_000
PREROLL = 6_400
NO_LULLS = 60.0
PARAMETERS = StreamParameters(lull_seconds=NO_LULLS, first_step_seconds=1.0)
"""Steps from one second on, and none in lulls: those have tests of their own."""
SPEECH, SILENCE = 1.0, 0.0
STEP_CUT, LULL, PAUSE, TURN = CutKind.STEP, CutKind.LULL, CutKind.PAUSE, CutKind.TURN


def frames(speech: int, silence: int = 0) -> list[float]:
    return [SPEECH] * speech + [SILENCE] * silence


def cuts(
    heard: Sequence[float],
    *,
    extra: int = 0,
    turn_end: int | None = None,
    minimum_advance: int = 0,
    parameters: StreamParameters = PARAMETERS,
) -> list[Cut]:
    """The cuts of frames that are all there at once, `extra` samples of a next frame received with them."""
    segmenter = Segmenter(parameters)
    segmenter.push(heard)
    return drained(segmenter, len(heard) * FRAME_SAMPLES + extra, turn_end, minimum_advance)


def drained(segmenter: Segmenter, received: int, turn_end: int | None = None, minimum_advance: int = 0) -> list[Cut]:
    found: list[Cut] = []
    while (cut := segmenter.next_cut(received, turn_end, minimum_advance)) is not None:
        found.append(cut)
        if cut.kind is TURN:
            turn_end = None
    return found


def test_speech_is_cut_at_every_step_length() -> None:
    assert cuts(frames(160)) == [Cut(STEP_CUT, number * STEP, 0) for number in range(1, 6)]


def test_steps_are_counted_from_the_segments_start() -> None:
    found = cuts([*frames(0, 40), *frames(100)])
    start = 40 * FRAME_SAMPLES - PREROLL
    assert [cut.position for cut in found] == [start + STEP, start + 2 * STEP, start + 3 * STEP]
    assert {cut.segment_start for cut in found} == {start}


def test_the_step_length_is_that_of_the_parameters() -> None:
    found = cuts(frames(126), parameters=StreamParameters(step_seconds=2.0, first_step_seconds=2.0))
    assert [cut.position for cut in found] == [32_000, 64_000]


def test_the_first_step_waits_for_its_own_length_of_audio() -> None:
    found = cuts(frames(126), parameters=replace(PARAMETERS, first_step_seconds=1.5))
    assert [cut.position for cut in found] == [24_000, 40_000, 56_000]


def test_the_first_step_is_no_shorter_than_the_others() -> None:
    found = cuts(frames(126), parameters=replace(PARAMETERS, step_seconds=2.0, first_step_seconds=1.0))
    assert [cut.position for cut in found] == [32_000, 64_000]


def test_a_first_step_shorter_than_what_opens_a_segment_is_cut_as_soon_as_it_is_open() -> None:
    found = cuts(frames(10), parameters=replace(PARAMETERS, step_seconds=0.01, first_step_seconds=0.01))
    assert found[0] == Cut(STEP_CUT, 2 * FRAME_SAMPLES, 0)


def test_a_lull_is_cut_once_exactly_its_length_after_the_last_speech_frame() -> None:
    parameters = replace(PARAMETERS, lull_seconds=8 * FRAME_SAMPLES / STEP)
    assert cuts(frames(10, 40), parameters=parameters) == [
        Cut(LULL, 18 * FRAME_SAMPLES, 0),
        Cut(PAUSE, 26 * FRAME_SAMPLES, 0, heard=True),
    ]


def test_speech_after_a_lull_has_not_been_heard_by_its_step() -> None:
    parameters = replace(PARAMETERS, lull_seconds=8 * FRAME_SAMPLES / STEP)
    found = cuts([*frames(10, 9), *frames(5, 3)], turn_end=27 * FRAME_SAMPLES, parameters=parameters)
    assert found == [Cut(LULL, 18 * FRAME_SAMPLES, 0), Cut(TURN, 27 * FRAME_SAMPLES, 0, heard=False)]


def test_a_turn_that_ends_in_a_lull_has_been_heard() -> None:
    parameters = replace(PARAMETERS, lull_seconds=8 * FRAME_SAMPLES / STEP)
    found = cuts(frames(10, 10), turn_end=20 * FRAME_SAMPLES, parameters=parameters)
    assert found == [Cut(LULL, 18 * FRAME_SAMPLES, 0), Cut(TURN, 20 * FRAME_SAMPLES, 0, heard=True)]


def test_the_next_step_comes_a_whole_step_after_a_lulls() -> None:
    parameters = replace(PARAMETERS, lull_seconds=8 * FRAME_SAMPLES / STEP)
    found = cuts([*frames(10, 9), *frames(60)], parameters=parameters)
    assert found == [Cut(LULL, 18 * FRAME_SAMPLES, 0), Cut(STEP_CUT, 18 * FRAME_SAMPLES + STEP, 0)]


def test_a_minimum_advance_skips_the_step_of_a_lull() -> None:
    parameters = replace(PARAMETERS, lull_seconds=8 * FRAME_SAMPLES / STEP)
    found = cuts(frames(40, 40), parameters=parameters, minimum_advance=2 * STEP)
    assert found == [Cut(PAUSE, 56 * FRAME_SAMPLES, 0, heard=False)]


@pytest.mark.parametrize(
    ("speech", "silence", "minimum", "skipped"),
    [
        (10, 40, 2 * STEP, 1),  # the lull's
        (40, 40, 2 * STEP, 2),  # one of the grid, and the lull's
        (40, 40, 0, 0),
        (80, 40, 2 * STEP, 2),  # the first of the grid, and the lull's
        (80, 40, 20 * STEP, 3),  # both of the grid, and the lull's
    ],
)
def test_every_step_that_was_left_out_is_counted(speech: int, silence: int, minimum: int, skipped: int) -> None:
    parameters = replace(PARAMETERS, lull_seconds=8 * FRAME_SAMPLES / STEP)
    segmenter = Segmenter(parameters)
    segmenter.push(frames(speech, silence))
    while segmenter.next_cut((speech + silence) * FRAME_SAMPLES, None, minimum) is not None:
        pass
    assert segmenter.skipped == skipped


def test_a_turn_end_on_the_grid_leaves_nothing_out() -> None:
    segmenter = Segmenter(PARAMETERS)
    segmenter.push(frames(40))
    assert segmenter.next_cut(2 * STEP, STEP) == Cut(TURN, STEP, 0)
    assert segmenter.skipped == 0


def test_without_the_voice_gate_everything_is_one_segment_cut_at_every_chunk() -> None:
    parameters = StreamParameters(strategy="cumulative", recipe=RecipeParameters(chunk_seconds=1.5))
    found = cuts(frames(0, 160), turn_end=160 * FRAME_SAMPLES, parameters=parameters)
    assert found == [
        Cut(STEP_CUT, 24_000, 0),
        Cut(STEP_CUT, 48_000, 0),
        Cut(STEP_CUT, 72_000, 0),
        Cut(TURN, 160 * FRAME_SAMPLES, 0),
    ]


def test_a_step_waits_for_the_samples_up_to_its_cut_and_no_longer() -> None:
    whole = frames(31)
    missing = STEP - 31 * FRAME_SAMPLES
    assert cuts(whole, extra=missing - 1) == []
    assert cuts(whole, extra=missing) == [Cut(STEP_CUT, STEP, 0)]


def test_a_step_waits_for_the_frames_of_audio_that_is_already_there() -> None:
    segmenter = Segmenter(PARAMETERS)
    segmenter.push(frames(30))
    assert segmenter.next_cut(STEP, None) is None
    segmenter.push(frames(1))
    assert segmenter.next_cut(STEP, None) == Cut(STEP_CUT, STEP, 0)


def test_a_pause_is_cut_exactly_its_length_after_the_last_speech_frame() -> None:
    parameters = replace(PARAMETERS, pause_seconds=10 * FRAME_SAMPLES / 16_000)
    found = cuts(frames(20, 40), parameters=parameters)
    assert found == [Cut(PAUSE, 30 * FRAME_SAMPLES, 0)]


def test_a_pause_that_ends_inside_a_frame_is_cut_at_that_frames_end() -> None:
    assert cuts(frames(10, 40)) == [Cut(PAUSE, (10 + 16) * FRAME_SAMPLES, 0)]


def test_a_pause_one_frame_too_short_does_not_close_the_segment() -> None:
    parameters = replace(PARAMETERS, pause_seconds=10 * FRAME_SAMPLES / 16_000)
    found = cuts([*frames(20, 9), *frames(20, 10)], parameters=parameters)
    assert found == [Cut(STEP_CUT, STEP, 0), Cut(PAUSE, 59 * FRAME_SAMPLES, 0)]


def test_silence_gives_no_cuts() -> None:
    assert cuts(frames(0, 1_000)) == []


def test_after_a_pause_silence_gives_no_more_cuts() -> None:
    assert [cut.kind for cut in cuts(frames(10, 1_000))] == [PAUSE]


def test_no_step_is_cut_while_no_speech_came_since_the_last_one() -> None:
    parameters = replace(PARAMETERS, pause_seconds=3.0)
    found = cuts(frames(31, 100), parameters=parameters)
    assert [(cut.kind, cut.position) for cut in found] == [(STEP_CUT, STEP), (PAUSE, (31 + 94) * FRAME_SAMPLES)]


def test_clicks_of_one_frame_do_not_open_a_segment() -> None:
    assert cuts([*frames(1, 1)] * 500) == []


def test_two_frames_of_speech_open_a_segment() -> None:
    assert cuts(frames(2, 40)) == [Cut(PAUSE, 18 * FRAME_SAMPLES, 0)]


@pytest.mark.parametrize(("probability", "opens"), [(0.5, True), (0.49, False)])
def test_a_segment_opens_at_a_probability_of_a_half(probability: float, opens: bool) -> None:
    assert bool(cuts([*[probability] * 31, *frames(0, 40)])) is opens


@pytest.mark.parametrize(("probability", "pause_after"), [(0.35, 40), (0.34, 20)])
def test_speech_that_has_begun_goes_on_at_a_lower_probability(probability: float, pause_after: int) -> None:
    found = cuts([*frames(20), *[probability] * 20, *frames(0, 40)])
    assert [cut.position for cut in found if cut.kind is PAUSE] == [(pause_after + 16) * FRAME_SAMPLES]


def test_a_segment_begins_the_preroll_before_its_first_speech_frame() -> None:
    found = cuts([*frames(0, 40), *frames(20, 20)])
    assert found[-1].segment_start == 40 * FRAME_SAMPLES - PREROLL


def test_the_preroll_never_reaches_before_the_streams_start() -> None:
    assert cuts([*frames(0, 3), *frames(20, 20)])[0].segment_start == 0


def test_the_preroll_never_reaches_into_the_speech_before_a_pause() -> None:
    parameters = StreamParameters(pause_seconds=0.1, preroll_seconds=5.0)
    found = cuts([*frames(20, 6), *frames(20, 6)], parameters=parameters)
    assert [cut.segment_start for cut in found if cut.kind is PAUSE] == [0, 20 * FRAME_SAMPLES]


@pytest.mark.parametrize("offset", [0, 1, 100, FRAME_SAMPLES - 1])
def test_the_preroll_never_reaches_before_a_turns_end(offset: int) -> None:
    turn_end = 20 * FRAME_SAMPLES + offset
    found = cuts([*frames(20), *frames(0, 3), *frames(20, 20)], turn_end=turn_end)
    assert found[0] == Cut(TURN, turn_end, 0)
    assert [cut.segment_start for cut in found[1:]] == [turn_end] * len(found[1:])
    assert found[-1].kind is PAUSE


@pytest.mark.parametrize("offset", [0, 1, 255, FRAME_SAMPLES - 1])
def test_a_turn_ends_in_the_middle_of_a_frame_as_soon_as_its_audio_is_there(offset: int) -> None:
    turn_end = 20 * FRAME_SAMPLES + offset
    assert cuts(frames(20), extra=offset, turn_end=turn_end) == [Cut(TURN, turn_end, 0)]


def test_a_turn_waits_for_its_audio() -> None:
    assert cuts(frames(20), extra=99, turn_end=20 * FRAME_SAMPLES + 100) == []


def test_a_turn_of_silence_ends_without_a_segment() -> None:
    turn_end = 50 * FRAME_SAMPLES
    assert cuts(frames(0, 50), turn_end=turn_end) == [Cut(TURN, turn_end, None)]


def test_a_turn_without_audio_ends_at_once() -> None:
    assert cuts([], turn_end=0) == [Cut(TURN, 0, None)]


def test_a_pause_before_the_turns_end_comes_first() -> None:
    found = cuts(frames(10, 40), turn_end=50 * FRAME_SAMPLES)
    assert found == [Cut(PAUSE, 26 * FRAME_SAMPLES, 0), Cut(TURN, 50 * FRAME_SAMPLES, None)]


def test_a_turns_end_at_a_multiple_of_the_step_is_one_cut() -> None:
    assert cuts(frames(32), turn_end=STEP) == [Cut(TURN, STEP, 0)]


def test_what_is_said_over_a_turns_end_goes_on_in_a_segment_that_starts_there() -> None:
    turn_end = 50 * FRAME_SAMPLES + 100
    found = cuts(frames(100), turn_end=turn_end)
    assert found == [Cut(STEP_CUT, STEP, 0), Cut(TURN, turn_end, 0), Cut(STEP_CUT, turn_end + STEP, turn_end)]


@pytest.mark.parametrize(
    ("advance", "expected"),
    [(0, [1, 2, 3, 4, 5]), (STEP, [1, 2, 3, 4, 5]), (STEP + 1, [2, 4]), (2 * STEP, [2, 4]), (3 * STEP, [3])],
)
def test_a_minimum_advance_skips_steps(advance: int, expected: list[int]) -> None:
    found = cuts(frames(160), minimum_advance=advance)
    assert [cut.position for cut in found] == [number * STEP for number in expected]


def test_a_minimum_advance_skips_neither_pauses_nor_turns() -> None:
    found = cuts([*frames(20, 20), *frames(20)], turn_end=60 * FRAME_SAMPLES, minimum_advance=100 * STEP)
    assert [(cut.kind, cut.position) for cut in found] == [
        (PAUSE, 36 * FRAME_SAMPLES),
        (TURN, 60 * FRAME_SAMPLES),
    ]


def test_an_abandoned_segment_takes_its_audio_with_it() -> None:
    segmenter = Segmenter(PARAMETERS)
    segmenter.push(frames(100, 20))
    first = segmenter.next_cut(120 * FRAME_SAMPLES, None)
    assert first == Cut(STEP_CUT, STEP, 0)
    segmenter.abandon(first.position)
    assert {cut.segment_start for cut in drained(segmenter, 120 * FRAME_SAMPLES)} == {STEP}


def test_silence_is_reported_until_speech_begins_and_after_its_pause() -> None:
    segmenter = Segmenter(PARAMETERS)
    seen = []
    for number, probability in enumerate([*frames(0, 3), *frames(3, 16)]):
        segmenter.push([probability])
        drained(segmenter, (number + 1) * FRAME_SAMPLES)
        seen.append(segmenter.in_silence)
    assert seen == [True] * 3 + [False] * 18 + [True]
    assert segmenter.consumed == 22 * FRAME_SAMPLES


def test_in_silence_only_the_preroll_and_the_opening_frames_are_needed() -> None:
    segmenter = Segmenter(PARAMETERS)
    segmenter.push(frames(0, 1_000))
    drained(segmenter, 1_000 * FRAME_SAMPLES)
    assert segmenter.needed_from == 998 * FRAME_SAMPLES - PREROLL


def test_an_open_segment_is_needed_from_its_start() -> None:
    segmenter = Segmenter(PARAMETERS)
    segmenter.push([*frames(0, 40), *frames(500)])
    drained(segmenter, 540 * FRAME_SAMPLES)
    assert segmenter.needed_from == 40 * FRAME_SAMPLES - PREROLL


PROBABILITIES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.34, 0.4, 0.5, 1.0]), st.integers(1, 40)), min_size=1, max_size=15
).map(lambda runs: [probability for probability, count in runs for _ in range(count)])


@st.composite
def packetisations(draw: st.DrawFn) -> tuple[list[float], int, list[int]]:
    """Frames, the samples received in all, and the positions that packets end at."""
    heard = draw(PROBABILITIES)
    total = len(heard) * FRAME_SAMPLES + draw(st.integers(0, FRAME_SAMPLES - 1))
    ends = draw(st.lists(st.integers(0, total), max_size=30, unique=True))
    return heard, total, [*sorted(ends), total]


def fed(
    heard: list[float], packets: list[int], turn_ends: list[int], parameters: StreamParameters, *, late: bool = False
) -> tuple[list[Cut], list[int]]:
    """The cuts, and what was needed after each, of audio in packets.

    A turn's end is known once its audio is there; a late reader asks for cuts only when the packets are all there.
    """
    segmenter = Segmenter(parameters)
    found: list[Cut] = []
    needed: list[int] = []
    ends = list(turn_ends)
    pushed = 0
    for received in packets if late else sorted({*packets, *turn_ends}):
        segmenter.push(heard[pushed : received // FRAME_SAMPLES])
        pushed = received // FRAME_SAMPLES
        while (cut := segmenter.next_cut(received, ends[0] if ends and ends[0] <= received else None)) is not None:
            found.append(cut)
            needed.append(segmenter.needed_from)
            if cut.kind is TURN:
                ends.pop(0)
    return found, needed


@settings(deadline=None)
@given(
    audio=packetisations(),
    step=st.sampled_from([0.2, 0.5, 1.0, 2.0]),
    pause=st.sampled_from([0.1, 0.32, 0.5]),
    lull=st.sampled_from([0.1, 0.25, 60.0]),
    data=st.data(),
)
def test_the_cuts_are_the_same_for_any_packets(
    audio: tuple[list[float], int, list[int]], step: float, pause: float, lull: float, data: st.DataObject
) -> None:
    heard, total, packets = audio
    turn_ends = sorted(data.draw(st.lists(st.integers(0, total), max_size=3, unique=True)))
    parameters = StreamParameters(step_seconds=step, pause_seconds=pause, lull_seconds=lull)
    whole = fed(heard, [*turn_ends, total], turn_ends, parameters)
    assert fed(heard, packets, turn_ends, parameters) == whole
    assert fed(heard, [total], turn_ends, parameters, late=True) == whole


@settings(deadline=None)
@given(audio=packetisations(), data=st.data())
def test_the_cuts_go_forward_and_their_segments_do_not_overlap(
    audio: tuple[list[float], int, list[int]], data: st.DataObject
) -> None:
    heard, total, packets = audio
    turn_ends = sorted(data.draw(st.lists(st.integers(0, total), max_size=3, unique=True)))
    found, _ = fed(heard, packets, turn_ends, StreamParameters())
    assert [cut.position for cut in found if cut.kind is TURN] == turn_ends
    closed = 0
    for before, cut in zip([Cut(TURN, 0, None), *found], found, strict=False):
        assert cut.position >= before.position
        assert cut.segment_start is None or closed <= cut.segment_start <= cut.position
        if cut.kind is TURN:
            closed = cut.position
