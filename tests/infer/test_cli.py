"""`bertline infer` on input that is unusual and good."""

import io
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from bertline.bundle import MANIFEST
from tests import glue, tiny
from tests.conftest import Cli


def column(path: Path, name: str) -> list[str]:
    header, *rows = (line.split("\t") for line in path.read_bytes().decode().split("\n")[:-1])
    return [row[header.index(name)] for row in rows]


def test_a_scored_file_its_report_and_its_page(cli: Cli, bundle: Path, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.tsv"
    outcome = cli("infer", bundle, table, "-o", out, "--label-column", "label", "--probabilities", "--html")
    assert (outcome.code, outcome.out) == (0, "")
    assert "variant fp32 on cpu (CPUExecutionProvider)" in outcome.err and "MCC" in outcome.err
    report = json.loads((tmp_path / "o.tsv.report.json").read_text())
    assert report["metrics"]["mcc"] == pytest.approx(float(outcome.err.split("MCC ")[1].split()[0]), abs=5e-5)
    assert "</svg>" in (tmp_path / "o.tsv.report.html").read_text()
    assert sorted(path.name for path in tmp_path.glob("o.tsv*")) == ["o.tsv", "o.tsv.report.html", "o.tsv.report.json"]
    assert [float(p) + float(q) for p, q in zip(column(out, "prob_0"), column(out, "prob_1"), strict=True)] == (
        pytest.approx([1.0] * 24, abs=1e-6)
    )


def test_an_empty_sentence_is_scored_and_a_long_one_cut_and_counted(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "t.tsv", tmp_path / "o.tsv"
    path.write_text("sentence\n\n" + "the " * 500 + '\n"the "cat"\n\u2028\x85\r\x0b\x0c\n')
    assert cli("infer", bundle, path, "-o", out).code == 0
    assert len(column(out, "score")) == 4 and column(out, "sentence")[2:] == ['"the "cat"', "\u2028\x85\r\x0b\x0c"]
    assert json.loads((tmp_path / "o.tsv.report.json").read_text())["truncated"] == 1


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_line_ends_and_marks_change_nothing(cli: Cli, bundle: Path, tmp_path: Path, mark: bytes, end: bytes) -> None:
    plain, odd = tiny.write_table(tmp_path / "plain.tsv"), tmp_path / "odd.tsv"
    odd.write_bytes(mark + plain.read_bytes().replace(b"\n", end).removesuffix(end))
    for path in (plain, odd):
        assert cli("infer", bundle, path, "-o", path.with_suffix(".out"), "-q").code == 0
    assert (tmp_path / "odd.out").read_bytes() == (tmp_path / "plain.out").read_bytes()


def test_stdin_to_stdout(cli: Cli, bundle: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("infer", bundle, table, "-o", tmp_path / "o.tsv", "-q").err == ""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(table.read_bytes())))
    outcome = cli("infer", bundle, "-", "-o", "-", "--report", tmp_path / "r.json")
    assert outcome.code == 0 and outcome.out == (tmp_path / "o.tsv").read_text()
    assert json.loads((tmp_path / "r.json").read_text())["input"][0]["name"] == "-"
    assert cli("infer", bundle, table, "-o", "-", "--html").code == 2


def test_labels_as_ids_as_names_and_not_at_all(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "b"))
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps(manifest | {"labels": ["no", "yes"]}))
    mcc = []
    for name, words in (("ids", "01"), ("names", ("no", "yes"))):
        path = tmp_path / f"{name}.tsv"
        path.write_text("sentence\tgold\n" + "".join(f"{s}\t{words[i % 2]}\n" for i, s in enumerate(tiny.SENTENCES)))
        out = tmp_path / f"{name}.out"
        assert cli("infer", copy, path, "-o", out, "--label-column", "gold").code == 0
        metrics = json.loads((tmp_path / f"{name}.out.report.json").read_text())["metrics"]
        mcc.append({**metrics, "most_confident_mistakes": [m["row"] for m in metrics["most_confident_mistakes"]]})
        assert set(column(out, "predicted_label")) <= {"no", "yes"}
    assert mcc[0] == mcc[1]
    out = tmp_path / "none.out"
    assert cli("infer", copy, tmp_path / "ids.tsv", "-o", out, "--label-column", "gold", "--no-labels").code == 0
    assert "metrics" not in json.loads((tmp_path / "none.out.report.json").read_text())


def test_cola_files_have_no_header(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "cola.tsv", tmp_path / "o.tsv"
    path.write_text("gj04\t1\t\tThe cat sleeps.\ngj04\t0\t*\tCat the sleeps very.\n")
    assert cli("infer", bundle, path, "--format", "cola", "-o", out, "--no-output-header").code == 0
    rows = [line.split("\t") for line in out.read_text().splitlines()]
    assert [row[:4] for row in rows] == [
        ["gj04", "1", "", "The cat sleeps."],
        ["gj04", "0", "*", "Cat the sleeps very."],
    ]
    assert {len(row) for row in rows} == {6}


def test_a_glue_file_is_scored_with_labels_and_without(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    dev = glue.write(tmp_path / "dev.tsv", "sst2")
    test = glue.write(tmp_path / "test.tsv", "sst2", head=glue.TEST_HEADS["sst2"])
    assert cli("infer", bundle, dev, "--format", "sst2", "-o", tmp_path / "dev.out").code == 0
    assert json.loads((tmp_path / "dev.out.report.json").read_text())["metrics"]["rows"] == 12
    assert cli("infer", bundle, test, "--format", "sst2", "-o", tmp_path / "test.out").code == 0
    assert "metrics" not in json.loads((tmp_path / "test.out.report.json").read_text())
    asked = cli("infer", bundle, test, "--format", "sst2", "--label-column", "label", "-o", tmp_path / "no.out")
    assert asked.code == 1 and "no column 'label'; its columns are 'index', 'sentence'" in asked.err


def test_a_name_that_is_no_utf8_is_reported_all_the_same(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    path = tiny.write_table(tmp_path / os.fsdecode(b"caf\xe9.tsv"))
    assert cli("infer", bundle, path, "-o", tmp_path / "o.tsv", "--html").code == 0
    report = json.loads((tmp_path / "o.tsv.report.json").read_text())
    assert report["input"][0]["name"] == str(tmp_path / "caf") + "\\udce9.tsv"
