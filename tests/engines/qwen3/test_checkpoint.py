from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from qwen3_files import Layout, configuration, stored_name, write_checkpoint
from safetensors.torch import load_file, save_file

from wavescribe.engines.loading import load_engine
from wavescribe.engines.qwen3.checkpoint import load_weights, weight_bytes
from wavescribe.engines.qwen3.configuration import SHAPES, ModelShape, TextShape, parse_shape, read_configuration
from wavescribe.engines.qwen3.engine import Qwen3AsrEngine
from wavescribe.engines.qwen3.loading import load_qwen3
from wavescribe.engines.qwen3.random_weights import random_weights
from wavescribe.engines.qwen3.tensors import expected_tensors
from wavescribe.errors import ConfigurationError, EngineError, WavescribeError, WeightsError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def small() -> ModelShape:
    """A model whose files are small."""
    toy = SHAPES["toy"]
    return replace(toy, text=TextShape(96, 1, 4, 2, 32, 192, 151936, 1e6, 1e-6), audio=replace(toy.audio, layers=1))


@pytest.fixture(scope="module")
def small_weights(small: ModelShape) -> Mapping[str, torch.Tensor]:
    return random_weights(small, dtype=torch.bfloat16)


@pytest.mark.parametrize("layout", ["original", "transformers"])
@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("with_head", [True, False])
def test_both_published_layouts_load(
    layout: Layout,
    shards: int,
    with_head: bool,
    tmp_path: Path,
    small: ModelShape,
    small_weights: Mapping[str, torch.Tensor],
) -> None:
    directory = write_checkpoint(tmp_path, small, small_weights, layout, shards=shards, with_head=with_head)
    shape = parse_shape(read_configuration(directory), "test")
    assert shape == small
    loaded = load_weights(directory, shape, device=CPU, dtype=torch.float32)
    assert loaded.keys() == small_weights.keys()
    assert all(torch.equal(loaded[name], small_weights[name].float()) for name in loaded)


@pytest.mark.parametrize(("name", "count"), [("0.6B", 612), ("1.7B", 708), ("aligner-0.6B", 708)])
def test_the_published_sizes_have_the_published_number_of_tensors(name: str, count: int) -> None:
    assert len(expected_tensors(SHAPES[name])) == count


@pytest.mark.parametrize(("name", "millions"), [("0.6B", 782.4), ("1.7B", 2038.1), ("aligner-0.6B", 917.7)])
def test_the_published_sizes_have_the_published_number_of_parameters(name: str, millions: float) -> None:
    sizes = expected_tensors(SHAPES[name])
    sizes.pop("lm_head.weight", None)
    total = sum(torch.Size(size).numel() for size in sizes.values())
    assert total / 1e6 == pytest.approx(millions, abs=0.06)


def test_a_tied_head_is_one_tensor(
    tmp_path: Path, small: ModelShape, small_weights: Mapping[str, torch.Tensor]
) -> None:
    directory = write_checkpoint(tmp_path, small, small_weights, with_head=False)
    loaded = load_weights(directory, small, device=CPU, dtype=torch.float32)
    assert weight_bytes(loaded) == sum(4 * t.numel() for name, t in loaded.items() if name != "lm_head.weight")


@pytest.mark.parametrize("layout", ["original", "transformers"])
def test_a_tied_head_that_is_stored_all_the_same_is_one_tensor(
    layout: Layout, tmp_path: Path, small: ModelShape, small_weights: Mapping[str, torch.Tensor]
) -> None:
    directory = write_checkpoint(tmp_path, small, small_weights, layout, with_head=True)
    loaded = load_weights(directory, small, device=CPU, dtype=torch.float32)
    assert weight_bytes(loaded) == sum(4 * t.numel() for name, t in loaded.items() if name != "lm_head.weight")


def test_an_untied_head_keeps_its_own_weights(
    tmp_path: Path, small: ModelShape, small_weights: Mapping[str, torch.Tensor]
) -> None:
    own = {**small_weights, "lm_head.weight": small_weights["lm_head.weight"] + 1}
    loaded = load_weights(write_checkpoint(tmp_path, small, own), small, device=CPU, dtype=torch.bfloat16)
    assert torch.equal(loaded["lm_head.weight"], own["lm_head.weight"])


def test_an_untied_head_that_is_missing_is_told(
    tmp_path: Path, small: ModelShape, small_weights: Mapping[str, torch.Tensor]
) -> None:
    directory = write_checkpoint(tmp_path, small, small_weights, with_head=False)
    content = json.loads((directory / "config.json").read_text())
    content["thinker_config"]["text_config"]["tie_word_embeddings"] = False
    (directory / "config.json").write_text(json.dumps(content))
    with pytest.raises(WeightsError, match=r"1 of .* tensors are missing, the first is lm_head.weight"):
        load_qwen3(str(directory), device="cpu")


def test_a_model_with_transformers_two_default_labels_is_no_aligner(tmp_path: Path, small: ModelShape) -> None:
    content = configuration(small, "transformers") | {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}
    assert parse_shape(content, "test").classes is None


def damage_shard(directory: Path) -> None:
    (directory / "model-00002-of-00003.safetensors").write_bytes(b"no tensors here")


def drop_shard(directory: Path) -> None:
    (directory / "model-00002-of-00003.safetensors").unlink()


def truncate_shard(directory: Path) -> None:
    path = directory / "model-00001-of-00003.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def change_type(directory: Path) -> None:
    path = directory / "model-00001-of-00003.safetensors"
    tensors = load_file(path)
    first = next(iter(tensors))
    save_file(tensors | {first: tensors[first].to(torch.int8)}, path)


