"""The weights of a model at a strength, as a file that other programs read."""

from __future__ import annotations

import copy
from pathlib import Path

from torch import nn

from eigenshrink.data.write import new_file
from eigenshrink.errors import MissingExtra
from eigenshrink.trained import NetworkStudy


def save_weights(study: NetworkStudy, model: nn.Module, path: str | Path, alpha: float | None = None) -> Path:
    """Write the state of a model at ``w̃(α)`` as safetensors; the model itself is not changed.

    Parameters
    ----------
    study : NetworkStudy
    model : torch.nn.Module
        The one that was studied.
    path : path
        Replaced only when the new file is whole.
    alpha : float, optional
        None: as chosen.

    Raises
    ------
    InputError
        If the strength is not trusted, or the file cannot be written.
    MissingExtra
        If safetensors is not installed.
    """
    try:
        from safetensors.torch import save_model
    except ImportError as error:
        raise MissingExtra("safetensors", "torch") from error
    shown = study.apply_(copy.deepcopy(model), alpha)
    strength = study.alpha if alpha is None else alpha
    with new_file(path) as file:
        file.touch()  # a folder that cannot be written is refused in words, which safetensors has not
        save_model(shown, str(file), metadata={"alpha": repr(float(strength))})
    return Path(path)
