"""What a throughput run comes to, in a few figures; a comparison that the noise hides is said to be none."""

from benchmarks.comparison import SAME_ANSWERS, compare_passes
from benchmarks.throughput.result import OURS, Throughput, Way

Tile = tuple[str, str]


def headline(result: Throughput) -> list[Tile]:
    """(figure, what it is): our exact and our fastest way, each against the fastest of the others that errs no more."""
    ours = [way for way in result.ways if way.is_ours and not way.is_bare]
    others = [way for way in result.ways if not way.is_ours]
    exact = [way for way in ours if way.way == f"{OURS} fp32"]
    fastest = sorted(ours, key=lambda way: way.median_seconds)[:1]
    tiles = []
    for own in dict.fromkeys(way.way for way in fastest + exact):
        way = result.way(own)
        tiles += [_speed(result, way), *_against(way, others)]
    return tiles


def _speed(result: Throughput, way: Way) -> Tile:
    flips = f"{way.flips:,} of {result.rows:,} labels flipped" if way.flips else "no label flipped"
    mcc = "" if way.mcc is None else f", MCC {way.mcc:.3f}"
    return f"{result.rows_per_second(way):,.0f}", f"rows/s by {way.way}; {flips}{mcc}"


def _against(own: Way, others: list[Way]) -> list[Tile]:
    """Speed against the fastest of the others that flips no more and, where ours is exact, is exact."""
    fair = [
        way for way in others if way.flips <= own.flips and (way.max_abs_logit <= SAME_ANSWERS or not _is_exact(own))
    ]
    if not fair:
        return []
    best = min(fair, key=lambda way: way.median_seconds)
    comparison = compare_passes(own.seconds, best.seconds)
    figure = f"{comparison.ratio:.2f}×" if comparison.decided else "no difference found"
    return [(figure, f"{own.way}'s speed against {best.way}, the fastest of the others that flips no more")]


def _is_exact(way: Way) -> bool:
    return way.flips == 0 and way.max_abs_logit <= SAME_ANSWERS
