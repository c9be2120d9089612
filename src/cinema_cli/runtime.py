"""Device, number type, seeds: where and how the arithmetic happens.

Importing this stays cheap; torch comes with a call.
"""

import os
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

MAX_SEED = 2**32 - 1
"""The largest seed that every library takes (numpy's legacy generator is the narrowest)."""


def device() -> "torch.device":
    """This process's GPU where there is one, else the CPU.

    Several processes are told theirs by their launcher (LOCAL_RANK).  Apple's MPS is left out: nothing here
    is tested on it.
    """
    import torch

    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def device_name(where: "torch.device") -> str:
    """A device as people know it."""
    import torch

    if where.type == "cuda":
        return torch.cuda.get_device_name(where)
    return f"CPU, {torch.get_num_threads()} threads"


def number_type(where: "torch.device") -> "torch.dtype":
    """bfloat16 on a device that multiplies in it, else float32: other CPUs only emulate bfloat16, slowly.

    Of CPUs it is those with AMX: keyframes are drawn there in half to three fifths of the time (docs/log.md).
    """
    import torch

    if where.type == "cuda":
        multiplies = torch.cuda.is_bf16_supported()
    else:
        multiplies = bool(torch.cpu.get_capabilities().get("amx_bf16"))
    return torch.bfloat16 if multiplies else torch.float32


def clip_type(where: "torch.device", dtype: "torch.dtype") -> "torch.dtype":
    """Number type of convolutions over time: those of bfloat16 crash on CPUs with AMX (docs/log.md)."""
    import torch

    return torch.float32 if where.type == "cpu" else dtype


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch on every device."""
    import numpy
    import torch

    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)


def generator(seed: int) -> "torch.Generator":
    """A generator on the CPU, so that a seed gives the same noise whatever the device."""
    import torch

    return torch.Generator(device="cpu").manual_seed(seed)
