"""How much the networks computed: counted tokens, and floating-point operations from them."""

from __future__ import annotations

from dataclasses import dataclass, fields

from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.geometry import CHUNK_TOKENS


@dataclass(slots=True)
class Work:
    """Counters; add up over steps.

    Attributes:
        seconds_convolved: chunks of one second through the convolutions.
        audio_tokens: tokens through the encoder's layers.
        audio_pairs: pairs of tokens in the encoder's attention.
        text_tokens: tokens through the decoder's layers.
        text_pairs: pairs of tokens in the decoder's attention.
        scored: rows of scores over the vocabulary.
        passes: calls of the decoder, each for all streams of a step.
    """

    seconds_convolved: int = 0
    audio_tokens: int = 0
    audio_pairs: int = 0
    text_tokens: int = 0
    text_pairs: int = 0
    scored: int = 0
    passes: int = 0

    def add(self, other: Work) -> None:
        """Add another's counts."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def minus(self, other: Work) -> Work:
        """The counts since another state."""
        return Work(**{each.name: getattr(self, each.name) - getattr(other, each.name) for each in fields(self)})

    def copy(self) -> Work:
        """The counts as they are now."""
        return self.minus(Work())

    def operations(self, shape: ModelShape) -> float:
        """Floating-point operations of the counted work in a model of that shape; a multiply-add is two."""
        return (
            self.seconds_convolved * convolution_operations(shape)
            + self.audio_tokens * audio_token_operations(shape)
            + self.audio_pairs * 4 * shape.audio.layers * shape.audio.width
            + self.text_tokens * text_token_operations(shape)
            + self.text_pairs * 4 * shape.text.layers * shape.text.heads * shape.text.head_width
            + self.scored * 2 * shape.text.width * shape.text.vocabulary
        )


def convolution_operations(shape: ModelShape) -> float:
    """Operations of one second through the three convolutions and their output projection."""
    channels, bins, frames = shape.audio.convolution_channels, shape.audio.mel_bins, 100
    total, inputs = 0.0, 1
    for _ in range(3):
        bins, frames = (bins + 1) // 2, (frames + 1) // 2
        total += 2 * 9 * inputs * channels * bins * frames
        inputs = channels
    return total + 2 * CHUNK_TOKENS * channels * bins * shape.audio.width


def audio_token_operations(shape: ModelShape) -> float:
    """Operations of one token through the encoder's linear layers and the projector."""
    audio = shape.audio
    layer = 4 * audio.width**2 + 2 * audio.width * audio.feed_forward
    return 2 * (audio.layers * layer + audio.width**2 + audio.width * audio.output_width)


def text_token_operations(shape: ModelShape) -> float:
    """Operations of one token through the decoder's linear layers."""
    text = shape.text
    attention = text.width * text.head_width * (2 * text.heads + 2 * text.key_heads)
    return 2 * text.layers * (attention + 3 * text.width * text.feed_forward)
