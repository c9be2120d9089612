import runpy
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from alive import Alive
from cinema_cli.errors import InputError
from cinema_cli.models.cost import FLUX_DEV, FluxCost, Pairs, Window, mask_bytes
from cinema_cli.models.keyframes import InterleavedFlux
from cinema_cli.models.rates import EFFICIENCY, PEAK_BF16
from dense_flux import TINY, group

ROOT = Path(__file__).parents[2]
SHAPES = {
    "tiny": TINY,
    "told a guidance scale": TINY | {"guidance_embeds": True},
    "no double-stream blocks": TINY | {"num_layers": 0, "num_single_layers": 3},
    "uneven": TINY | {"num_layers": 1, "num_single_layers": 4, "num_attention_heads": 3, "in_channels": 8},
}
# oldest and smallest first: memory of three sizes, then what is drawn
SIZES = [(2, (1, 2)), (1, (2, 3)), (3, (4, 6))]
GROUPS = [Pairs(n, 5, h * w) for n, (h, w) in SIZES]


def tiny(shape: dict, dtype=torch.float32) -> InterleavedFlux:
    torch.manual_seed(0)
    return InterleavedFlux(**shape).to(dtype)


def tensors(sizes=SIZES, start=0, dtype=torch.float32):
    """The groups that ``sizes`` describe, in the order of ranks."""
    groups = []
    for n, grid in sizes:
        groups.append(group(1, list(range(start, start + n)), grid, dtype))
        start += n
    return groups


def scale(model: InterleavedFlux) -> torch.Tensor | None:
    return torch.tensor([3.5]) if model.config.guidance_embeds else None


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_parameters_are_those_of_the_model(shape):
    model = tiny(shape)
    assert FluxCost.of(model.config).parameters == sum(p.numel() for p in model.parameters())


def test_flux_dev_is_the_model_that_diffusers_builds():
    with torch.device("meta"):
        model = InterleavedFlux(guidance_embeds=True)
    assert FluxCost.of(model.config) == FLUX_DEV
    assert FLUX_DEV.parameters == sum(p.numel() for p in model.parameters()) == 11_901_408_320
    # the design's 11.898 B are the weight matrices alone
    assert sum(p.numel() for p in model.parameters() if p.ndim > 1) == 11_898_322_944


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("sight", ["joint", "causal"])
def test_a_step_is_what_torch_counts(shape, sight):
    model = tiny(shape)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(groups=tensors(), guidance=scale(model), regime=sight)
    assert FluxCost.of(model.config).step(GROUPS, sight) == counter.get_total_flops()


def test_pairs_that_see_nobody_cost_the_sum_of_their_own_steps():
    model = tiny(TINY)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        for one in tensors([(1, grid) for n, grid in SIZES for _ in range(n)]):
            model(groups=[one])
    cost = FluxCost.of(model.config)
    assert cost.step(GROUPS, "local") == counter.get_total_flops()
    assert cost.step(GROUPS, "local") < cost.step(GROUPS, "causal") < cost.step(GROUPS, "joint")


def test_dense_is_global_in_every_layer():
    """One pair of all tokens has the same attention; only its modulation is computed once, not six times."""
    cost = FluxCost.of(tiny(TINY).config)
    text, image = 5 * 6, 2 * 2 + 6 + 3 * 24
    once = cost.step([Pairs(1, 0, 0)])
    assert cost.step(GROUPS, "dense") == cost.step([Pairs(1, text, image)]) + 5 * once


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_extension_beside_a_memory_is_what_torch_counts(shape):
    model = tiny(shape)
    *known, new = tensors()
    with torch.no_grad():
        with FlopCounterMode(display=False) as remembering:
            memory = model.remember(known, scale(model))
        with FlopCounterMode(display=False) as step:
            model(groups=[new], memory=memory, guidance=scale(model))
    cost = FluxCost.of(model.config)
    assert cost.remember(GROUPS[:2]) == remembering.get_total_flops()
    assert cost.extension(GROUPS[2:], GROUPS[:2]) == step.get_total_flops()
    assert cost.memory_bytes(GROUPS[:2], number_bytes=4) == memory.bytes
    film = cost.film([Window(tuple(GROUPS[2:]), tuple(GROUPS[:2]))], steps=7, wordless=3)
    assert film == (7 + 3) * step.get_total_flops() + 2 * remembering.get_total_flops()


def test_without_memory_extension_is_a_step_and_nothing_is_remembered():
    assert FLUX_DEV.extension(GROUPS, []) == FLUX_DEV.step(GROUPS)
    assert FLUX_DEV.remember([]) == FLUX_DEV.memory_bytes([]) == 0


@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_training_step_is_close_to_what_torch_counts(checkpointing):
    """Attention's backward makes the scores again: 2.5 forwards instead of 2.  Inputs need no gradient."""
    model = tiny(TINY)
    if checkpointing:
        model.enable_gradient_checkpointing()
    with FlopCounterMode(display=False) as counter:
        sum(out.sum() for out in model(groups=tensors())).backward()
    told = FluxCost.of(model.config).training_step(GROUPS, checkpointing)
    assert told == pytest.approx(counter.get_total_flops(), rel=0.06)


