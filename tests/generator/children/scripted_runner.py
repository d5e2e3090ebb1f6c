"""`python -m generator` with the scripted engine in its seat."""

from __future__ import annotations

import sys
from pathlib import Path

from generator.__main__ import main

if __name__ == "__main__":
    sys.exit(main(engine=(sys.executable, "-I", "-S", str(Path(__file__).with_name("scripted_engine.py")))))
