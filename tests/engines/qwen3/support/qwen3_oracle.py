"""transformers' native Qwen3-ASR class with the weights under test: what is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import Qwen3ASRConfig, Qwen3ASRForConditionalGeneration
from transformers.models.qwen3_asr.feature_extraction_qwen3_asr import Qwen3ASRFeatureExtractor

from wavescribe.engines.base import Samples
from wavescribe.engines.qwen3.configuration import ModelShape

AUDIO_PAD = 151676


def oracle_configuration(shape: ModelShape) -> Any:
    audio, text = shape.audio, shape.text
    return Qwen3ASRConfig(
        audio_config={
            "d_model": audio.width,
            "encoder_layers": audio.layers,
            "encoder_attention_heads": audio.heads,
            "encoder_ffn_dim": audio.feed_forward,
            "downsample_hidden_size": audio.convolution_channels,
            "output_dim": audio.output_width,
            "n_window_infer": audio.window_frames,
        },
        text_config={
            "hidden_size": text.width,
            "intermediate_size": text.feed_forward,
            "num_hidden_layers": text.layers,
            "num_attention_heads": text.heads,
            "num_key_value_heads": text.key_heads,
            "head_dim": text.head_width,
            "vocab_size": text.vocabulary,
            "max_position_embeddings": 65536,
            "rope_parameters": {"rope_type": "default", "rope_theta": text.rope_theta},
            "rms_norm_eps": text.norm_epsilon,
            "tie_word_embeddings": True,
        },
    )


@dataclass(frozen=True, slots=True)
class OracleAnswer:
    tokens: list[int]
    logits: torch.Tensor
    """Scores before each generated token, shape (tokens, vocabulary)."""


class Oracle:
    def __init__(self, shape: ModelShape, weights: Mapping[str, torch.Tensor]) -> None:
        self.model: Any = Qwen3ASRForConditionalGeneration(oracle_configuration(shape)).eval()
        state = {name if name.startswith("lm_head") else f"model.{name}": value for name, value in weights.items()}
        self.model.load_state_dict(state, strict=True)
        self._extractor: Any = Qwen3ASRFeatureExtractor()
        self._known: dict[object, OracleAnswer] = {}

    def features(self, samples: Samples) -> tuple[torch.Tensor, torch.Tensor]:
        """Features and mask, as the official processor makes them."""
        clip = np.asarray(samples, dtype=np.float32)
        found = self._extractor(clip, sampling_rate=16000, padding=True, return_attention_mask=True)
        return found["input_features"], found["attention_mask"]

    def encoded(self, samples: Samples) -> torch.Tensor:
        """The encoder's output before the projector."""
        features, mask = self.features(samples)
        seen: list[torch.Tensor] = []
        projector = self.model.model.multi_modal_projector
        hook = projector.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        with torch.no_grad():
            self.model.get_audio_features(features, mask, return_dict=True)
        hook.remove()
        return seen[0].reshape(-1, seen[0].shape[-1])

    def audio_tokens(self, samples: Samples) -> torch.Tensor:
        features, mask = self.features(samples)
        with torch.no_grad():
            output: torch.Tensor = self.model.get_audio_features(features, mask, return_dict=True).pooler_output
        return output

    def transcribe(self, samples: Samples, head: Sequence[int], tail: Sequence[int], *, budget: int) -> OracleAnswer:
        """Greedy one-shot decoding; the same question is answered once."""
        key = (hash(samples.tobytes()), tuple(head), tuple(tail), budget)
        if key not in self._known:
            self._known[key] = self._transcribe(samples, head, tail, budget)
        return self._known[key]

    def _transcribe(self, samples: Samples, head: Sequence[int], tail: Sequence[int], budget: int) -> OracleAnswer:
        features, mask = self.features(samples)
        frames = int(mask.sum())
        count = 13 * (frames // 100) + -(-(frames % 100) // 8)
        ids = torch.tensor([[*head, *[AUDIO_PAD] * count, *tail]])
        output = self.model.generate(  # without gradients by itself
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            input_features=features,
            input_features_mask=mask,
            max_new_tokens=budget,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
            eos_token_id=[151643, 151645],
            suppress_tokens=[151644, 151669, 151670, 151676],
            pad_token_id=151645,
        )
        tokens = output.sequences[0, ids.shape[1] :].tolist()
        return OracleAnswer(tokens, torch.stack([step[0] for step in output.logits]))
