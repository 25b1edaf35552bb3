"""A result over two consumers that tests share; all figures are made up."""

from benchmarks.runtimes.result import Figures, Installed, Runtimes, TokenIds

LEAN = Installed("lean", {"engine": "1.0", "tokenizers": "2.0"}, 170.4, "its packages")
OTHER = Installed("other", {"engine": "3.0", "pieces": "4.0"}, 12.0, "one program")
FIGURES = (
    Figures("lean", "fp32", "", 0, 0, 2e-6, (0.5, 0.7, 0.6), (1.5, 1.7, 2.6)),
    Figures("lean", "quantized", "", 0, 0, 3e-6, (0.5,), (0.75,)),
    Figures("other", "fp32", "logits: max |Δlogit| 1.0e-02", 2, 1, 2e-2, (), ()),
)
RESULT = Runtimes(
    "bundle",
    ("t.tsv",),
    101,
    1000,
    50,
    (LEAN, OTHER),
    (TokenIds("lean", 0, {"emoji": 4}), TokenIds("other", 3, {"emoji": 3, "kana": 2})),
    FIGURES,
    {"other quantized": "out of | memory", "third": "needs cmake; apt-get install cmake"},
)
