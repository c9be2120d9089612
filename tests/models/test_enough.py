import pytest
import torch

from cinema_cli.errors import MissingError
from cinema_cli.models.enough import DECODING, memory_for


def too_much() -> None:
    torch.empty(1 << 62, dtype=torch.uint8)


def fault(error: type[Exception]) -> None:
    raise error("CUDA out of memory. Tried to allocate 2.00 GiB.\nSecond line.")


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError])
def test_memory_that_is_not_enough_is_told_with_what_to_do(error):
    with pytest.raises(MissingError) as raised, memory_for("decoding shot 0001", DECODING):
        fault(error)
    assert str(raised.value) == (
        "decoding shot 0001: more memory was wanted than there is (CUDA out of memory. Tried to allocate "
        f"2.00 GiB.). {DECODING}"
    )
    assert raised.value.exit_code == 4


def test_so_it_is_on_the_cpu():
    with pytest.raises(MissingError, match="loading x: more memory was wanted"), memory_for("loading x", "."):
        too_much()


def test_other_errors_stay_what_they_are():
    with pytest.raises(RuntimeError, match="Second line"), memory_for("loading x", "."):
        fault(RuntimeError)
