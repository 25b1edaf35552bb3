"""Triton's Python backend: texts, or pairs of texts, to the padded token ids that bertline_model takes."""

import json
from pathlib import Path

import numpy as np
import triton_python_backend_utils as pb_utils
from tokenizers import Tokenizer

# A request's rows are padded to its longest, rounded up: Triton batches requests of equal shape only, and so those of
# like length meet. A row's logits move by 1e-5 at most with its padding.
STEP = 8  # tokens
SAID = ("max_length", "pad_id")  # by config.pbtxt, as parameters


class TritonPythonModel:
    def initialize(self, args):
        """Read tokenizer.json, which stands beside this file, and what config.pbtxt says."""
        config = json.loads(args["model_config"])
        said = {key: int(value["string_value"]) for key, value in config["parameters"].items() if key in SAID}
        self.max_length, self.pad_id = (said[key] for key in SAID)
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = [tensor["name"] for tensor in config["output"]]
        self.tokenizer = Tokenizer.from_file(str(Path(__file__).with_name("tokenizer.json")))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(self.max_length)  # keeps the last separator; of a pair, cuts the longer text

    def execute(self, requests):
        """A response to each request, in order."""
        return [self.respond(request) for request in requests]

    def respond(self, request):
        """Token ids, mask and types of a request's rows, each (rows, tokens) int64; an error for what is not UTF-8."""
        columns = [pb_utils.get_input_tensor_by_name(request, name).as_numpy().ravel() for name in self.inputs]
        try:
            texts = [[value.decode() for value in column] for column in columns]
        except UnicodeDecodeError as error:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"a text is not UTF-8 ({error})"))
        rows = self.tokenizer.encode_batch(texts[0] if len(texts) == 1 else list(zip(*texts, strict=True)))
        longest = max(len(row.ids) for row in rows)
        length = min(-(-longest // STEP) * STEP, self.max_length)
        arrays = {
            "input_ids": np.full((len(rows), length), self.pad_id, np.int64),
            "attention_mask": np.zeros((len(rows), length), np.int64),
            "token_type_ids": np.zeros((len(rows), length), np.int64),
        }
        for number, row in enumerate(rows):
            arrays["input_ids"][number, : len(row.ids)] = row.ids
            arrays["attention_mask"][number, : len(row.ids)] = 1
            arrays["token_type_ids"][number, : len(row.ids)] = row.type_ids
        return pb_utils.InferenceResponse([pb_utils.Tensor(name, arrays[name]) for name in self.outputs])
