"""Checkpoint directories as they are published, small."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, pre_tokenizers

from wavescribe.engines.qwen3.configuration import ModelShape
from wavescribe.engines.qwen3.tokenizer import byte_level

Layout = Literal["original", "transformers"]

NAMES = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *[f"<|unused{index}|>" for index in range(23)]]
AUDIO_NAMES = ["<|audio_start|>", "<|audio_end|>", "<tts_pad>", "<tts_text_bos>", "<tts_text_eod>"]
AUDIO_NAMES += [
    "<tts_text_bos_single>",
    "<non_speech>",
    "<|audio_pad|>",
    *[f"<blank{index}>" for index in range(1, 28)],
]
SPECIAL = dict(enumerate([*NAMES, *AUDIO_NAMES, "<asr_text>", "<timestamp>"], 151643))


FIRST_BYTE = 3000


def small_vocabulary() -> dict[str, int]:
    """The bytes, and a word for every other id, so that whatever a random model writes is text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    known = {character: FIRST_BYTE + index for index, character in enumerate(alphabet)}
    words = set(range(min(SPECIAL))) - set(known.values())
    return known | {f"Ġw{index}": index for index in sorted(words)}


def small_tokenizer() -> Tokenizer:
    return byte_level(small_vocabulary(), [], {str(key): {"content": name} for key, name in SPECIAL.items()})


def configuration(shape: ModelShape, layout: Layout) -> dict[str, Any]:
    audio, text = shape.audio, shape.text
    inner: dict[str, Any] = {
        "audio_config": {
            "d_model": audio.width,
            "encoder_layers": audio.layers,
            "encoder_attention_heads": audio.heads,
            "encoder_ffn_dim": audio.feed_forward,
            "num_mel_bins": audio.mel_bins,
            "downsample_hidden_size": audio.convolution_channels,
            "output_dim": audio.output_width,
            "n_window": 50,
            "n_window_infer": audio.window_frames,
        },
        "text_config": {
            "hidden_size": text.width,
            "intermediate_size": text.feed_forward,
            "num_hidden_layers": text.layers,
            "num_attention_heads": text.heads,
            "num_key_value_heads": text.key_heads,
            "head_dim": text.head_width,
            "vocab_size": text.vocabulary,
            "rms_norm_eps": text.norm_epsilon,
        },
    }
    if shape.classes is not None:
        inner["classify_num"] = shape.classes
    if layout == "transformers":
        inner["text_config"]["rope_parameters"] = {"rope_type": "default", "rope_theta": text.rope_theta}
        return {"model_type": "qwen3_asr", **inner}
    rope = {"mrope_section": [24, 20, 20], "mrope_interleaved": True, "rope_type": "default"}
    inner["text_config"] |= {"rope_theta": text.rope_theta, "rope_scaling": rope}
    return {"model_type": "qwen3_asr", "thinker_config": inner}


def stored_name(name: str, layout: Layout) -> str:
    if layout == "transformers":
        return name if name.startswith(("lm_head", "score")) else f"model.{name}"
    for ours, theirs in (
        ("multi_modal_projector.linear_1", "thinker.audio_tower.proj1"),
        ("multi_modal_projector.linear_2", "thinker.audio_tower.proj2"),
        ("audio_tower", "thinker.audio_tower"),
        ("language_model", "thinker.model"),
        ("score", "thinker.lm_head"),
        ("lm_head", "thinker.lm_head"),
    ):
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    raise ValueError(name)


def write_checkpoint(
    directory: Path,
    shape: ModelShape,
    weights: Mapping[str, torch.Tensor],
    layout: Layout = "original",
    *,
    shards: int = 1,
    with_head: bool = True,
) -> Path:
    """Write a checkpoint in a layout, in one file or in shards."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(configuration(shape, layout)))
    small_tokenizer().save(str(directory / "tokenizer.json"))
    tensors = {
        stored_name(name, layout): tensor.clone()
        for name, tensor in weights.items()
        if with_head or name != "lm_head.weight"
    }
    if shards == 1:
        save_file(tensors, directory / "model.safetensors")
        return directory
    names = list(tensors)
    placed = {name: f"model-{index % shards + 1:05}-of-{shards:05}.safetensors" for index, name in enumerate(names)}
    for file in set(placed.values()):
        save_file({name: tensors[name] for name in names if placed[name] == file}, directory / file)
    (directory / "model.safetensors.index.json").write_text(json.dumps({"weight_map": placed}))
    return directory