WIDE = TINY | {"attention_head_dim": 64, "num_attention_heads": 8, "axes_dims_rope": (16, 24, 24)}
WINDOWS = {
    "one": ([], [(1, (10, 20))]),
    "four together": ([], [(4, (10, 20))]),
    "one beside a memory": ([(4, (2, 4)), (4, (4, 8)), (4, (6, 12))], [(1, (10, 20))]),
    "four beside a memory": ([(4, (2, 4)), (4, (4, 8)), (4, (6, 12))], [(4, (10, 20))]),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("memory", "new"), WINDOWS.values(), ids=WINDOWS)
def test_peak_memory_is_never_told_too_low_nor_half_too_high(memory, new, dtype):
    model = tiny(WIDE | {"num_single_layers": 6}, dtype)
    drawn = sum(n for n, _ in memory)
    known, groups = tensors(memory, 0, dtype), tensors(new, drawn, dtype)
    with torch.no_grad(), Alive() as alive:
        kept = model.remember(known) if known else None
        model(groups=groups, memory=kept)
    del kept
    cost = FluxCost.of(model.config)
    numbers = {"number_bytes": dtype.itemsize}
    window = Window(*(tuple(Pairs(n, 5, h * w) for n, (h, w) in sizes) for sizes in (new, memory)))
    told = cost.peak_bytes(window, **numbers) - cost.parameters * dtype.itemsize
    assert 0.98 < told / alive.peak < 1.5


def test_flux_dev_by_hand():
    assert FLUX_DEV.linear_per_token == 684 * 2 * 3072**2 == 12_910_067_712
    assert FLUX_DEV.attention_per_pair == 4 * 3072 * 57 == 700_416
    assert FLUX_DEV.step([Pairs(1, 0, 0)]) == 6_557_270_016
    assert FLUX_DEV.memory_bytes([Pairs(48, 512, 1250)]) == 84_576 * 466_944
    assert mask_bytes([Pairs(48, 512, 1250)]) == 84_576**2


@pytest.mark.parametrize(
    ("pairs", "dense", "hybrid", "causal", "golden"),
    [(16, 921, 747, 573, 326), (32, 2955, 2236, 1517, 887), (48, 6103, 4468, 2832, 1682)],
)
def test_the_design_s_table_to_the_digit(pairs, dense, hybrid, causal, golden):
    full = [Pairs(pairs, 512, 1250)]
    quarters = [Pairs(pairs // 4, 512, image) for image in (1250, 450, 162, 50)]
    told = [FLUX_DEV.step(full, sight) for sight in ("dense", "joint", "causal")] + [FLUX_DEV.step(quarters)]
    assert [round(flop / 1e12) for flop in told] == [dense, hybrid, causal, golden]


def test_efficiency_is_what_a_published_time_gives():
    """50 steps at 512 x 512 in 8.71 s on an L40S: pruna.ai, February 2025, words and pixels included."""
    image = FLUX_DEV.step([Pairs(1, 512, 1024)]) * 50
    assert pytest.approx(image / 8.71 / PEAK_BF16["NVIDIA L40S"], abs=0.005) == EFFICIENCY


def test_the_papers_rule_has_no_attention():
    assert FLUX_DEV.papers_rule(2000, 50) == 2 * FLUX_DEV.papers_rule(1000, 50)
    assert FLUX_DEV.papers_rule(1, 1) == 2 * FLUX_DEV.parameters


def test_a_config_without_its_numbers_is_an_error():
    with pytest.raises(InputError, match=r"num_layers, guidance_embeds wanted, found"):
        FluxCost.of(
            {k: 1 for k in FluxCost.__dataclass_fields__ if k not in ("num_layers", "guidance_embeds")}
        )


@pytest.fixture(scope="module")
def benchmark() -> dict:
    return runpy.run_path(str(ROOT / "benchmarks" / "cost_table.py"))


@pytest.mark.parametrize(
    "table", ["per_step", "per_film", "papers_rule", "bytes_taken", "minutes", "video_step"]
)
def test_the_tables_of_the_document_are_those_that_are_computed(benchmark, table):
    assert benchmark[table] in benchmark["TABLES"]
    assert len(benchmark["TABLES"]) == 6
    assert benchmark[table]() in (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")


def test_the_film_of_the_design_to_the_digit(benchmark):
    rows = {line[0]: line[1:] for line in map(cells, benchmark["per_film"]().splitlines())}
    assert rows["dense, all together"] == ["46", "148", "305"]
    assert rows["hybrid, all together"] == ["37", "112", "223"]
    assert rows["the same, a remembered frame only when it shrinks"] == ["24", "56", "96"]
    assert rows["floor: no other pair seen"] == ["20", "40", "60"]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
