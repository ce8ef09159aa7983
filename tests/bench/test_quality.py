from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from playwright.async_api import Browser

from wavescribe.bench.corpus import Recording
from wavescribe.bench.measurement import TableData
from wavescribe.bench.metrics.bootstrap import LEAST_RECORDINGS
from wavescribe.bench.metrics.word_errors import ErrorRate
from wavescribe.bench.offline import OfflineRun
from wavescribe.bench.publishing import write
from wavescribe.bench.quality import groups_of, headline_of, in_languages, quality_measurement
from wavescribe.bench.recording_quality import OfflineQuality, RecordingQuality, group, judge
from wavescribe.bench.streamed import StreamedRun
from wavescribe.engines.base import EngineInfo
from wavescribe.engines.whisper.engine import BEAM_SIZE
from wavescribe.errors import ConfigurationError
from wavescribe.streaming.events import Draft, Event, Settled, SettledWord, TurnEnded

RATE = 16_000
LANGUAGES = ("de", "es", "fr", "hi", "it", "ja", "ko", "pt", "ru", "th", "yue", "zh")
ENGLISH_KINDS = ("format", "long", "multispeaker", "noisy", "short")


def streamed(text: str, draft: str = "") -> StreamedRun:
    """A run that showed a draft and settled a text three seconds after its word's end."""
    word = SettledWord(text, 0, RATE, 1.0)
    events: list[Event] = [
        Draft(0, draft or text, 2 * RATE),
        Settled(0, text, (word,), "en", 4 * RATE),
        TurnEnded(0, text, "en", 0, 4 * RATE),
    ]
    return StreamedRun(events=events, cpu_seconds=2.0)


def judged(gold: str, offline: str, text: str, language: str = "en", draft: str = "") -> RecordingQuality:
    """A recording of which greedy decoding writes the offline text and beam search the gold text."""
    recording = Recording("a name", Path("a.wav"), 4.0, language, "short", gold, tiled=False, reference="human")
    return judge(recording, OfflineRun(offline, 0.5), OfflineRun(gold, 0.75), streamed(text, draft))


def decoded(errors: int, cpu_seconds: float = 1.0) -> OfflineQuality:
    """Ten words with so many wrong."""
    return OfflineQuality(ErrorRate(errors, 0, 0, 10), ErrorRate(errors, 0, 0, 50), cpu_seconds, "offline")


def made(
    language: str, kind: str, *, seconds: float = 10.0, offline: int = 1, beam: int | None = None, streamed: int = 2
) -> RecordingQuality:
    """A recording of ten words with so many wrong: greedy, by beam search (the same where it is None), streamed."""
    return RecordingQuality(
        name=f"{language} {kind}",
        language=language,
        kind=kind,
        seconds=seconds,
        greedy=decoded(offline),
        beam=decoded(offline if beam is None else beam, 9.0),
        streamed=ErrorRate(streamed, 0, 0, 10),
        streamed_characters=ErrorRate(streamed, 0, 0, 50),
        written=45,
        gold=50,
        unstable=1,
        final_words=10,
        false_settled=streamed,
        after_mismatch=5,
        settled_words=10,
        lags=(1.0, 3.0),
        cpu_seconds=2.0,
        streamed_text="streamed",
    )


def corpus() -> list[RecordingQuality]:
    """Most of English, little of every other language."""
    english = [made("en", kind) for kind in ENGLISH_KINDS for _ in range(LEAST_RECORDINGS)]
    return [*english, *(made(language, "short", streamed=9) for language in LANGUAGES)]


def rows(table: TableData) -> dict[tuple[str, ...], dict[str, str]]:
    """The cells by heading, by the row's language and kind."""
    return {row[:2]: dict(zip(table.headings, row, strict=True)) for row in table.rows}


