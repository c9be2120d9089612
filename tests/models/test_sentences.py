import pytest
import torch

from cinema_cli.models.encoders import TextEncoder
from cinema_cli.models.sentences import sentence_vectors
from tiny_models import LENGTH, TEXT, pooled_encoder, text_encoder, tokenizer


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    torch.manual_seed(0)
    words = tokenizer()
    return TextEncoder(pooled_encoder().eval(), words, text_encoder().eval(), words, LENGTH)


def test_a_vector_is_the_mean_of_the_tokens_without_padding(encoder):
    captions = ["<Mira> waves.", "A medium shot of the harbour at night, empty."]
    vectors = sentence_vectors(encoder, captions)
    assert vectors.shape == (2, TEXT)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2))
    for caption, vector in zip(captions, vectors, strict=True):
        own = len(encoder.t5_tokenizer(caption)["input_ids"])
        mean = encoder.encode([caption]).text[0, :own].mean(dim=0)
        assert torch.allclose(vector, mean / mean.norm(), atol=1e-6)


def test_a_caption_that_is_cut_is_the_mean_of_what_is_read(encoder):
    endless = " ".join(["z"] * 300)
    assert torch.allclose(
        sentence_vectors(encoder, [endless]), sentence_vectors(encoder, [f"{endless} and more"]), atol=0.05
    )


def test_company_does_not_matter(encoder):
    captions = [f"Shot {i}" for i in range(70)]
    assert torch.allclose(
        sentence_vectors(encoder, captions)[69:], sentence_vectors(encoder, captions[69:]), atol=1e-6
    )
