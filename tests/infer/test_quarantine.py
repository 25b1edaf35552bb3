"""Rows that are set aside: every reason with its line, and all else as if they had not been there."""

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bertline import tsv
from bertline.bundle import Bundle, Manifest
from bertline.errors import BertlineError
from bertline.tsv import TableSpec
from infer import windows
from infer.rejects import Reject
from infer.rows import QUARANTINE_HINT, Rows
from infer.windows import REJECTS_PER_ROW, Window

HEADER = b"id\tsentence\tlabel\n"
BAD = {
    "columns": b"1\ttoo few",
    "encoding": b"1\tcaf\xe9\t0",
    "nul": b"1\ta\0b\t0",
    "label": b"1\tb\tperhaps",
}
GOOD = b"1\tthe cat\t0"


@pytest.fixture(scope="module")
def manifest(bundle: Path) -> Manifest:
    return replace(Bundle.open(bundle).manifest, label_column="label")


def read(manifest: Manifest, *inputs: Path, size: int = 100, **spec: Any) -> list[Window]:
    rows = Rows(inputs, TableSpec(**spec), manifest, use_labels=True, on_error="quarantine")
    return list(rows.windows(size))


def rejects_of(found: list[Window]) -> list[Reject]:
    return [reject for window in found for reject in window.rejects]


def write(path: Path, *lines: bytes) -> Path:
    path.write_bytes(HEADER + b"\n".join(lines) + b"\n")
    return path


def test_every_reason_with_its_line(manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tsv, "MAX_LINE_BYTES", 100)
    bad = BAD | {"too_long": b"1\t" + b"x" * 200 + b"\t0"}
    path = write(tmp_path / "t.tsv", *(line for row in bad.values() for line in (GOOD, row)), GOOD)
    found = read(manifest, path)
    rejects = rejects_of(found)
    assert [(reject.reason, reject.line) for reject in rejects] == [(r, 3 + 2 * i) for i, r in enumerate(bad)]
    assert [reject.raw for reject in rejects[:4]] == list(BAD.values())
    assert bad["too_long"].startswith(rejects[4].raw) and len(rejects[4].raw) >= 100
    assert {reject.file for reject in rejects} == {str(path)}
    assert [reject.message.split(":")[0].split(",")[0] for reject in rejects] == [
        "column label is missing", "column 2", "column 2 holds a NUL character; remove it with tr -d '\\000'",
        "column label", "longer than 0 MiB; is this a text file?",
    ]  # fmt: skip
    assert [number for window in found for number in window.numbers] == [2, 4, 6, 8, 10, 12]
    assert [line.encode() for window in found for line in window.lines] == [GOOD] * 6


@pytest.mark.parametrize("reason", list(BAD))
def test_failing_names_the_same_row_and_how_to_set_it_aside(manifest: Manifest, tmp_path: Path, reason: str) -> None:
    path = write(tmp_path / "t.tsv", GOOD, BAD[reason])
    (reject,) = rejects_of(read(manifest, path))
    rows = Rows([path], TableSpec(), manifest, use_labels=True, hint=QUARANTINE_HINT)
    with pytest.raises(BertlineError) as error:
        list(rows.windows(9))
    message = str(error.value)
    assert message.startswith(f"{path}, line 3") and message.endswith(f"{reject.message}{QUARANTINE_HINT}")


def test_files_of_bad_rows_only_are_no_error_and_files_of_nothing_are(manifest: Manifest, tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", *BAD.values())
    (window,) = read(manifest, path)
    assert (len(window), window.lines, len(window.rejects)) == (0, [], 4)
    for content, expected in ((b"", "the file is empty"), (HEADER, "has a header and no rows"), (b"\xff\n", "UTF-8")):
        path.write_bytes(content)
        with pytest.raises(BertlineError, match=expected):
            read(manifest, path)


def test_without_a_header_the_first_row_may_be_bad(manifest: Manifest, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_bytes(b"\xff\tb\na\tthe cat\n")
    (window,) = read(manifest, path, header=False, columns=("id", "sentence"))
    assert (window.texts, [reject.line for reject in window.rejects]) == (["the cat"], [1])


def test_lines_are_those_of_each_file_decompressed(manifest: Manifest, tmp_path: Path) -> None:
    plain = write(tmp_path / "t.tsv", BAD["nul"], GOOD, BAD["label"])
    packed = tmp_path / "t.tsv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    (window,) = read(manifest, plain, packed)
    assert [(Path(reject.file).name, reject.line) for reject in window.rejects] == [
        ("t.tsv", 2), ("t.tsv", 4), ("t.tsv.gz", 2), ("t.tsv.gz", 4),
    ]  # fmt: skip
    assert [window.where(row) for row in (0, 1)] == [f"{plain}, line 3", f"{packed}, line 3"]


def test_rejects_do_not_count_as_rows_but_close_a_window_in_the_end(manifest: Manifest, tmp_path: Path) -> None:
    path = write(tmp_path / "t.tsv", *[BAD["nul"], GOOD] * 4)
    assert [(len(w), len(w.rejects)) for w in read(manifest, path, size=2)] == [(2, 2), (2, 2)]
    many = 3 * REJECTS_PER_ROW + 1
    path = write(tmp_path / "t.tsv", GOOD, *[BAD["label"]] * many)
    assert [(len(w), len(w.rejects)) for w in read(manifest, path, size=2)] == [(1, 8), (0, 5)]


def test_long_rows_close_a_window_wherever_the_file_was_cut_into_blocks(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "WINDOW_SIZE", 50)
    rows = [b"1\t" + b"a" * (7 * i % 40) + b"\t0" for i in range(60)]
    rows[10::9] = [BAD["label"]] * len(rows[10::9])
    path = write(tmp_path / "t.tsv", *rows)
    cuts = []
    for block in (1, 10, 64, 2**18):
        monkeypatch.setattr("bertline.lines.BLOCK_BYTES", block)
        found = read(manifest, path, size=20)
        cuts.append([(window.numbers, [reject.line for reject in window.rejects]) for window in found])
    assert cuts[1:] == cuts[:1] * 3
    assert len(cuts[0]) > 10 and all(len(window.numbers) for window in found[:-1])
    sizes = [sum(map(len, w.lines)) + sum(len(r.raw) for r in w.rejects) for w in found]
    assert all(50 < size <= 50 + 50 for size in sizes[:-1])
