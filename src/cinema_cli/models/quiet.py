"""Silence of the libraries: what they print about loading is not for who makes a film.

Their errors stay; bars, hints and notes go, which would end up between our own lines on stderr.
"""

from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging


def quiet_libraries() -> None:
    """Let diffusers and transformers tell errors only."""
    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
        library.disable_progress_bar()
