"""The same work as the blog post's notebook did it: a forward pass per word with hooks, a new unlabelled 640×480 seaborn
figure per layer, and the grid in two columns. The baseline of ``cold_run.py``.

    python benchmarks/posts_own_way.py MODEL_FOLDER WORDS_JSON OUTPUT
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
import torch
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(model_folder: str, words_file: str, output: Path) -> None:
    words_by_category = json.loads(Path(words_file).read_text(encoding="utf-8"))
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()
    name = "smollm2-135m"
    modules = {"model.embed_tokens": model.model.embed_tokens}
    modules |= {f"model.layers.{index}": layer for index, layer in enumerate(model.model.layers)}

    captured: dict[str, torch.Tensor] = {}

    def keep(path: str) -> Callable[[torch.nn.Module, object, Any], None]:
        def hook(module: torch.nn.Module, inputs: object, output: Any) -> None:
            captured[path] = (output[0] if isinstance(output, tuple) else output).detach()

        return hook

    for path, module in modules.items():
        module.register_forward_hook(keep(path))

    states: dict[str, list[np.ndarray]] = {path: [] for path in modules}
    categories = []
    for category, words in words_by_category.items():
        for word in words:
            encoded = tokenizer(" " + word, return_tensors="pt")
            with torch.no_grad():
                model(**encoded)
            for path in modules:
                states[path].append(captured[path][0, -1].float().numpy())
            categories.append(category)

    for path in modules:
        scaled = StandardScaler().fit_transform(np.stack(states[path]))
        reduced = PCA(n_components=2).fit_transform(scaled)
        plt.figure(figsize=(6.4, 4.8))
        sns.scatterplot(x=reduced[:, 0], y=reduced[:, 1], hue=categories, palette="tab10")
        plt.title(f"{name} {path}")
        plt.savefig(output / f"{name}__{path}.webp")
        plt.close()

    embedding = np.stack(states["model.embed_tokens"])
    scaler = StandardScaler().fit(embedding)
    pca = PCA(n_components=2).fit(scaler.transform(embedding))
    rows = (len(modules) + 1) // 2
    figure, axes = plt.subplots(rows, 2, figsize=(12, 4 * rows))
    for axis, path in zip(axes.flat, modules, strict=False):
        reduced = pca.transform(scaler.transform(np.stack(states[path])))
        sns.scatterplot(x=reduced[:, 0], y=reduced[:, 1], hue=categories, palette="tab10", ax=axis, legend=False)
        axis.set_title(path)
    figure.tight_layout()
    figure.savefig(output / f"{name}_m.et.webp")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
