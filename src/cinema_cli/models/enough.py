"""Memory that is not enough, told as what to do: where it ran out decides that."""

import contextlib
from collections.abc import Iterator

import torch

from cinema_cli.errors import MissingError

LOADING = (
    "Take --set offload=sequential, model or group, --set quantise=int8 or nf4, a --transformer in few bits, "
    "or a larger device."
)
SAMPLING = (
    "Fewer steps would not help: take a smaller frame_size, fewer shots together (--set window=N), "
    "--set offload=group, --set quantise=int8 or nf4, or a larger device."
)
DECODING = (
    "What was sampled is kept: the same command with --set tile=true, and if that is not enough with "
    "--set offload=model, goes on with decoding."
)


@contextlib.contextmanager
def memory_for(doing: str, advice: str) -> Iterator[None]:
    """Raise MissingError where the memory of the device, or of the machine, is not enough for a block.

    Args:
        doing: What it does, as "decoding shot 0001".
        advice: What would help.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        told = str(error).strip().splitlines()
        found = told[0] if told else "it is full"
        raise MissingError(f"{doing}: more memory was wanted than there is ({found}). {advice}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out; torch has a class of its own for that on a GPU, but not on the CPU."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
