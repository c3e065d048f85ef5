"""One forward pass with hooks: the hidden states of every word at every depth.

The embedding is what the model's embedding module returns (Gemma scales it in there), a layer's state is what the
block itself returns: ``output_hidden_states`` gives the last layer only after the final norm, and for many families
adds positions to the embedding.
"""

from tokviz.capture.hooks import is_streamed
from tokviz.capture.running import capture, capture_together, sharing_passes
from tokviz.capture.structure import Structure, find_structure

__all__ = ["Structure", "capture", "capture_together", "find_structure", "is_streamed", "sharing_passes"]
