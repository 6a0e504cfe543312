from __future__ import annotations

from benchmarks.peers.repeats import Repeats, Summary, repeats_in


def repeats(*pairs: tuple[float, float], wanted: int = 3, retries: int = 2) -> Repeats:
    """Repeats with one measurement for each pair (seconds, load of other processes)."""
    found = Repeats(wanted, retries)
    for pair in pairs:
        found.add(*pair)
    return found


def test_clean_repeats_count_alone() -> None:
    found = repeats((1.0, 0.0), (9.0, 1.0), (2.0, 0.1), (3.0, 0.0))
    assert found.enough
    assert found.summary() == Summary(2.0, 0.5, False)


def test_without_two_clean_ones_the_quieter_half_counts() -> None:
    found = repeats((1.0, 0.0), (3.0, 0.4), (8.0, 0.9), (9.0, 0.8))
    assert not found.enough
    assert found.summary() == Summary(2.0, 0.5, True)


def test_noisy_repeats_are_made_again_until_patience_ends() -> None:
    found = repeats((1.0, 0.5), (1.0, 0.5), (1.0, 0.5), (1.0, 0.5))
    assert not found.enough
    found.add(1.0, 0.5)
    assert found.enough


def test_a_single_long_repeat_is_made_again_only_once() -> None:
    assert not repeats((60.0, 0.5), wanted=1).enough
    assert repeats((60.0, 0.5), (60.0, 0.5), wanted=1).enough


def test_one_repeat_has_no_spread() -> None:
    assert repeats((2.0, -0.01), wanted=1).summary() == Summary(2.0, None, False)


def test_how_many_repeats_fit() -> None:
    assert [repeats_in(10.0, 5, warm_up) for warm_up in (0.0, 3.0, 20.0)] == [5, 3, 1]
