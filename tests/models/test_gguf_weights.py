"""Transformers from GGUF files draw what their restored weights draw."""

from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from diffusers.quantizers.gguf.utils import GGUFLinear
from gguf import GGMLQuantizationType as Kind

from cinema_cli.errors import InputError, MissingError
from cinema_cli.models.contents import read_contents
from cinema_cli.models.flux_names import as_diffusers
from cinema_cli.models.gguf_weights import load_gguf
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.pairs import PairGroup
from cinema_cli.models.room import room_for
from cinema_cli.models.thrift import Thrift, component_bytes, group_bytes
from cinema_cli.models.video import InterleavedWan, ShotGroup
from cinema_cli.models.weights import load_keyframe_models, load_video_models, weights_sha256
from gguf_files import original_flux, original_wan, wide_flux, wide_wan, write_gguf
from tiny_models import build_tiny_models

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """Tiny models whose transformers can be kept in blocks of 32."""
    folder = build_tiny_models(tmp_path_factory.mktemp("models"))
    torch.manual_seed(1)
    wide_flux().save_pretrained(folder / "keyframes" / "transformer")
    wide_wan().save_pretrained(folder / "video" / "transformer")
    return folder


def original(folder: Path) -> dict[str, torch.Tensor]:
    return original_flux(InterleavedFlux.from_pretrained(folder / "keyframes" / "transformer"))


def group() -> PairGroup:
    torch.manual_seed(0)
    parts = (torch.randn(1, 2, *size) for size in ((8, 16), (5, 16), (12,)))
    return PairGroup(*parts, torch.full((1, 2), 0.5), [0, 1], (2, 4))


@torch.no_grad()
def predicted(transformer: InterleavedFlux) -> tuple[torch.Tensor, torch.Tensor]:
    """Together, and beside memory."""
    pairs, guidance = group(), torch.full((1,), 3.5)
    together = transformer(groups=[pairs], guidance=guidance)[0]
    memory = transformer.remember([pairs], guidance)
    return together, transformer(groups=[pairs], guidance=guidance, memory=memory)[0]


@pytest.mark.parametrize("kind", [Kind.F16, Kind.BF16, Kind.Q8_0, Kind.Q4_0])
def test_a_flux_of_a_file_predicts_what_its_restored_weights_predict(
    model: Path, tmp_path: Path, kind
) -> None:
    file = tmp_path / "flux.gguf"
    stands = write_gguf(file, original(model), kind)
    loaded = load_gguf(InterleavedFlux, file, model / "keyframes", torch.float32).eval()
    few = [each for each in loaded.modules() if isinstance(each, GGUFLinear)]
    assert bool(few) == (kind != Kind.F16)
    plain = wide_flux().eval()
    plain.load_state_dict(as_diffusers(stands, 32))
    stored = InterleavedFlux.from_pretrained(model / "keyframes" / "transformer").eval()
    for found, wanted, exact in zip(predicted(loaded), predicted(plain), predicted(stored), strict=True):
        assert torch.allclose(found, wanted, atol=2e-3)  # diffusers restores Q8_0 and Q4_0 in half precision
        assert not torch.equal(found, exact)


def test_a_wan_of_a_file_predicts_what_its_restored_weights_predict(model: Path, tmp_path: Path) -> None:
    file, folder = tmp_path / "wan.gguf", model / "video"
    stored = InterleavedWan.from_pretrained(folder / "transformer").eval()
    write_gguf(file, original_wan(stored), Kind.Q8_0, "wan")
    loaded = load_gguf(InterleavedWan, file, folder, torch.float32).eval()
    assert any(isinstance(each, GGUFLinear) for each in loaded.modules())
    torch.manual_seed(0)
    shots = ShotGroup(
        torch.randn(1, 2, 4, 2, 4, 4), torch.randn(1, 2, 3, 16), torch.full((1, 2, 2), 0.5), [0.0, 2.5]
    )
    with torch.no_grad():
        found, wanted = loaded(groups=[shots])[0], stored(groups=[shots])[0]
    assert 0 < (found - wanted).abs().max() < 0.02


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("offload", ["none", "sequential", "model", "group"])
def test_it_is_laid_out_in_every_way(model: Path, tmp_path: Path, offload, dtype) -> None:
    file = tmp_path / "flux.gguf"
    write_gguf(file, original(model), Kind.Q8_0)
    thrift = Thrift(offload=offload, quantise="int8")
    loaded = load_keyframe_models(model / "keyframes", 96, CPU, dtype, thrift=thrift, gguf=file).transformer
    assert loaded.dtype == dtype
    plain = load_gguf(InterleavedFlux, file, model / "keyframes", dtype).eval()
    pairs = group()
    pairs = PairGroup(
        *(part.to(dtype) for part in (pairs.latents, pairs.text, pairs.pooled, pairs.timestep)),
        [0, 1],
        (2, 4),
    )
    guidance = torch.full((1,), 3.5, dtype=dtype)
    with torch.no_grad():
        found, wanted = (each(groups=[pairs], guidance=guidance)[0] for each in (loaded, plain))
    assert found.dtype == dtype
    assert torch.equal(found, wanted)