def test_a_recording_is_judged_against_its_gold_text_and_against_offline_decoding() -> None:
    found = judged("the cat sat down", "the cat sat", "the hat sat down now", draft="the cat")
    assert found.greedy.errors == ErrorRate(substitutions=0, deletions=1, insertions=0, words=4)
    assert found.beam == OfflineQuality(ErrorRate(0, 0, 0, 4), ErrorRate(0, 0, 0, 13), 0.75, "the cat sat down")
    assert found.streamed == ErrorRate(substitutions=1, deletions=0, insertions=1, words=4)
    assert found.greedy.characters == ErrorRate(substitutions=0, deletions=4, insertions=0, words=13)
    assert found.streamed_characters == ErrorRate(substitutions=1, deletions=0, insertions=3, words=13)
    assert (found.written, found.gold) == (16, 13)
    assert (found.unstable, found.final_words) == (1, 5)
    assert (found.false_settled, found.after_mismatch, found.settled_words) == (2, 4, 5)
    assert found.lags == (3.0, 3.0, 3.0, 3.0)  # of each gold word, of which none is missing
    assert (found.cpu_seconds, found.greedy.cpu_seconds) == (2.0, 0.5)
    assert (found.greedy.text, found.streamed_text) == ("the cat sat", "the hat sat down now")


@pytest.mark.parametrize(
    ("gold", "text", "language"),
    [
        ("MISTER QUILTER IS HERE", "Mr. Quilter, is here!", "en"),
        ("das ist gut", "»Das ist – gut.«", "de"),
        ("今天天气很好", "今天，天气很好。", "zh"),
    ],
)
def test_punctuation_is_neither_an_error_nor_over_emission(gold: str, text: str, language: str) -> None:
    found = judged(gold, text, text, language)
    assert found.written == found.gold > 0
    assert found.streamed.errors == found.greedy.errors.errors == 0


def test_where_words_are_not_written_apart_each_character_is_one() -> None:
    found = judged("今天天气很好", "今天天气好", "今天天汽很好", "zh")
    assert (found.streamed.words, found.streamed.errors, found.greedy.errors.errors) == (6, 1, 1)
    assert group([found]).unit == "character"


def test_a_group_is_one_corpus_in_which_every_word_weighs_the_same() -> None:
    short, long = made("en", "short", offline=0, streamed=1), made("en", "long", offline=3, streamed=5)
    greedy = replace(decoded(3), errors=ErrorRate(3, 0, 0, 30))
    long = replace(long, streamed=ErrorRate(5, 0, 0, 30), greedy=greedy, seconds=30.0, written=60)
    found = group([short, long])
    assert (found.recordings, found.seconds, found.words, found.unit) == (2, 40.0, 40, "word")
    assert (found.greedy.rate, found.streamed) == (3 / 40, 6 / 40)
    assert found.penalty == pytest.approx(3 / 40)
    assert (found.greedy.cer, found.streamed_cer) == (3 / 100, 6 / 100)
    assert found.over_emission == 105 / 100
    assert (found.unstable_ratio, found.false_settles, found.after_mismatch) == (2 / 20, 6 / 20, 10 / 20)
    assert (found.cpu, found.greedy.cpu, found.beam.cpu) == (4 / 40, 2 / 40, 18 / 40)
    assert found.lag is not None
    assert (found.lag.count, found.lag.p50, found.lag.p95) == (4, 1.0, 3.0)


def test_groups_are_of_one_language_and_kind_and_nothing_is_pooled_with_others() -> None:
    groups = groups_of([made("zh", "short"), made("en", "noisy"), made("en", "short"), made("en", "short")])
    assert {name: figures.recordings for name, figures in groups.items()} == {
        ("en", "noisy"): 1,
        ("en", "short"): 2,
        ("zh", "short"): 1,
    }


