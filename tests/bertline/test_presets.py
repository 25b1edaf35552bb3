"""Presets name the columns of the files that GLUE publishes."""

import io
from dataclasses import asdict

import pytest

from bertline.errors import UsageError
from bertline.presets import PRESETS
from bertline.tsv import Table, TableSpec
from tests.glue import HEADS, TEST_HEADS


@pytest.mark.parametrize("name", HEADS)
def test_the_columns_are_in_the_published_files(name: str) -> None:
    preset = PRESETS[name]
    assert HEADS.keys() | {"cola"} == PRESETS.keys()
    for column in (preset.text_column, preset.pair_column, preset.label_column):
        assert column is None or HEADS[name].count(column) == 1
    assert preset.text_column in TEST_HEADS[name] and preset.label_column not in TEST_HEADS[name]
    assert preset.pair_column is None or preset.pair_column in TEST_HEADS[name]


@pytest.mark.parametrize("name", HEADS)
def test_a_format_describes_a_table_with_a_header(name: str) -> None:
    spec, preset = TableSpec.from_options(format=name), PRESETS[name]
    table = Table(io.BytesIO("\t".join(HEADS[name]).encode()), "t.tsv", spec)
    found = [table.index(c, "--text-column") for c in (spec.text_column, spec.label_column) if c]
    assert found == [HEADS[name].index(preset.text_column), HEADS[name].index(preset.label_column)]
    assert (spec.pair_column, spec.label_required) == (preset.pair_column, False)


def test_what_is_given_goes_before_the_format() -> None:
    spec = TableSpec.from_options(format="mrpc", text_column="4", pair_column="5", label_column="1")
    assert spec == TableSpec(True, None, "4", "5", "1")
    spec = TableSpec.from_options(format="sst2", columns="n,sentence,label")
    assert spec == TableSpec(False, ("n", "sentence", "label"), "sentence", None, "label", label_required=False)
    with pytest.raises(UsageError, match="the formats known by name are cola, sst2, mrpc, qqp, stsb, mnli, qnli, rte"):
        TableSpec.from_options(format="sst-2")


def test_cola_has_columns_and_no_header_and_always_labels() -> None:
    assert asdict(TableSpec.from_options(format="cola"))["label_required"]
    assert not PRESETS["cola"].header
