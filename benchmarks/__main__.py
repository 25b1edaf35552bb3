"""`python -m benchmarks gpu …` is `bertline benchmark gpu …`, for a checkout that is not installed."""

import runpy
import sys

if __name__ == "__main__":
    sys.argv.insert(1, "benchmark")
    runpy.run_module("bertline", run_name="__main__")
