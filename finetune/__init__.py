"""Corpus to trained model folder, by the recipe of the notebook "Sentence Classification with Transformers"."""
