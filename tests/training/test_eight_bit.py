import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from cinema_cli.errors import InputError, Interrupted
from cinema_cli.training.checkpoint import module_weights
from cinema_cli.training.eight_bit import BLOCK, BYTES, AdamW8bit, levels
from cinema_cli.training.optimizers import OptimizerConfig, build_optimizers
from loop_tasks import ADAMW, ADAMW8, WiderTask, losses, run

CPU = torch.device("cpu")
NUMBERS = {"lr": 1e-2, "betas": (0.9, 0.999), "eps": 1e-8}


def pair(*shape: int) -> tuple[nn.Parameter, AdamW8bit, nn.Parameter, torch.optim.AdamW]:
    """A parameter for ours and the same for torch's."""
    weight = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    ours, theirs = nn.Parameter(weight.clone()), nn.Parameter(weight.clone())
    group = {"weight_decay": 0.01}
    return (
        ours,
        AdamW8bit([{"params": [ours], **group}], **NUMBERS),
        theirs,
        torch.optim.AdamW([{"params": [theirs], **group}], **NUMBERS),
    )


@pytest.mark.parametrize("signed", [True, False])
def test_levels_are_those_of_the_paper(signed):
    found = levels(signed, CPU)
    assert found.shape == (256,)
    assert torch.equal(found, found.sort().values)
    assert found.unique().numel() == 256
    assert found[-1] == 1
    assert (found == 0).sum() == 1
    # Decades grow in number: half of all levels of a sign lie between a tenth and one.
    assert (found > 0.1).sum() == (64 if signed else 128) + 1
    smallest = 0.55e-6 if signed else 0.325e-6
    assert float(found[found > 0][0]) == pytest.approx(smallest, rel=1e-5)
    assert signed == bool((found < 0).any())


def test_the_first_step_is_adamws_as_nothing_is_rounded_yet():
    ours, eight, theirs, adamw = pair(64, 128)
    ours.grad = torch.randn(64, 128)
    theirs.grad = ours.grad.clone()
    eight.step()
    adamw.step()
    assert torch.allclose(ours, theirs, atol=1e-7)


@pytest.mark.parametrize("shape", [(16, 16), (4100,)])
def test_what_is_small_or_does_not_divide_is_adamws_for_good(shape):
    ours, eight, theirs, adamw = pair(*shape)
    for _ in range(20):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        eight.step()
        adamw.step()
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert eight.state[ours]["exp_avg"].dtype == torch.float32


def test_it_learns_as_adamw_does():
    target = torch.randn(64, 128, generator=torch.Generator().manual_seed(1))
    ours, eight, theirs, adamw = pair(64, 128)
    generator = torch.Generator().manual_seed(2)
    for _ in range(200):
        x = torch.randn(32, 64, generator=generator)
        for weight, optimizer in ((ours, eight), (theirs, adamw)):
            (x @ (weight - target)).square().mean().backward()
            optimizer.step()
            optimizer.zero_grad()
    start, left, adamws = (
        float((weight.detach() - target).square().mean()) for weight in (pair(64, 128)[0], ours, theirs)
    )
    assert adamws < 0.3 * start
    assert left == pytest.approx(adamws, rel=0.05)


def test_a_small_gradient_beside_a_large_one_does_not_leap():
    ours, eight, _, _ = pair(16, 256)
    start = ours.detach().clone()
    # A hundred millionth of the largest square: no level but zero is near.
    large, small = torch.zeros(16, 256), torch.zeros(16, 256)
    large[:, 0], large[:, 1:] = 1, 1e-4
    small[:, 0] = 1
    ours.grad = large
    eight.step()
    ours.grad = small
    eight.step()
    # AdamW moves by at most the rate a step, and a tenth of it for decay.
    assert float((ours.detach() - start).abs().max()) < 2.5 * NUMBERS["lr"]


def test_it_keeps_two_bytes_a_weight():
    ours, eight, _, _ = pair(64, 128)
    ours.grad = torch.randn(64, 128)
    eight.step()
    kept = [value for name, value in eight.state[ours].items() if name != "step"]
    assert sum(value.numel() * value.element_size() for value in kept) == BYTES * ours.numel()
    assert OptimizerConfig(kind="adamw8bit").bytes_per_weight == BYTES == 2.03125