@pytest.mark.parametrize(
    ("results", "headline"),
    [
        ([made("en", "short"), made("en", "long"), made("en", "noisy")], ("en", ("short", "long"))),
        ([made("en", "short"), made("zh", "short", seconds=11.0)], ("zh", ("short",))),
        ([made("en", "short"), made("de", "noisy", seconds=99.0)], ("en", ("short",))),
        ([made("de", "short"), made("de", "short"), made("en", "long", seconds=15.0)], ("de", ("short",))),
        ([made("en", "noisy"), made("de", "noisy", seconds=99.0)], ("de", ("noisy",))),
    ],
    ids=["not noise", "most seconds", "not most noise", "most in all", "only noise"],
)
def test_the_headline_is_of_clean_speech_of_the_language_with_most_of_it(
    results: list[RecordingQuality], headline: tuple[str, tuple[str, ...]]
) -> None:
    assert headline_of(results) == headline


def test_the_headline_and_the_figures_by_delay_are_of_the_same_recordings() -> None:
    low = [replace(each, streamed=ErrorRate(4, 0, 0, 10)) for each in corpus()]
    found = quality_measurement({"medium": corpus(), "low": low}, "model", 1.0)
    assert found.title == (
        "streaming costs +10.00 points of word errors above greedy offline decoding (en short and long, delay medium)"
    )
    assert "model, steps of 1 s; en short and long: 10 recordings, 100 s, 100 words" in found.summary
    assert [(row[0], row[1], row[5]) for row in found.tables[3].rows] == [
        ("medium", "10", "20.00 %"),
        ("low", "10", "40.00 %"),
    ]
    assert found.data["headline"] == {"language": "en", "kinds": ("short", "long")}
    assert found.data["delays"]["low"]["penalty"] == pytest.approx(0.3)
    assert len(found.data["recordings"]["low"]) == len(corpus())


def test_streaming_is_compared_with_greedy_decoding_and_with_as_many_hypotheses_as_it_follows() -> None:
    found = quality_measurement({"medium": [made("en", "short", offline=3, beam=1)] * LEAST_RECORDINGS}, "model", 1.0)
    assert found.title.startswith(
        f"streaming costs +10.00 points of word errors above offline beam search with {BEAM_SIZE} hypotheses (en short"
    )
    assert found.summary[1:3] == (
        f"word errors 20.00 % streamed, 30.00 % by greedy offline decoding, 10.00 % by offline beam search with "
        f"{BEAM_SIZE} hypotheses, as many as streaming follows; the headline is against the better of both",
        "penalty against greedy offline decoding -10.00 points (95 % confidence: -10.00 to -10.00); penalty against "
        f"offline beam search with {BEAM_SIZE} hypotheses +10.00 points (95 % confidence: +10.00 to +10.00)",
    )
    assert found.summary[-1] == "streaming takes 0.200 CPU seconds a second, 2.0 times greedy offline decoding"
    assert [series.y[0] for series in found.charts[0].series] == pytest.approx([30.0, 10.0, 20.0])
    assert (found.data["offline_beam"], found.data["delays"]["medium"]["reference"]) == (BEAM_SIZE, "beam")


def test_errors_of_characters_are_told_as_such() -> None:
    found = quality_measurement({"medium": [made("zh", "short")]}, "model", 1.0)
    assert found.title == (
        "streaming costs +10.00 points of character errors above greedy offline decoding (zh short, delay medium)"
    )
    assert rows(found.tables[0])["zh", "short"]["gold text"] == "10 characters"
    assert found.charts[0].series[0].x == ("zh short, characters",)


def test_the_tables_have_a_row_for_each_group_and_one_for_the_headline() -> None:
    errors, characters, costs = map(rows, quality_measurement({"medium": corpus()}, "model", 1.0).tables[:3])
    groups = {("en", kind) for kind in ENGLISH_KINDS} | {(name, "short") for name in LANGUAGES}
    assert set(errors) == set(characters) == set(costs) == groups | {("en", "short and long")}
    assert errors["en", "noisy"] == {
        "language": "en",
        "kind": "noisy",
        "recordings": "5",
        "gold text": "50 words",
        "greedy offline WER": "10.00 %",
        "beam offline WER": "10.00 %",
        "streamed WER": "20.00 %",
        "above greedy (95 %)": "+10.00 (+10.00 to +10.00)",
        "above beam (95 %)": "+10.00 (+10.00 to +10.00)",
    }
    assert characters["en", "noisy"] == {
        "language": "en",
        "kind": "noisy",
        "recordings": "5",
        "greedy offline CER": "2.00 %",
        "beam offline CER": "2.00 %",
        "streamed CER": "4.00 %",
        "written": "90.0 %",
    }
    assert costs["zh", "short"] == {
        "language": "zh",
        "kind": "short",
        "recordings": "1",
        "UPWR": "0.10",
        "false settles": "90.00 %",
        "lag p50": "1.00",
        "lag p95": "3.00 (most)",
        "CPU s/s": "0.200",
        "times greedy offline": "2.00",
    }


