"""Where a model comes from (hub id, folder, GGUF file, installed package, the caller’s memory) → model and tokenizer, and its identity.

``locate``, ``check`` and ``identity`` read names, sizes and times only, so that a run with nothing to capture starts at once;
``load`` and ``describe`` import torch and transformers.
"""

from tokviz.models.callers_code import callers_code, callers_code_named
from tokviz.models.description import Description, describe, require_packages
from tokviz.models.device import require_device
from tokviz.models.downloads import is_downloaded_apart, is_kept_after, pin
from tokviz.models.failures import failing_alone
from tokviz.models.fingerprint import fingerprint, is_offloaded, require_values
from tokviz.models.hub import Once, kernels_unasked, try_to_connect
from tokviz.models.identity import identity, is_same
from tokviz.models.in_memory import AtHand, evaluated, lock_of, unwrapped, with_settings_of_its_own
from tokviz.models.libraries import load_libraries
from tokviz.models.limits import ended_after, is_apart, let_time_end_the_process
from tokviz.models.loading import Folders, LoadedModel, Use, check, load
from tokviz.models.location import Location, locate
from tokviz.models.quiet import quiet_transformers
from tokviz.models.sizes import Size, bytes_to_download, size
from tokviz.models.tokenizer_trial import refuse_too_many
from tokviz.models.untrained import TooLittleMemoryError, UntrainedModel
from tokviz.models.weights import weights_in_memory
