"""Captions as single vectors of the T5 encoder that the keyframe model has: text to text (3.2, Fig. 5).

The paper compares CLIP's text-to-image retrieval with this one.  T5 was not trained to compare sentences; the
mean of its tokens is the usual way to make it.

Shapes:  n captions   T text tokens   D width of T5
"""

import torch
from torch import Tensor, nn

from cinema_cli.models.encoders import TextEncoder

BATCH = 64
"""Captions that are encoded at once."""


@torch.no_grad()
def sentence_vectors(encoder: TextEncoder, captions: list[str]) -> Tensor:
    """(n, D) on the CPU, unit length: the mean over the tokens of a caption, padding left out."""
    lengths = [min(len(ids), encoder.length) for ids in encoder.t5_tokenizer(captions)["input_ids"]]
    vectors = []
    for start in range(0, len(captions), BATCH):
        tokens = encoder.encode(captions[start : start + BATCH]).text.float().cpu()  # (b, T, D)
        own = torch.arange(encoder.length) < torch.tensor(lengths[start : start + BATCH])[:, None]
        vectors.append((tokens * own[..., None]).sum(dim=1) / own.sum(dim=1, keepdim=True))
    return nn.functional.normalize(torch.cat(vectors), dim=1)