@pytest.mark.parametrize(("count", "shown"), [(LEAST_RECORDINGS - 1, False), (LEAST_RECORDINGS, True)])
def test_of_few_recordings_no_interval_is_shown(count: int, shown: bool) -> None:
    errors = [1, 2, 3, 4, 5][:count]
    found = quality_measurement({"medium": [made("en", "short", streamed=each) for each in errors]}, "model", 1.0)
    bars = found.charts[0].series[2]
    assert (bars.low[0] < (bars.y[0] or 0) < bars.high[0]) == shown
    assert (bars.low == bars.y == bars.high) != shown
    assert (" to " in found.tables[0].rows[0][7]) == shown
    assert ("95 % confidence" in found.summary[2]) == shown
    assert ("too few" in found.summary[2]) != shown
    assert (asdict(group([made("en", "short")] * count))["penalty_interval"] is not None) == shown


def test_delays_are_drawn_where_there_are_several() -> None:
    one = quality_measurement({"medium": corpus()}, "model", 1.0)
    two = quality_measurement(
        {"medium": corpus(), "low": [replace(each, lags=(0.5,)) for each in corpus()]}, "model", 1.0
    )
    assert [chart.name for chart in one.charts] == ["quality_errors"]
    assert [chart.name for chart in two.charts] == ["quality_errors", "quality_delay"]
    points = two.charts[1].series[0]
    assert (points.x, points.reach, points.marks) == ((0.5, 1.0), (0.5, 3.0), ("low", "medium"))


def test_recordings_in_languages_that_the_model_does_not_have_are_left_out_and_told() -> None:
    info = EngineInfo("tiny", 16_000, ("en",), 28.0, True, True, False, True)
    recordings = [Recording(code, Path("none"), 1.0, code, "short", "x", False, "human") for code in ("yue", "en")]
    known, told = in_languages(recordings, info)
    assert [each.name for each in known] == ["en"]
    assert told == "left out, because tiny does not have the language: yue"
    found = quality_measurement({"medium": [made("en", "short")]}, "tiny", 1.0, told)
    assert found.summary[-1] == told
    assert in_languages(recordings[1:], info) == (known, "")
    with pytest.raises(ConfigurationError, match="tiny has none of the languages asked for: yue"):
        in_languages(recordings[:1], info)


def test_what_settled_nothing_has_no_lag() -> None:
    found = quality_measurement({"medium": [replace(made("en", "short"), lags=())]}, "model", 1.0)
    assert "nothing settled" in found.summary
    assert rows(found.tables[2])["en", "short"]["lag p50"] == ""


@pytest.mark.browser
async def test_no_table_is_cut_on_a_page_of_1250_pixels(
    tmp_path: Path, launch: Callable[..., Awaitable[Browser]]
) -> None:
    mixed = [made("en", kind, streamed=number) for kind in ENGLISH_KINDS for number in range(10)]
    report = write(quality_measurement({"medium": [*corpus(), *mixed], "low": mixed}, "model", 1.0), tmp_path)
    page = await (await launch()).new_page(viewport={"width": 1250, "height": 800})
    await page.goto(report.as_uri())
    widths = await page.evaluate("[...document.querySelectorAll('table')].map((t) => [t.scrollWidth, t.clientWidth])")
    await page.close()
    assert len(widths) == 6
    assert all(needed <= given for needed, given in widths)
