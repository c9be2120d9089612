"""Who keeps what; that processes which share compute the same is in ``training/test_context_parallel.py``."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cinema_cli.models.context_parallel import Exchange, Peers


def peers(size: int, rank: int = 0) -> Peers:
    """Their group is for sending alone."""
    return Peers(rank, size, None)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=6), st.integers(1, 8))
def test_every_pair_is_kept_once_and_no_peer_has_two_more_than_another(counts, size):
    shares = [peers(size, rank).share(counts) for rank in range(size)]
    for number, count in enumerate(counts):
        kept = [list(share.places[number]) for share in shares]
        assert sorted(place for places in kept for place in places) == list(range(count))
        assert max(map(len, kept)) - min(map(len, kept)) <= 1
    held = [sum(map(len, share.places)) for share in shares]
    assert max(held) - min(held) <= 1


def test_a_group_is_dealt_on_where_the_one_before_ended():
    first, second = (peers(2, rank).share([3, 2, 1]) for rank in (0, 1))
    assert [list(places) for places in first.places] == [[0, 2], [1], []]
    assert [list(places) for places in second.places] == [[1], [0], [0]]


def test_keys_end_where_the_tokens_of_all_peers_end():
    share = peers(3).share([4, 1])
    exchange = share.exchange(lambda counts: (10 * counts[0], 7 * counts[1]))
    assert exchange == Exchange(share.peers, ((20, 0), (10, 7), (10, 0)))
    assert exchange.ends == (40, 47)


@pytest.mark.parametrize("new", [0, 2])
def test_a_loss_hangs_on_all_that_was_predicted_but_weighs_what_counts(new):
    memory, drawn = torch.ones(2, requires_grad=True), torch.ones(new, requires_grad=True)
    loss = peers(2).loss(3 * drawn.sum(), [memory, drawn])
    loss.backward()
    assert float(loss.detach()) == 2 * 3 * new
    assert memory.grad.tolist() == [0, 0]
    assert drawn.grad.tolist() == [6] * new
