"""Verdicts: linear where it is, where it is not the sizes, and no claim where noise or a single pass allows none."""

import pytest

from benchmarks.scale.result import LENGTHS, REPEATS, ROWS, Series
from benchmarks.scale.verdicts import spans, verdicts
from tests.benchmarks.scale.points import point

STEADY, NOISY = (1.0, 1.001, 0.999), (1.0, 2.0, 0.5)


def words_of(kind: str, figures: dict[int, float], noise: tuple[float, ...] = STEADY) -> list[str]:
    """What is said of seconds by rows; the noise is another in each point."""
    points = [
        point(rows, [seconds * noise[(number + place) % len(noise)] for number in range(len(noise))])
        for place, (rows, seconds) in enumerate(figures.items())
    ]
    return [verdict.words for verdict in verdicts(Series(kind, tuple(points), {}))]


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({100: 1.0, 1000: 10.0, 10000: 100.0}, "linear within the noise"),
        ({100: 1.0, 1000: 10.0, 10000: 150.0}, "grows faster than linear from 1,000 rows on"),
        ({100: 1.0, 1000: 15.0, 10000: 150.0}, "grows faster than linear from 100 to 1,000 rows, else linear"),
        ({100: 2.0, 1000: 11.0, 10000: 101.0}, "slower than linear from 100 rows on; a run costs 1.0"),
    ],
)
def test_growth_is_named_where_it_is(figures: dict[int, float], words: str) -> None:
    seconds, memory = words_of(ROWS, figures)
    assert seconds.startswith(words) and memory == "flat within the noise"


def test_a_fixed_cost_is_told_with_the_rows_that_it_outweighs() -> None:
    seconds, _ = words_of(ROWS, {100: 2.0, 1000: 11.0, 10000: 101.0})
    assert "µs a row, so below 10" in seconds and seconds.endswith("rows the fixed cost is the larger part")


def test_noise_and_a_single_pass_allow_no_claim() -> None:
    figures = {100: 1.0, 1000: 10.0, 10000: 150.0}
    assert words_of(ROWS, figures, NOISY)[0] == "too noisy to tell from 100 rows on"
    assert words_of(ROWS, figures, (1.0,)) == ["one pass does not tell noise"] * 2
    assert words_of(ROWS, {100: 1.0}) == [] and words_of(REPEATS, figures) == []


def test_memory_that_grows_is_told_with_where_it_ends() -> None:
    memory = {100: 150.0, 1000: 180.0, 10000: 180.5}
    points = tuple(point(rows, [rows / 100.0] * 3, mib) for rows, mib in memory.items())
    assert verdicts(Series(ROWS, points, {}))[1].words == "grows from 100 to 1,000 rows, flat from 1,000 rows on"


def test_the_square_of_the_length_has_its_share() -> None:
    lengths = {length: 1e-6 * length + 1e-6 / 512 * length**2 for length in (8, 64, 512)}
    points = tuple(point(length, [100 * each] * 3, rows=100) for length, each in lengths.items())
    (verdict,) = verdicts(Series(LENGTHS, points, {}))
    assert verdict.words.startswith("grows faster than linear from 8 tokens on; fitted")
    assert "is 50% [50%, 50%] of the time at 512 tokens" in verdict.words and 1 < verdict.exponent.value < 1.3


def test_the_passes_that_an_interrupt_left_out_are_no_part_of_a_fit() -> None:
    points = point(100, [1.0, 1.0, 50.0]), point(1000, [10.0, 10.0])
    assert verdicts(Series(ROWS, points, {}))[0].exponent.value == pytest.approx(1.0)


def test_neighbouring_steps_are_one_span() -> None:
    assert spans([1, 2, 3, 4, 5, 6], [True, True, False, False, True], "rows") == "from 1 to 3 rows and from 5 rows on"
    assert spans([1, 2], [False], "rows") == ""
