from pathlib import Path


def expand(inputs):
    return [Path(x) for x in inputs]
