"""transformers' pipeline as its users call it, with logits by label id in place of what it ranks."""

from transformers import AutoTokenizer


def scoring(pipeline, model, request):
    """Texts in, logits out, by a model that is loaded; `pipeline` is the library's own function."""
    tokenizer = AutoTokenizer.from_pretrained(request["model"])
    run = pipeline("text-classification", model=model, tokenizer=tokenizer, batch_size=request["batch_rows"])
    names = [model.config.id2label[number] for number in range(len(model.config.id2label))]

    def score(texts):
        found = run(texts, top_k=None, function_to_apply="none", truncation=True, max_length=request["max_length"])
        by_name = [{entry["label"]: entry["score"] for entry in entries} for entries in found]
        return [[row[name] for name in names] for row in by_name]

    return score
