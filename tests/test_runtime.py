import random

import numpy
import torch

from cinema_cli import runtime


def test_a_generator_gives_the_same_noise_for_the_same_seed() -> None:
    first, again, other = (torch.randn(8, generator=runtime.generator(seed)) for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert runtime.generator(7).device.type == "cpu"


def test_seeding_makes_every_library_repeat_itself() -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(numpy.random.rand()), float(torch.rand(()))

    runtime.seed_everything(runtime.MAX_SEED)
    first = draw()
    assert draw() != first
    runtime.seed_everything(runtime.MAX_SEED)
    assert draw() == first


def test_the_device_is_one_that_can_compute_in_its_number_type() -> None:
    where = runtime.device()
    kind = runtime.number_type(where)
    assert where.type in ("cuda", "cpu")
    assert (torch.ones(4, device=where, dtype=kind) * 2).sum().item() == 8


def test_a_cpu_computes_in_bfloat16_where_it_multiplies_in_it(monkeypatch) -> None:
    for has, kind in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=has: {"amx_bf16": has})
        assert runtime.number_type(torch.device("cpu")) is kind
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"architecture": "aarch64"})
    assert runtime.number_type(torch.device("cpu")) is torch.float32
