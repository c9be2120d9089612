"""Our table of FLUX's names beside diffusers'."""

import torch
from diffusers.loaders.single_file_utils import convert_flux_transformer_checkpoint_to_diffusers

from cinema_cli.models.flux_names import as_diffusers
from gguf_files import original_flux, wide_flux

WIDTH = 3072
"""The only one that diffusers' table knows."""


def heights(model) -> dict[str, torch.Tensor]:
    """Weights of FLUX.1's true heights, one number wide: layers are cut along their height alone."""
    rows = {
        "qkv": 3 * WIDTH,
        "linear1": 7 * WIDTH,
        "adaLN_modulation.1": 2 * WIDTH,
    }
    found = {}
    for name, tensor in original_flux(model).items():
        height = next((size for end, size in rows.items() if f".{end}." in name), WIDTH)
        found[name] = torch.randn(height, *([1] * (tensor.ndim - 1)))
    return found


def test_every_tensor_is_called_and_cut_as_diffusers_does_it():
    torch.manual_seed(0)
    for guidance in (False, True):
        weights = heights(wide_flux(guidance))
        wanted = convert_flux_transformer_checkpoint_to_diffusers(dict(weights))
        found = as_diffusers(weights, WIDTH)
        assert set(found) == set(wanted) == set(wide_flux(guidance).state_dict())
        assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_a_model_of_any_width_is_what_it_was():
    model = wide_flux()
    found = as_diffusers(original_flux(model), 32)
    wanted = model.state_dict()
    assert set(found) == set(wanted)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_what_is_not_known_keeps_its_name():
    odd = {"double_blocks.0.img_attn.other.weight": torch.zeros(1), "lone": torch.ones(1)}
    assert as_diffusers(odd, 32).keys() == odd.keys()
