"""Numbers that are not finite, told at the stage that made them, before the next one turns them black."""

from torch import Tensor

from cinema_cli.errors import CinemaError

OVERFLOW = (
    "The usual cause is a number type with too small a range: T5 and some autoencoders overflow in float16. "
    "Check the weights too: cinema doctor --model NAME"
)


def finite(numbers: Tensor, what: str) -> Tensor:
    """The same numbers.

    Args:
        numbers: Of any shape.
        what: Which they are, as "the text encoder's output".

    Raises:
        CinemaError: one of them is not finite.
    """
    if not numbers.isfinite().all():
        raise CinemaError(
            f"{what}: finite numbers were wanted, found others, as {numbers.dtype} on {numbers.device.type}. "
            f"{OVERFLOW}"
        )
    return numbers
