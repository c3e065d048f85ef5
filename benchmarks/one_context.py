"""tokviz on the work of ``posts_own_way.py``: one context, one projection, nothing cached.

python benchmarks/one_context.py CONFIG WORK_FOLDER FORM …     which renditions: wide, phone, draft
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))


def main(config: Path, work: Path, forms: tuple[str, ...]) -> None:
    from tokviz.config import load
    from tokviz.run import pipeline
    from tokviz.run.plan.options import Options
    from tokviz.run.work.progress import Quiet

    options = Options(base=config.parent, output=work / "site", cache=work / "cache", forms=forms)
    pipeline.run(load(config), options, Quiet())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), tuple(sys.argv[3:]))
