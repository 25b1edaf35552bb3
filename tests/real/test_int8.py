"""int8 of the real encoder: the products that the search chose hold the gate on rows that nobody chose by."""

from pathlib import Path

from bertline.bundle import Bundle


def test_int8_holds_its_gate_on_both_development_files(line: Path) -> None:
    variant = Bundle.open(line / "fast").manifest.variants["int8"]
    assert variant.quantization is not None
    chosen = variant.quantization["candidates"][-1]
    for gate in variant.gates:
        print(f"{gate.provider}: {gate.flips} flips of {gate.rows}, {chosen['fp32_share']:.0%} of the work in fp32")
        assert gate.rows == 527 + 516 and gate.passed and gate.flips <= 10
        assert gate.mcc is not None and gate.mcc_reference is not None and gate.mcc >= gate.mcc_reference - 0.01
