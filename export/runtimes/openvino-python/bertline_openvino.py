"""Score a bertline bundle with OpenVINO, tokenizers and numpy alone, and check that the answers are the right ones.

python bertline_openvino.py score INPUT.tsv OUTPUT.tsv
python bertline_openvino.py selfcheck
"""

import sys

import openvino

sys.dont_write_bytecode = True  # of the next: a bundle is left as it is, for one file more breaks its signature

import bertline_lean  # noqa: E402

EXACT = {
    "INFERENCE_PRECISION_HINT": "f32",  # else bf16 where the CPU has it: logits move by 0.05, and labels with them
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",  # else activations go to int8 where the weights are: by 0.11
}
SHARED = {
    "NUM_STREAMS": "1",  # all threads work on the one batch
    "ENABLE_CPU_PINNING": "NO",  # the cores may be shared with others
    "CPU_RUNTIME_CACHE_CAPACITY": "128",  # parts prepared for shapes: the default, 5,000, grows with the file
}


class Classifier(bertline_lean.Classifier):
    """A bundle's model, run by OpenVINO, and its tokenizer."""

    def load(self, graph, threads):
        """The graph as a function: arrays (rows, tokens) int64 by input name to logits (rows, labels) float32."""
        settings = EXACT | SHARED | ({"INFERENCE_NUM_THREADS": str(threads)} if threads else {})
        request = openvino.Core().compile_model(graph, "CPU", settings).create_infer_request()
        return lambda feeds: request.infer(feeds)["logits"].copy()  # the request writes its next answer to this place


if __name__ == "__main__":
    sys.exit(bertline_lean.main(Classifier, __doc__))
