"""How many tokens a batch should hold on this machine: tried out on the first rows, in a few seconds."""

import time
from dataclasses import dataclass

import numpy as np

from bertline.devices import parse_device
from infer.encode import Encoded
from infer.scorer import BATCH_TOKENS, CUDA_BATCH_TOKENS, Scorer
from infer.session import OutOfMemoryError

CANDIDATES = {  # tokens, in the order of trying
    "cpu": (BATCH_TOKENS, 1024, 4096, 512, 8192),
    "cuda": (CUDA_BATCH_TOKENS, 8192, 32768, 4096, 65536),
}
_WORTH = 1.03  # a rate that another must beat the default's by: less is noise
_SECONDS = 3.0  # after which no further candidate is tried
_ROUNDS = 3


@dataclass(frozen=True)
class Trial:
    """One candidate: the median rate of its rounds."""

    batch_tokens: int
    tokens_per_second: float


def find_budget(scorer: Scorer, encoded: Encoded) -> tuple[int, list[Trial]]:
    """The fastest of the device's CANDIDATES for rows of token ids, and what was measured; the default where they tie.

    Each candidate runs batches of the commonest length, in turns, after one that is not counted. What they answer is
    thrown away, so that the output does not depend on which candidates were tried.
    """
    if not len(encoded.lengths):
        return scorer.batch_tokens, []
    length = int(np.bincount(encoded.lengths).argmax())
    rows = np.flatnonzero(encoded.lengths == length)
    begin, trials = time.perf_counter(), []
    kind, _ = parse_device(scorer.device)
    for budget in CANDIDATES[kind]:
        batch = np.resize(rows, max(1, budget // max(1, length)))  # repeats rows where there are too few
        seconds = []
        try:
            scorer.runner.run_batch(encoded, batch)
            for _ in range(_ROUNDS):
                start = time.perf_counter()
                scorer.runner.run_batch(encoded, batch)
                seconds.append(time.perf_counter() - start)
        except OutOfMemoryError:
            continue
        trials.append(Trial(budget, len(batch) * length / float(np.median(seconds))))
        if time.perf_counter() - begin > _SECONDS:
            break
    if not trials:
        return scorer.batch_tokens, []
    best = max(trials, key=lambda trial: trial.tokens_per_second)
    default = trials[0]
    return (best if best.tokens_per_second > _WORTH * default.tokens_per_second else default).batch_tokens, trials
