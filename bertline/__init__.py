"""The ground floor of bertline: the nouns that every station shares, and the command-line root."""

__version__ = "0.1.0"
