"""What ONNX Runtime's CUDA provider tells the device: copies, launches and waits, in order."""

import json
from pathlib import Path

import numpy as np
import pytest

from infer.scorer import Scorer
from tests.cuda_stand_in.conftest import Machine, Ran

# Scores several lists of texts, one after the other; the log is that of the last one.
PROGRAM = """
import json, os, sys
from pathlib import Path
from infer.cuda import CudaOptions
from infer.scorer import Scorer

bundle, options, *texts = (json.loads(word) for word in sys.argv[1:])
cuda = CudaOptions(**options)
scorer = Scorer.open(bundle, device="cuda", variant="cuda-fp16", cuda=cuda, batch_tokens=128)
logits = [scorer.score(several).tolist() for several in texts[:-1]]
Path(os.environ["CUDA_STAND_IN_LOG"]).write_text("")
logits.append(scorer.score(texts[-1]).tolist())
parts = scorer.session.session.get_provider_graph_assignment_info()
print(json.dumps([logits, sorted({part.ep_name for part in parts})]))
"""
WITHIN = 5e-3


@pytest.fixture(scope="module")
def texts(sentences: list[str]) -> list[list[str]]:
    """Texts, and the same words in other orders: other answers from the same shapes."""
    return [sentences, [" ".join(reversed(text.split())) for text in sentences], sentences]


def score(machine: Machine, bundle: Path, texts: list[list[str]], program: str = PROGRAM, **options: object) -> Ran:
    ran = machine.run("-c", program, *map(json.dumps, [str(bundle), options, *texts]))
    assert (ran.code, ran.err) == (0, "")
    return ran


def test_a_window_is_copied_once_and_waited_for_once(
    machine: Machine, packed_bundle: Path, texts: list[list[str]]
) -> None:
    ran = score(machine, packed_bundle, texts[:2])
    assert json.loads(ran.out)[1] == ["CUDAExecutionProvider"]
    events = [(what, detail.rsplit(" ", 1)[0] if what == "copy" else detail) for _, what, detail in ran.events]
    launches = [place for place, (what, _) in enumerate(events) if what == "launch"]
    first, last = launches[0], launches[-1]
    assert sum("Tanh" in detail for what, detail in events if what == "launch") > 20  # one a batch, in the pooler
    assert events[:first] == [("copy", "to device"), ("wait", "default stream")]
    # Were an operator on the host, its values would be copied there and back.
    assert {event for event in events[first:last] if event[0] != "launch"} == {("copy", "on device")}
    assert events[last + 1 : last + 4] == [("wait", "default stream"), ("wait", "stream"), ("copy", "to host")]
    assert {what for what, _ in events[last + 4 :]} <= {"wait"}  # at the end of the process


def test_an_answer_that_is_read_too_early_is_wrong(
    machine: Machine, packed_bundle: Path, texts: list[list[str]]
) -> None:
    """The stand-in shows what it is there to show."""
    no_wait = (
        "import infer.binding as b; o = b._options; b._options = lambda wait, graph=None: o(wait=False, graph=graph)"
    )
    ran = score(machine, packed_bundle, texts[:1], program=f"{no_wait}\n{PROGRAM}")
    exact = Scorer.open(packed_bundle, device="cpu", variant="fp32").score(texts[0])
    assert np.abs(np.array(json.loads(ran.out)[0][0]) - exact).max() > WITHIN


def test_graphs_are_replayed_with_other_inputs(machine: Machine, packed_bundle: Path, texts: list[list[str]]) -> None:
    ran = score(machine, packed_bundle, texts, graphs=True)
    launches = ran.said("launch")
    assert set(launches) == {"graph"} and len(launches) > 20 and not ran.said("capture")
    exact = Scorer.open(packed_bundle, device="cpu", variant="fp32")
    for found, several in zip(json.loads(ran.out)[0], texts, strict=True):
        assert np.abs(np.array(found) - exact.score(several)).max() <= WITHIN


# Names of flash attention and of cutlass's, which both mention cutlass.
@pytest.mark.parametrize(("kernel", "name"), [(1, "flash_fwd_kernel"), (2, "attention_kernel_batched_impl")])
def test_attention_is_computed_by_the_kernel_asked_for(
    kernel: int, name: str, machine: Machine, packed_bundle: Path, texts: list[list[str]]
) -> None:
    ran = score(machine, packed_bundle, texts[:1], sdpa_kernel=kernel)
    attention = [launch for launch in ran.said("launch") if "flash" in launch or "attention_kernel" in launch]
    assert attention and all(name in launch for launch in attention)
