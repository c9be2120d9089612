"""How fast a device multiplies: what a plan reckons with, and of what MFU is a share."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PEAK_BF16 = {
    "NVIDIA H100 80GB HBM3": 989e12,
    "NVIDIA H200": 989e12,
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA A100 80GB PCIe": 312e12,
    "NVIDIA L40S": 362e12,
    "NVIDIA GeForce RTX 4090": 165e12,
    "NVIDIA GeForce RTX 5090": 209e12,
}
"""FLOP/s of dense bf16 products, by the name that CUDA gives a device (vendor's data sheets)."""

EFFICIENCY = 0.34
"""Share of that peak which drawing with FLUX.1-dev reached on an L40S, uncompiled (``docs/cost.md``)."""

MEASURED_SHARE = 0.5
"""Share of a bare product's rate that a forward reaches: 0.4 to 0.6 for the toy model on a CPU core."""


def rate(device: "torch.device", dtype: "torch.dtype") -> float:
    """FLOP/s to plan with: a share of a known device's peak, else of what a short product reaches here."""
    import torch

    if device.type == "cuda" and dtype in (torch.bfloat16, torch.float16):
        peak = PEAK_BF16.get(torch.cuda.get_device_name(device))
        if peak is not None:
            return EFFICIENCY * peak
    return MEASURED_SHARE * measured_rate(device, dtype)


def measured_rate(device: "torch.device", dtype: "torch.dtype", seconds: float = 0.1) -> float:
    """FLOP/s of square matrix products, repeated for so long: more than a model reaches."""
    import torch

    side = 512 if device.type == "cpu" else 4096
    a = torch.ones(side, side, dtype=dtype, device=device)

    def products(count: int) -> float:
        began = time.perf_counter()
        for _ in range(count):
            product = a @ a
        float(product[0, 0])  # waits for the device
        return time.perf_counter() - began

    products(1)  # the first one loads the library
    once = products(1)
    count = max(1, int(seconds / once))
    return 2 * side**3 * count / products(count)