def test_a_wan_is_laid_out_in_half_precision(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "wan.gguf"
    stored = InterleavedWan.from_pretrained(model / "video" / "transformer")
    write_gguf(file, original_wan(stored), Kind.Q8_0, "wan")
    loaded = load_video_models(model / "video", 32, CPU, torch.bfloat16, thrift=Thrift("group"), gguf=file)
    shots = ShotGroup(
        torch.randn(1, 1, 4, 2, 4, 4).bfloat16(),
        torch.randn(1, 1, 3, 16).bfloat16(),
        torch.ones(1, 1, 2),
        [0.0],
    )
    with torch.no_grad():
        assert loaded.transformer(groups=[shots])[0].isfinite().all()


def test_it_is_counted_as_it_lies_and_hashed_in_the_folders_place(model: Path, tmp_path: Path) -> None:
    folder, file, other = model / "keyframes", tmp_path / "flux.gguf", tmp_path / "other.gguf"
    write_gguf(file, original(model), Kind.Q8_0)
    write_gguf(other, original(model), Kind.Q4_0)
    contents = read_contents(folder, "keyframes", file)
    component = contents.components[0]
    assert component.parameters == sum(p.numel() for p in wide_flux().parameters())
    loaded = load_gguf(InterleavedFlux, file, folder, torch.float32)
    assert contents.bytes_as(4)["transformer"] == sum(
        p.numel() * p.element_size() for p in loaded.parameters()
    )
    assert room_for(contents, CPU, torch.float32).needed < read_contents(folder, "keyframes").bytes_as(4)[
        "transformer"
    ] + sum(each.bytes for each in contents.components[1:])
    assert (
        len({weights_sha256(folder), weights_sha256(folder, gguf=file), weights_sha256(folder, gguf=other)})
        == 3
    )


def test_its_blocks_are_counted_as_they_come(model: Path, tmp_path: Path) -> None:
    folder, file = model / "keyframes", tmp_path / "flux.gguf"
    write_gguf(file, original(model), Kind.Q8_0)
    contents = read_contents(folder, "keyframes", file)
    sizes = component_bytes(folder, contents, 4, "int8")
    assert sizes["transformer"] == contents.bytes_as(4)["transformer"]  # it keeps its own bits
    assert sizes["text_encoder_2"] < contents.bytes_as(4)["text_encoder_2"]
    loaded = load_gguf(InterleavedFlux, file, folder, torch.float32)

    def size(part: torch.nn.Module) -> int:
        return sum(each.numel() * each.element_size() for each in part.parameters())

    blocks = sorted(map(size, (*loaded.transformer_blocks, *loaded.single_transformer_blocks)))
    at_once = size(loaded) - sum(blocks) + sum(blocks[-2:])
    assert group_bytes(folder, contents, 4, "int8", sizes)["transformer"] == at_once


def test_it_needs_no_weights_in_the_folder(model: Path, tmp_path: Path) -> None:
    file, folder = tmp_path / "flux.gguf", model / "keyframes"
    write_gguf(file, original(model), Kind.Q8_0)
    before = weights_sha256(folder, gguf=file)
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    aside = weights.rename(tmp_path / "aside.safetensors")
    try:
        with pytest.raises(MissingError):
            read_contents(folder, "keyframes")
        assert weights_sha256(folder, gguf=file) == before
        assert load_keyframe_models(folder, 96, CPU, torch.float32, gguf=file).transformer.device == CPU
    finally:
        aside.rename(weights)


def test_a_file_that_lacks_a_tensor_is_told(model: Path, tmp_path: Path) -> None:
    weights = original(model)
    for change, said in (
        (
            lambda w: w.pop("single_blocks.1.linear2.bias"),
            r"single_transformer_blocks.1.proj_out.bias: \(32,\) was wanted, .* found none",
        ),
        (lambda w: w.update(extra=torch.zeros(2, 2)), r"extra: no such tensor was wanted, .* found \(2, 2\)"),
    ):
        changed = dict(weights)
        change(changed)
        file = tmp_path / "odd.gguf"
        write_gguf(file, changed, Kind.Q8_0)
        with pytest.raises(InputError, match=said):
            load_gguf(InterleavedFlux, file, model / "keyframes", torch.float32)


def test_every_supported_type_is_restored_as_llama_cpp_restores_it() -> None:
    """Random bytes as blocks of each type of K and I, which the gguf package reads but does not write."""
    from diffusers.quantizers.gguf.utils import GGUFParameter, dequantize_gguf_tensor

    rng = np.random.default_rng(0)
    for kind in (Kind.Q2_K, Kind.Q3_K, Kind.Q4_K, Kind.Q5_K, Kind.Q6_K, Kind.IQ4_NL, Kind.IQ4_XS):
        block, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = rng.integers(0, 60, (4, size), np.uint8)  # as halves at most 1.5
        wanted = gguf.quants.dequantize(blocks, kind)
        found = dequantize_gguf_tensor(GGUFParameter(torch.from_numpy(blocks), quant_type=kind))
        assert found.shape == (4, block)
        assert np.allclose(found.float().numpy(), wanted, rtol=2e-2, atol=1e-2 * np.abs(wanted).max())
