"""One forward pass with hooks: the hidden states of every word at every depth.

The embedding is what the model's embedding module returns (Gemma's scales it), a layer's state is what the block itself
returns. ``output_hidden_states`` would give the last layer only after the final norm, and for many families the embedding
with positions added.
"""

from tokviz.capture.attention import attention_to_first
from tokviz.capture.fitting import most_tokens, require_alike, require_fitting
from tokviz.capture.hooks import is_streamed
from tokviz.capture.interventions import layer_without, mean_at_position_0, neurons_set
from tokviz.capture.layer_gains import gains_to, layers_scaled, update_norms
from tokviz.capture.lens import directions, output_rows, require_plain_head
from tokviz.capture.loss import Passages, Setting, losses, passages, sees_ahead
from tokviz.capture.memory import is_out_of_memory, limited_to_free_memory
from tokviz.capture.passes import PassLimits, sharing_passes
from tokviz.capture.recording import PaddedWords
from tokviz.capture.running import Known, RunningCapture, capture, capture_together
from tokviz.capture.structure import Structure, find_structure
from tokviz.capture.sublayers import Sublayers, find_sublayers
from tokviz.capture.updates import Changes, measure_updates, mlp_matrices, n_neurons, words_to_run
