"""A consumer is run as its own program, and one that lies, crashes or hangs is seen to."""

from pathlib import Path

import pytest

from benchmarks.runtimes.catalogue import KNOWN
from benchmarks.runtimes.consumer import Open
from benchmarks.runtimes.measure import Plan, measure_runtimes
from benchmarks.runtimes.result import Runtimes
from bertline.bundle import Bundle
from bertline.tsv import TableSpec
from tests import tiny
from tests.benchmarks.runtimes.conftest import PROGRAM, Altered

LEAN = {"python-lean": KNOWN["python-lean"]}
WRITE = 'out.write("\\t".join(cells) + "\\n")'
SCORE = "        start = time.perf_counter()\n"


def measured(
    bundle: Path, table: Path, consumers: dict[str, Open] = LEAN, *, passes: int = 1, timeout_seconds: float = 60
) -> Runtimes:
    opened = Bundle.open(bundle)
    plan = Plan([table], [table], TableSpec(), ("fp32",), passes, timeout_seconds)
    return measure_runtimes(opened, consumers, plan, threads=1)


def test_a_sound_consumer_gives_the_same_answers(lean_bundle: Path, tmp_path: Path) -> None:
    table = tiny.write_table(tmp_path / "t.tsv", rows=300)
    plan = Plan([table, table], [table], TableSpec(), ("fp32", "quantized"), 2, 60)
    told: list[str] = []
    result = measure_runtimes(Bundle.open(lean_bundle), LEAN, plan, threads=1, progress=told.append)
    assert (result.rows, result.token_rows, result.hard_rows, result.failures) == (600, 300, 1000, {})
    assert result.variants == ("fp32", "quantized") and not result.interrupted and result.problems() == []
    (runtime,), (ids,) = result.runtimes, result.token_ids
    assert list(runtime.versions) == ["onnxruntime", "tokenizers"] and runtime.size_mb > 30
    assert (ids.mismatches, ids.hard_mismatches) == (0, {})  # it is the same library
    for figures in result.figures:
        assert result.faults(figures) == [] and figures.max_abs_logit < 1e-5
        assert len(figures.start_seconds) == len(figures.file_seconds) == 2
        assert figures.cold_start_seconds and 0 < figures.cold_start_seconds < 30
    assert "python-lean quantized: self-check and answers" in told and "pass 2 of 2" in told


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (WRITE, f'cells[-1] += " 7" * (cells[-3] < "0"); {WRITE}', "other token ids on"),
        (WRITE, f"cells[-3] = str(float(cells[-3]) + 2e-4); {WRITE}", "max |Δlogit| 2.0e-04, allowed 1e-04"),
        (WRITE, f'cells[2] = {{"0": "1", "1": "0"}}[cells[2]]; {WRITE}', "another label on 24 of 24 rows"),
        (
            "allowed = classifier.variant[",
            "alone += 1; allowed = classifier.variant[",
            "self-check: logits: max |Δlogit|",
        ),
        ('    yield "logits",', '    return\n    yield "logits",', "self-check: has the steps hashes, token ids, not"),
    ],
    ids=["ids", "logits", "labels", "self-check", "steps"],
)
def test_a_lie_is_seen(altered: Altered, table: Path, old: str, new: str, fault: str) -> None:
    result = measured(altered(old, new), table)
    (figures,) = result.figures
    faults = result.faults(figures)
    assert [text for text in faults if text.startswith(fault)], faults


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            SCORE,
            '        print("first", "last words", sep="\\n", file=sys.stderr); sys.exit(9)\n',
            "exit code 9: last words",
        ),
        (SCORE, "        import os; os.kill(os.getpid(), 11)\n", "was ended by SIGSEGV"),
        (SCORE, "        return 0\n", "ended well and wrote no output"),
        (SCORE, "        time.sleep(600)\n", "did not end within 4 s, and was stopped"),
        (WRITE, f"cells[1] == '3' or {WRITE}", "has not the 24 rows of its input"),
        (WRITE, f'cells[-2] = "nan"; {WRITE}', "gives a logit that is no number"),
        (WRITE, f'cells[-2] = "a lot"; {WRITE}', "holds a logit that is no number"),
        (WRITE, f'cells.append("more"); {WRITE}', "rows of another width"),
        ('["token_ids"] if', '["tokens"] if', "has no column token_ids"),
    ],
    ids=["exit", "signal", "nothing", "hang", "rows", "nan", "text", "width", "column"],
)
def test_what_gives_no_answer_is_a_row_that_says_why(
    altered: Altered, table: Path, old: str, new: str, reason: str
) -> None:
    result = measured(altered(old, new), table, timeout_seconds=4 if "sleep" in new else 60)
    assert result.figures == () and result.runtimes == () and list(result.failures) == ["python-lean"]
    assert reason in result.failures["python-lean"] and "\n" not in result.failures["python-lean"]


def test_a_program_that_is_not_the_exported_one_is_not_run(altered: Altered, table: Path, tmp_path: Path) -> None:
    bundle, ran = altered(SCORE, SCORE), tmp_path / "ran"
    program = bundle / PROGRAM
    program.write_text(f"open({str(ran)!r}, 'w')\n" + program.read_text(encoding="utf-8"), encoding="utf-8")
    result = measured(bundle, table)
    assert "bertline_lean.py" in result.failures["python-lean"] and result.figures == () and not ran.exists()


def test_what_is_not_in_the_bundle_or_lacks_its_packages_says_the_next_command(
    lean_bundle: Path, bundle: Path, table: Path
) -> None:
    result = measured(bundle, table)
    assert (
        "not in the bundle; bertline export MODEL_DIR -o BUNDLE --runtimes python-lean"
        in result.failures["python-lean"]
    )
    result = measured(lean_bundle, table, {"node": KNOWN["node"]})
    assert "; npm ci --ignore-scripts --prefix " in result.failures["node"] or "needs node; " in result.failures["node"]
