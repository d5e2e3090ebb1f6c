"""URL TEMP BYTES: keep TEMP while no file of this process may grow over BYTES; print the error's kind."""

import asyncio
import resource
import signal
import sys
from pathlib import Path

from db.clip_files import ClipFiles
from db.errors import StoreError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write shall fail with EFBIG instead
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    asyncio.run(ClipFiles(sys.argv[1]).keep(Path(sys.argv[2]), "clip1", ".mkv"))
except StoreError as error:
    print(type(error).__name__)
