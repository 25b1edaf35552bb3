"""int8 of the real encoder: the products that the search chose hold the gate on rows that nobody chose by."""

from pathlib import Path

from bertline.bundle import Bundle
from bertline.cli import run


def test_int8_holds_its_gate_on_both_development_files(line: Path, tmp_path: Path) -> None:
    raw = line / "cola_public" / "raw"
    verify = [f"--verify-on={raw / name}.tsv" for name in ("in_domain_dev", "out_of_domain_dev")]
    options = ["--variants", "int8", "--calibrate-on", str(raw / "in_domain_train.tsv"), "--format", "cola"]
    assert run(["export", str(line / "model"), "-o", str(tmp_path / "bundle"), *verify, *options]) == 0
    variant = Bundle.open(tmp_path / "bundle").manifest.variants["int8"]
    assert variant.quantization is not None
    chosen = variant.quantization["candidates"][-1]
    for gate in variant.gates:
        print(f"{gate.provider}: {gate.flips} flips of {gate.rows}, {chosen['fp32_share']:.0%} of the work in fp32")
        assert gate.rows == 527 + 516 and gate.passed and gate.flips <= 10
        assert gate.mcc is not None and gate.mcc_reference is not None and gate.mcc >= gate.mcc_reference - 0.01
