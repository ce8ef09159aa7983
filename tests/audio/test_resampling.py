from __future__ import annotations

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from wavescribe.audio.resampling import StreamingResampler
from wavescribe.engines.base import Samples

TARGET = 16000
RATES = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 96000]


def noise(length: int) -> Samples:
    return np.random.default_rng(7).uniform(-0.5, 0.5, length).astype(np.float32)


def resample(samples: Samples, rate: int, packets: list[int]) -> Samples:
    """Resample in packets of these sizes, over and over."""
    resampler = StreamingResampler(rate, TARGET)
    outputs = []
    position = turn = 0
    while position < len(samples):
        size = packets[turn % len(packets)]
        outputs.append(resampler.push(samples[position : position + size]))
        position += size
        turn += 1
    return np.concatenate([*outputs, resampler.flush()])


@settings(deadline=None, max_examples=60)
@given(
    rate=st.sampled_from(RATES),
    length=st.integers(0, 6000),
    packets=st.lists(st.integers(1, 3000), min_size=1, max_size=6),
)
def test_output_is_equal_to_the_bit_for_any_packets(rate: int, length: int, packets: list[int]) -> None:
    samples = noise(length)
    np.testing.assert_array_equal(resample(samples, rate, packets), resample(samples, rate, [max(1, length)]))


@pytest.mark.parametrize("rate", RATES)
def test_packets_of_one_sample_give_the_same_output_as_one_of_three_seconds(rate: int) -> None:
    samples = noise(3 * rate)
    output = resample(samples, rate, [len(samples)])
    np.testing.assert_array_equal(resample(samples, rate, [1]), output)
    np.testing.assert_allclose(output, soxr.resample(samples, rate, TARGET), atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(rate=st.sampled_from(RATES), length=st.integers(0, 5000))
def test_length_is_kept_within_one_sample(rate: int, length: int) -> None:
    assert abs(len(resample(noise(length), rate, [160])) - length * TARGET / rate) <= 1


@settings(deadline=None, max_examples=20)
@given(rate=st.sampled_from(RATES), packets=st.lists(st.integers(1, 3000), min_size=1, max_size=6))
def test_how_much_came_out_depends_only_on_how_much_went_in(rate: int, packets: list[int]) -> None:
    whole, cut = StreamingResampler(rate, TARGET), StreamingResampler(rate, TARGET)
    samples = noise(sum(packets))
    ends = np.cumsum(packets)
    from_packets = sum(len(cut.push(part)) for part in np.split(samples, ends[:-1]))
    assert from_packets == len(whole.push(samples))


@pytest.mark.parametrize(("rate", "lag"), [(8000, 1860), (16000, 0), (24000, 590), (44100, 650), (48000, 590)])
def test_output_lags_by_no_more_than_documented(rate: int, lag: int) -> None:
    resampler = StreamingResampler(rate, TARGET)
    received = 0
    for count in range(1, rate + 1):
        received += len(resampler.push(noise(1)))
        assert count * TARGET / rate - received <= lag


def test_equal_rates_change_nothing() -> None:
    samples = noise(100)
    np.testing.assert_array_equal(resample(samples, TARGET, [7]), samples)


def test_a_flush_begins_a_new_stream() -> None:
    resampler = StreamingResampler(24000, TARGET)
    first, second = [np.concatenate([resampler.push(noise(5000)), resampler.flush()]) for _ in range(2)]
    np.testing.assert_array_equal(first, second)


def test_a_strided_view_is_read_in_its_own_order() -> None:
    interleaved = noise(2000)
    left = interleaved[::2]
    np.testing.assert_array_equal(resample(left, 8000, [1000]), resample(left.copy(), 8000, [1000]))
