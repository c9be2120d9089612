import pytest
import torch

from dense_flux import GRID, TEXT, group, relative, twins


@pytest.mark.parametrize("guidance", [False, True])
def test_the_naive_way_gives_what_folded_pairs_give(script, guidance):
    naive = script("dense_mask")
    ours, _ = twins(guidance_embeds=guidance)
    pairs, scale = group(1, [0, 1, 4]), torch.tensor([3.5], dtype=torch.float64) if guidance else None
    (expected,) = ours(groups=[pairs], guidance=scale)
    dense = naive.DenseFlux(ours)
    mask = naive.local_mask(3, TEXT, GRID[0] * GRID[1], torch.device("cpu"))
    assert relative(dense(pairs, mask, scale), expected) < 1e-6
    assert relative(dense(pairs, None, scale), expected) > 1e-3


def test_the_stock_twin_holds_the_same_tensors(script):
    ours, _ = twins()
    stock = script("dense_mask").stock_twin(ours)
    assert type(stock).__name__ == "FluxTransformer2DModel"
    own = ours.state_dict()
    assert all(tensor.data_ptr() == own[name].data_ptr() for name, tensor in stock.state_dict().items())
