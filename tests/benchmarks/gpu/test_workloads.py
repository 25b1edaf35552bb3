"""Rows of token ids."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.gpu.attempts import NotHereError
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.workloads import one_row, padding_share, random_rows, real_rows
from tests import tiny
from tests.benchmarks.gpu.conftest import SPEC


def test_padding_counts_up_to_the_longest_row_of_a_batch() -> None:
    lengths = np.array([4, 2, 3, 3])
    assert padding_share(lengths, [np.array([0, 1]), np.array([2, 3])]) == pytest.approx(1 - 12 / 14)
    assert padding_share(lengths, [np.array([2, 3])] * 2) == pytest.approx(0)


def test_real_rows_are_all_rows_with_their_labels(bench: Bench, tmp_path: Path) -> None:
    table = tiny.write_table(tmp_path / "t.tsv", rows=11)
    real = real_rows(bench.bundle, table, SPEC)
    assert real_rows(bench.bundle, table, SPEC, most=4).encoded.input_ids == real.encoded.input_ids[:4]
    assert (real.rows, real.texts[1], list(real.labels[:3])) == (11, "The dog sees a book.", [0, 1, 0])
    assert real.names[2] == "t.tsv, line 4" and real.tokens == len(real.encoded.ids)


def test_random_rows_have_one_length_and_markers(bench: Bench) -> None:
    facts = bench.bundle.manifest.tokenizer
    workload = random_rows(bench.bundle, bench.vocabulary, 16, 70)
    ids = workload.encoded.ids.reshape(4, 16)
    assert (ids[:, 0] == facts.cls_id).all() and (ids[:, -1] == facts.sep_id).all()
    assert ids.max() < bench.vocabulary and len(np.unique(ids)) > 20 and workload.encoded.ids.dtype == np.int32
    with pytest.raises(NotHereError, match="the model takes 64 tokens at most"):
        random_rows(bench.bundle, bench.vocabulary, 65, 70)


def test_one_row_is_that_row(bench: Bench) -> None:
    encoded = bench.real.encoded
    alone = one_row(encoded, 3)
    assert alone.input_ids == [encoded.input_ids[3]] and alone.starts.tolist() == [0]
