"""Every tensor of a model, by the name it has here and with its shape."""

from __future__ import annotations

from wavescribe.engines.qwen3.configuration import ModelShape


def expected_tensors(shape: ModelShape) -> dict[str, tuple[int, ...]]:
    """Every tensor of a model by name, with its shape."""
    head = {"lm_head.weight": (shape.text.vocabulary, shape.text.width)}
    if shape.classes is not None:
        head = {"score.weight": (shape.classes, shape.text.width)}
    return {**_audio_tensors(shape), **_text_tensors(shape), **head}


def _audio_tensors(shape: ModelShape) -> dict[str, tuple[int, ...]]:
    audio = shape.audio
    channels, width, inner = audio.convolution_channels, audio.width, audio.feed_forward
    bins = -(-audio.mel_bins // 8)
    tensors: dict[str, tuple[int, ...]] = {"audio_tower.conv_out.weight": (width, channels * bins)}
    for index, inputs in ((1, 1), (2, channels), (3, channels)):
        tensors |= _with_bias(f"audio_tower.conv2d{index}", (channels, inputs, 3, 3))
    for layer in range(audio.layers):
        name = f"audio_tower.layers.{layer}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            tensors |= _with_bias(f"{name}.self_attn.{part}", (width, width))
        tensors |= _with_bias(f"{name}.fc1", (inner, width)) | _with_bias(f"{name}.fc2", (width, inner))
        tensors |= _with_bias(f"{name}.self_attn_layer_norm", (width,)) | _with_bias(
            f"{name}.final_layer_norm", (width,)
        )
    tensors |= _with_bias("audio_tower.ln_post", (width,))
    tensors |= _with_bias("multi_modal_projector.linear_1", (width, width))
    return tensors | _with_bias("multi_modal_projector.linear_2", (audio.output_width, width))


def _text_tensors(shape: ModelShape) -> dict[str, tuple[int, ...]]:
    text = shape.text
    query, key = text.heads * text.head_width, text.key_heads * text.head_width
    tensors: dict[str, tuple[int, ...]] = {
        "language_model.embed_tokens.weight": (text.vocabulary, text.width),
        "language_model.norm.weight": (text.width,),
    }
    for layer in range(text.layers):
        name = f"language_model.layers.{layer}"
        tensors |= {
            f"{name}.self_attn.q_proj.weight": (query, text.width),
            f"{name}.self_attn.k_proj.weight": (key, text.width),
            f"{name}.self_attn.v_proj.weight": (key, text.width),
            f"{name}.self_attn.o_proj.weight": (text.width, query),
            f"{name}.self_attn.q_norm.weight": (text.head_width,),
            f"{name}.self_attn.k_norm.weight": (text.head_width,),
            f"{name}.mlp.gate_proj.weight": (text.feed_forward, text.width),
            f"{name}.mlp.up_proj.weight": (text.feed_forward, text.width),
            f"{name}.mlp.down_proj.weight": (text.width, text.feed_forward),
            f"{name}.input_layernorm.weight": (text.width,),
            f"{name}.post_attention_layernorm.weight": (text.width,),
        }
    return tensors


def _with_bias(name: str, size: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": size, f"{name}.bias": size[:1]}
