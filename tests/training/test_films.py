import pytest
import torch

from cinema_cli.models.encoders import ShotTextEncoder, VideoCodec
from cinema_cli.training.films import TheatreClips
from cinema_cli.training.latents import LatentCache
from clipped_films import tiny_video
from tiny_models import text_encoder, tokenizer, video_autoencoder

CHANGES = ("movies=2", "shots=3", "window=2", "neighbours=1", "films=1")


@pytest.fixture(scope="module")
def parts():
    torch.manual_seed(0)
    return VideoCodec(video_autoencoder().eval()), ShotTextEncoder(text_encoder(), tokenizer(), 96)


def source(parts, folder, *changes):
    return TheatreClips(*parts, LatentCache(folder, "0" * 64), tiny_video(*CHANGES, *changes))


def test_movies_of_the_theatre_show_a_window_and_its_neighbours(parts, tmp_path):
    clips = source(parts, tmp_path)
    (films,) = clips.batch(1)
    (again,) = clips.batch(1)
    assert [group.latents.shape[1] for group in films.groups] == [2, 1]
    assert films.seen.latents.shape[3] == 1 < films.made[0].latents.shape[3]
    assert all(torch.equal(a.latents, b.latents) for a, b in zip(films.groups, again.groups, strict=True))
    assert all(torch.equal(a.text, b.text) for a, b in zip(films.groups, again.groups, strict=True))


def test_by_chance_a_movie_has_no_words(parts, tmp_path):
    nothing = parts[1].alone([""])[0]
    some = source(parts, tmp_path, "drop_captions=0.5")
    silent = []
    for seed in range(24):
        (films,) = some.batch(seed)
        texts = torch.cat([clips.text[0] for clips in films.groups])
        silent.append(torch.equal(texts, nothing.expand_as(texts)))
        assert silent[-1] or not any(torch.equal(text, nothing) for text in texts)
    assert 4 < sum(silent) < 20
