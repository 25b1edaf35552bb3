"""The tables are made from the document alone, and say what was not measured."""

import json
from typing import Any

from benchmarks.gpu.tables import markdown, tables


def test_the_same_tables_come_from_the_file(document: dict[str, Any]) -> None:
    text = markdown(document)
    assert markdown(json.loads(json.dumps(document))) == text
    assert "40 rows of rows.tsv" in text.splitlines()[0] and document["created"][:10] in text
    rate = next(
        row["rows_per_second"]
        for row in document["sections"]["throughput_real"]["head_to_head"]
        if row["way"] == "PyTorch fp16 unpadded"
    )
    (line,) = [line for line in text.splitlines() if line.startswith("| PyTorch fp16 unpadded |") and "e-0" in line][:1]
    assert f"| {rate:,.0f} |" in line


def test_every_row_has_a_cell_for_every_column(document: dict[str, Any]) -> None:
    made = tables(document)
    assert len(made) == 15
    for table in made:
        assert table.rows and {len(row) for row in table.rows} == {len(table.columns)}
    lines = [line for line in markdown(document).splitlines() if line.startswith("|")]
    assert all(line.endswith(" |") for line in lines)


def test_what_was_not_measured_is_told_with_its_reason(document: dict[str, Any]) -> None:
    text = markdown(document)
    assert "| throughput 512 | not here | the model takes 64 tokens at most |" in text
    assert "| end to end, rows a second | ≥ 100,000 | not measured | – |" in text
    assert text.count("CUDA graphs are not on this device") == 2


def test_reached_and_missed_targets_are_told_apart(document: dict[str, Any]) -> None:
    verdict = {"target": "t", "bound": 0.5, "at_least": True, "unit": "%", "measured": 0.514, "reached": True}
    other = verdict | {"unit": "×", "bound": 1.3, "measured": 1.234, "reached": False, "at_least": False}
    text = markdown(document | {"verdicts": [verdict, other]})
    assert "| t | ≥ 50% | 51.4% | yes |" in text and "| t | ≤ 1.3× | 1.23× | no |" in text


def test_a_bar_in_a_cell_is_no_column(document: dict[str, Any]) -> None:
    assert "max \\|Δlogit\\|" in markdown(document)
