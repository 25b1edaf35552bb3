"""Tables and the section: figures against the first file, shares of the ceiling, and reasons."""

from typing import Any

import pytest

from benchmarks.machine import Ceiling
from benchmarks.scale.result import LENGTHS, REPEATS, ROWS, THREADS, Series
from benchmarks.scale.section import scale_section
from benchmarks.scale.tables import failure_table, series_table, tables
from bertline.report import Chart, Report, Table, render_html
from tests.benchmarks.scale.points import point, scale

CEILING = Ceiling({"float32": 1e12}, 1e10)
POINTS = point(10, [1.0, 2.0, 3.0]), point(100, [20.0, 22.0, 24.0], 110.0)


def cells(kind: str, *points: Any) -> list[list[Any]]:
    series = Series(kind, points or POINTS, {})
    return [list(row) for row in series_table(series, scale(series), CEILING).rows]


def test_rows_are_against_the_first_file() -> None:
    first, second = cells(ROWS)
    assert first == ["10 rows", "10.0", "2.00", "200000.0", "1.000", "–", "100", "1.000", "5%"]
    assert (second[4], second[6:]) == ("1.100", ["110", "1.100", "5%"])
    assert second[5].startswith("1.0") and "±" in second[5]


def test_a_share_is_that_of_the_variants_own_format() -> None:
    result = scale()
    assert result.share_of_ceiling(POINTS[0], CEILING) == pytest.approx(10 * 1e10 / 2.0 / 1e12)
    assert result.share_of_ceiling(POINTS[0], Ceiling({"int8": 1e12}, 1e10)) is None
    assert result.share_of_ceiling(POINTS[0], None) is None


def test_speed_up_is_of_passes_side_by_side_and_against_the_ideal() -> None:
    speeds = {1: 1, 2: 2, 4: 3}
    points = [point(threads, [8.0 / speed, 9.0 / speed], rows=100) for threads, speed in speeds.items()]
    assert [row[3:5] for row in cells(THREADS, *points)] == [["–", "100%"], ["2.00", "100%"], ["3.00", "75%"]]


def test_lengths_and_repeats_have_their_own_columns() -> None:
    assert [row[4] for row in cells(LENGTHS)] == ["20000.00", "22000.00"]
    assert [row[4] for row in cells(REPEATS)] == ["–", "11.00"]


def test_what_failed_is_a_row_with_its_reason() -> None:
    broken = Series(LENGTHS, (), {"512 tokens": "the model takes at most 64 tokens"})
    result = scale(Series(ROWS, POINTS, {}), broken)
    assert failure_table(result).rows == [["lengths", "512 tokens", "the model takes at most 64 tokens"]]
    assert [table.caption for table in tables(result, None)][1:] == ["Growth", "Not measured"]


def test_the_section_has_curves_and_tables_and_is_a_page() -> None:
    series = [Series(kind, POINTS, {}) for kind in (ROWS, REPEATS, LENGTHS, THREADS)]
    section = scale_section(scale(*series), CEILING)
    charts = [block.svg for block in section.blocks if isinstance(block, Chart)]
    assert len(charts) == 4 and all(svg.startswith("<svg") for svg in charts)
    assert "in proportion" in charts[2] and "ideal" in charts[3]
    assert sum(isinstance(block, Table) for block in section.blocks) == 5
    assert "Growth" in render_html(Report("t", "", [], [section]))
