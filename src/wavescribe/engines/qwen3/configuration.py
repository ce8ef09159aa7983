"""The shape of a Qwen3-ASR model, read from the config.json of either published layout."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from wavescribe.errors import WeightsError

MODEL_TYPES: Final = ("qwen3_asr", "qwen3_forced_aligner")
"""Values of `model_type` that name this architecture."""

FRAMES_PER_SECOND: Final = 100
"""Mel frames of one second, and of one convolution chunk."""


DEFAULT_LABELS = 2
"""Labels that transformers gives any model."""


@dataclass(frozen=True, slots=True)
class AudioShape:
    """The audio encoder and its projector.

    Attributes:
        width: hidden size of the encoder's layers.
        layers: number of layers.
        heads: attention heads.
        feed_forward: hidden size of the feed-forward parts.
        mel_bins: mel filters.
        convolution_channels: channels of the three convolutions.
        output_width: size of the projector's output, the decoder's hidden size.
        window_frames: mel frames of one attention window; a multiple of 100.
    """

    width: int
    layers: int
    heads: int
    feed_forward: int
    mel_bins: int
    convolution_channels: int
    output_width: int
    window_frames: int

    @property
    def window_seconds(self) -> int:
        """Seconds of one attention window."""
        return self.window_frames // FRAMES_PER_SECOND


@dataclass(frozen=True, slots=True)
class TextShape:
    """The text decoder.

    Attributes:
        width: hidden size.
        layers: number of layers.
        heads: attention heads.
        key_heads: heads of keys and values, shared by groups of attention heads.
        head_width: size of one head.
        feed_forward: hidden size of the gated feed-forward parts.
        vocabulary: number of token ids.
        rope_theta: base of the rotary positions.
        norm_epsilon: epsilon of the RMS norms.
    """

    width: int
    layers: int
    heads: int
    key_heads: int
    head_width: int
    feed_forward: int
    vocabulary: int
    rope_theta: float
    norm_epsilon: float

    def key_value_bytes(self, bytes_per_number: int) -> int:
        """Bytes that one token's keys and values take in all layers."""
        return 2 * self.layers * self.key_heads * self.head_width * bytes_per_number


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A whole model.

    Attributes:
        audio: the audio encoder.
        text: the text decoder.
        classes: classes of a forced aligner's head; None for a model that writes text.
        may_tie: whether the output's weights may be those of the embedding; False where config.json says otherwise.
    """

    audio: AudioShape
    text: TextShape
    classes: int | None = None
    may_tie: bool = True

    def with_window(self, window_frames: int) -> ModelShape:
        """The same model with another length of the attention window.

        Raises:
            ValueError: not a multiple of 100 from 100 to 800.
        """
        if window_frames not in range(100, 801, 100):
            raise ValueError(f"window_frames must be a multiple of 100 from 100 to 800, got {window_frames}")
        return replace(self, audio=replace(self.audio, window_frames=window_frames))


def read_configuration(directory: Path) -> dict[str, Any]:
    """The directory's config.json.

    Raises:
        WeightsError: it is missing or not a JSON object.
    """
    path = directory / "config.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(f"{directory} has no config.json; give the directory of a Qwen3-ASR checkpoint") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read as JSON ({error}); copy the checkpoint again") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path} is not a JSON object; copy the checkpoint again")
    return content


def is_qwen3_asr(configuration: Mapping[str, Any]) -> bool:
    """Whether a config.json describes a model of this architecture."""
    return configuration.get("model_type") in MODEL_TYPES


def parse_shape(configuration: Mapping[str, Any], source: str) -> ModelShape:
    """The shape that a config.json describes, in the original layout or in that of transformers.

    Args:
        configuration: the parsed config.json.
        source: where it is from, for messages.

    Raises:
        WeightsError: another architecture, a layout that is not known, or values this engine does not run.
    """
    if not is_qwen3_asr(configuration):
        found = configuration.get("model_type")
        raise WeightsError(f"{source}: model_type is {found!r}; this engine runs {' and '.join(MODEL_TYPES)}")
    inner = configuration.get("thinker_config", configuration)
    try:
        audio, text = _audio(inner["audio_config"]), _text(inner["text_config"])
        classes = _classes(inner)
        may_tie = inner.get("tie_word_embeddings", True) and inner["text_config"].get("tie_word_embeddings", True)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise WeightsError(f"{source}: unknown layout of config.json ({error!r})") from error
    _check(audio, text, source)
    return ModelShape(audio, text, classes, bool(may_tie))


def _audio(values: Mapping[str, Any]) -> AudioShape:
    if int(values.get("n_window", 50)) != FRAMES_PER_SECOND // 2:
        raise ValueError(f"n_window is {values['n_window']}, expected 50")
    if values.get("scale_embedding") or values.get("activation_function", "gelu") != "gelu":
        raise ValueError("scale_embedding must be false and activation_function gelu")
    return AudioShape(
        width=int(values["d_model"]),
        layers=int(values["encoder_layers"]),
        heads=int(values["encoder_attention_heads"]),
        feed_forward=int(values["encoder_ffn_dim"]),
        mel_bins=int(values.get("num_mel_bins", 128)),
        convolution_channels=int(values.get("downsample_hidden_size", 480)),
        output_width=int(values["output_dim"]),
        window_frames=int(values.get("n_window_infer", 800)),
    )


def _text(values: Mapping[str, Any]) -> TextShape:
    rope = values.get("rope_parameters") or {}
    heads = int(values["num_attention_heads"])
    return TextShape(
        width=int(values["hidden_size"]),
        layers=int(values["num_hidden_layers"]),
        heads=heads,
        key_heads=int(values.get("num_key_value_heads", heads)),
        head_width=int(values.get("head_dim") or values["hidden_size"] // heads),
        feed_forward=int(values["intermediate_size"]),
        vocabulary=int(values["vocab_size"]),
        rope_theta=float(values.get("rope_theta") or rope.get("rope_theta") or 1e6),
        norm_epsilon=float(values.get("rms_norm_eps", 1e-6)),
    )


def _classes(values: Mapping[str, Any]) -> int | None:
    """Classes of a forced aligner; transformers writes two labels, of no meaning, for models that have none."""
    labels = values.get("classify_num") or values.get("num_labels") or len(values.get("id2label") or ())
    return int(labels) if labels > DEFAULT_LABELS else None


def _check(audio: AudioShape, text: TextShape, source: str) -> None:
    if audio.output_width != text.width:
        raise WeightsError(f"{source}: the projector gives {audio.output_width} values, the decoder takes {text.width}")
    if audio.window_frames not in range(100, 801, 100):
        raise WeightsError(f"{source}: n_window_infer is {audio.window_frames}, expected a multiple of 100 up to 800")
    if text.key_heads < 1 or text.heads % text.key_heads:
        raise WeightsError(f"{source}: {text.heads} attention heads cannot share {text.key_heads} key heads")


_TEXT_06B = TextShape(1024, 28, 16, 8, 128, 3072, 151936, 1e6, 1e-6)

SHAPES: Final[Mapping[str, ModelShape]] = {
    "0.6B": ModelShape(AudioShape(896, 18, 14, 3584, 128, 480, 1024, 800), _TEXT_06B),
    "1.7B": ModelShape(
        AudioShape(1024, 24, 16, 4096, 128, 480, 2048, 800), TextShape(2048, 28, 16, 8, 128, 6144, 151936, 1e6, 1e-6)
    ),
    "aligner-0.6B": ModelShape(
        AudioShape(1024, 24, 16, 4096, 128, 480, 1024, 800), replace(_TEXT_06B, vocabulary=152064), classes=5000
    ),
    "toy": ModelShape(AudioShape(64, 3, 4, 256, 128, 32, 96, 800), TextShape(96, 4, 4, 2, 32, 192, 151936, 1e6, 1e-6)),
}
"""The published sizes (technical report, table 1), and a toy for tests."""
