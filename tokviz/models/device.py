"""Whether the device that models should run on is available."""

from __future__ import annotations

from tokviz.errors import DeviceError


def require_device(device: str) -> None:
    """Raise ``DeviceError`` when torch doesn't know ``device`` or doesn't find it on this machine."""
    import torch

    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError):
        wanted = torch.device("meta")
    if wanted.type == "meta":  # nothing is computed there
        raise DeviceError(f"--device: expected cpu, cuda, cuda:1 or mps, got {device!r}")
    if wanted.type == "cuda":
        n_found = torch.cuda.device_count()
        if n_found <= (wanted.index or 0):
            raise DeviceError(
                f"--device {device}: expected a GPU that torch can use, found {n_found}; take another, or --device cpu, or "
                "install a torch that was built for this machine's GPUs"
            )
    elif wanted.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError(f"--device {device}: expected a Mac whose GPU torch can use, found none; take --device cpu")
