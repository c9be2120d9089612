"""On which devices a model would be trained: those that ``--on`` names, or those that are here."""

from dataclasses import dataclass

import torch

from cinema_cli import runtime
from cinema_cli.errors import InputError
from cinema_cli.models.rates import EFFICIENCY, PEAK_BF16, rate


@dataclass(frozen=True)
class Devices:
    """On what a model would be trained."""

    count: int
    """Processes, one for each device."""
    name: str
    """As CUDA calls the device, or the CPU."""
    rate: float
    """FLOP/s of one that training usually reaches."""


def known_devices(text: str) -> Devices:
    """The devices that a text such as "32 x H100" names.

    Raises:
        InputError: it names none, or an unknown one.
    """
    count, _, name = text.partition("x")
    found = [known for known in PEAK_BF16 if name.strip().lower() in known.lower()] if name.strip() else []
    if not count.strip().isdigit() or int(count) < 1 or not found:
        raise InputError(
            f'--on: a number and a device such as "8 x H100" were wanted, found {text!r}. Known are '
            f"{', '.join(PEAK_BF16)}."
        )
    return Devices(count=int(count), name=found[0], rate=EFFICIENCY * PEAK_BF16[found[0]])


def devices_here() -> Devices:
    """The devices of this machine."""
    where = runtime.device()
    count = torch.cuda.device_count() if where.type == "cuda" else 1
    return Devices(count, runtime.device_name(where), rate(where, torch.bfloat16))
