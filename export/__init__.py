"""Model folder to bundle: the graph, its tokenizer, and the proof that both answer as the trained model does."""
