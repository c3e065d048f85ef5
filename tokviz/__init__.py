"""tokviz: how language models arrange words, layer by layer, as a static site."""

__version__ = "0.1.0"