def test_vectors_are_not_decayed():
    model = nn.Linear(64, 64)
    (optimizer,) = build_optimizers([model], ADAMW8)
    assert isinstance(optimizer, AdamW8bit)
    decays = {p.ndim: group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert decays == {2: ADAMW8.weight_decay, 1: 0.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One process took six steps; two read what it saved, and trained for themselves."""
    folder = tmp_path_factory.mktemp("eight-bit")
    run(WiderTask(), folder / "one", optimizer=ADAMW8, preview_every=0)
    run(WiderTask(), folder / "alone", optimizer=ADAMW8, preview_every=0, accumulate=2)
    weight = nn.Parameter(torch.zeros(33, 256))
    eight = AdamW8bit([{"params": [weight]}], **NUMBERS)
    weight.grad = torch.randn(33, 256)
    eight.step()
    save_file(eight.state[weight], folder / "uneven.safetensors")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launch, str(Path(__file__).parents[1] / "eight_bit_worker.py"), str(folder)],
        capture_output=True,
        text=True,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_a_run_that_stopped_goes_on_exactly(folder, tmp_path):
    with pytest.raises(Interrupted, match="step 3"):
        run(WiderTask(stop_at=3), tmp_path, optimizer=ADAMW8, preview_every=0)
    run(WiderTask(), tmp_path, optimizer=ADAMW8, preview_every=0)
    assert losses(tmp_path) == losses(folder / "one")
    for file in ("optimizer.safetensors", "transformer/diffusion_pytorch_model.safetensors"):
        straight = load_file(folder / "one/step-000006" / file)
        again = load_file(tmp_path / "step-000006" / file)
        assert all(torch.equal(again[name], straight[name]) for name in straight)
    kinds = {name.split(".")[2]: value.dtype for name, value in straight_optimizer(folder).items()}
    assert kinds["exp_avg_scale"] == kinds["exp_avg_sq_scale"] == torch.float32


def straight_optimizer(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "one/step-000006/optimizer.safetensors")


def test_codes_are_saved_as_bytes(folder):
    tensors = straight_optimizer(folder)
    codes = [value for value in tensors.values() if value.dtype == torch.uint8]
    assert len(codes) > 10
    assert all(value.numel() % BLOCK == 0 and value.ndim == 2 for value in codes)


def test_what_one_process_saved_two_hand_on_byte_for_byte(folder):
    found = load_file(folder / "two/step-000006/optimizer.safetensors")
    saved = straight_optimizer(folder)
    assert set(found) == set(saved)
    assert all(torch.equal(found[name], saved[name]) for name in saved)
    shape = WiderTask().modules["transformer"].get_parameter(WiderTask.MATRIX).shape
    for rank in (0, 1):
        told = json.loads((folder / f"shards.{rank}.json").read_text())
        assert told["exp_avg"] == ["torch.uint8", math.prod(shape) // 2]
        assert told["exp_avg_scale"] == ["torch.float32", math.prod(shape) // 2 // BLOCK]


def test_blocks_that_would_cross_ranks_are_read_into_fp32(folder):
    kept = load_file(folder / "uneven.safetensors")
    scales = kept["exp_avg_scale"].repeat_interleave(BLOCK).view(33, 256)
    meant = levels(True, CPU)[kept["exp_avg"].int()] * scales
    parts = [torch.tensor(json.loads((folder / f"uneven.{rank}.json").read_text())) for rank in (0, 1)]
    assert [len(part) for part in parts] == [17, 16]
    assert torch.equal(torch.cat(parts), meant)


def test_two_processes_with_shards_take_the_steps_of_one(folder):
    assert losses(folder / "sharded") == pytest.approx(losses(folder / "alone"), rel=1e-4)
    ours, alone = (folder / name / "step-000006/transformer" for name in ("sharded", "alone"))
    a, b = module_weights(ours), module_weights(alone)
    assert max(float((a[key] - b[key]).abs().max()) for key in a) < 1e-3


def test_another_kind_is_refused_when_a_run_goes_on(folder, tmp_path):
    run(WiderTask(), tmp_path, optimizer=ADAMW8, preview_every=0, steps=2)
    with pytest.raises(InputError, match="adamw8bit"):
        run(WiderTask(), tmp_path, optimizer=ADAMW, preview_every=0)