def change_shape(directory: Path) -> None:
    path = directory / "model-00001-of-00003.safetensors"
    tensors = load_file(path)
    first = next(iter(tensors))
    save_file(tensors | {first: torch.zeros(3, 3)}, path)


def add_unknown(directory: Path) -> None:
    path = directory / "model-00001-of-00003.safetensors"
    save_file(load_file(path) | {"talker.model.weight": torch.zeros(2)}, path)


def drop_tensor(directory: Path) -> None:
    path = directory / "model-00001-of-00003.safetensors"
    tensors = load_file(path)
    tensors.pop(stored_name("audio_tower.conv2d1.weight", "original"), None) or tensors.popitem()
    save_file(tensors, path)


def break_index(directory: Path) -> None:
    (directory / "model.safetensors.index.json").write_text("{}")


def make_index_a_list(directory: Path) -> None:
    (directory / "model.safetensors.index.json").write_text('["model-00001-of-00003.safetensors"]')


def number_the_shards(directory: Path) -> None:
    path = directory / "model.safetensors.index.json"
    names = json.loads(path.read_text())["weight_map"]
    path.write_text(json.dumps({"weight_map": {**names, next(iter(names)): 1}}))


def name_no_shards(directory: Path) -> None:
    (directory / "model.safetensors.index.json").write_text('{"weight_map": {}}')


def change_value(part: str, value: object) -> Callable[[Path], None]:
    """Change the audio or text configuration, or a value of the latter."""

    def change(directory: Path) -> None:
        path = directory / "config.json"
        content = json.loads(path.read_text())
        inner = content["thinker_config"]
        (inner if part in inner else inner["text_config"])[part] = value
        path.write_text(json.dumps(content))

    return change


def remove_all(directory: Path) -> None:
    (directory / "model.safetensors.index.json").unlink()


def remove_tokenizer(directory: Path) -> None:
    (directory / "tokenizer.json").unlink()


def break_tokenizer(directory: Path) -> None:
    (directory / "tokenizer.json").write_text("{}")


def change_layout(directory: Path) -> None:
    content = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({"model_type": "qwen3_asr", "listener": content}))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (damage_shard, "model-00002-of-00003.safetensors cannot be read as safetensors"),
        (drop_shard, "has no model-00002-of-00003.safetensors"),
        (truncate_shard, "model-00001-of-00003.safetensors cannot be read as safetensors"),
        (change_type, "is torch.int8; expected bfloat16, float16 or float32"),
        (change_shape, r"has shape \(3, 3\), config.json says"),
        (add_unknown, "unknown tensor talker.model.weight"),
        (drop_tensor, "1 of .* tensors are missing"),
        (break_index, "not an index of shards"),
        (make_index_a_list, "not an index of shards"),
        (number_the_shards, "not an index of shards"),
        (name_no_shards, "not an index of shards"),
        (change_value("audio_config", "none"), "unknown layout of config.json"),
        (change_value("text_config", ["none"]), "unknown layout of config.json"),
        (change_value("num_key_value_heads", 0), "attention heads cannot share 0 key heads"),
        (remove_all, "neither model.safetensors nor"),
        (remove_tokenizer, "neither tokenizer.json nor"),
        (break_tokenizer, "tokenizer files of .* cannot be read"),
        (change_layout, "unknown layout of config.json"),
    ],
)
def test_a_spoilt_checkpoint_is_one_clear_error(
    spoil: object, words: str, tmp_path: Path, small: ModelShape, small_weights: Mapping[str, torch.Tensor]
) -> None:
    directory = write_checkpoint(tmp_path, small, small_weights, shards=3)
    assert callable(spoil)
    spoil(directory)
    with pytest.raises(WeightsError, match=words):
        load_qwen3(str(directory), device="cpu")


def test_the_server_loads_a_directory_of_this_kind_with_this_engine(
    tmp_path: Path, small: ModelShape, small_weights: Mapping[str, torch.Tensor]
) -> None:
    engine = load_engine(str(write_checkpoint(tmp_path, small, small_weights)), device="cpu")
    assert isinstance(engine, Qwen3AsrEngine)
    engine.close()


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"compute_type": "int8"}, ConfigurationError, "float32, float16, bfloat16, got 'int8'"),
        ({"window_frames": 150}, ConfigurationError, "setting encoder_window_seconds: .* multiple of 100"),
        (
            {"pool_bytes": 2**20},
            ConfigurationError,
            "setting cache_bytes: 1048576 bytes .* do not hold one stream of 32 s",
        ),
        ({"pool_bytes": 10}, ConfigurationError, "setting cache_bytes: 10 bytes .* less than one page"),
        ({"device": "cuda"}, EngineError, "torch sees no CUDA device"),
    ],
)
def test_a_wrong_setting_is_one_clear_error(
    settings: dict[str, object],
    error: type[WavescribeError],
    words: str,
    tmp_path: Path,
    small: ModelShape,
    small_weights: Mapping[str, torch.Tensor],
) -> None:
    if "device" in settings and torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    directory = write_checkpoint(tmp_path, small, small_weights)
    with pytest.raises(error, match=words):
        load_qwen3(str(directory), **settings)  # type: ignore[arg-type]  # one of the named settings


def test_a_checksum_list_is_held_against_the_files(
    tmp_path: Path, small: ModelShape, small_weights: Mapping[str, torch.Tensor]
) -> None:
    directory = write_checkpoint(tmp_path, small, small_weights)
    (directory / "SHA256SUMS").write_text(f"{'0' * 64}  config.json\n")
    with pytest.raises(WeightsError, match="SHA-256"):
        load_qwen3(str(directory))
