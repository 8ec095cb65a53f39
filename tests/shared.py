"""Where the folder shared with other projects is: beside the checkout, or as MERIT_SHARED says."""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent

SHARED = Path(os.environ.get("MERIT_SHARED", _ROOT.parent / "shared"))
if not SHARED.is_dir():
    raise FileNotFoundError(f"The tests read {SHARED}: put it there or set MERIT_SHARED.")
