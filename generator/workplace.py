"""Where a runner's files lie while it works: `work/<runner>/<job>-<attempt>/` and `previews/<job>.webp`."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from db.records import Lease
from generator.errors import GeneratorError


@dataclass(frozen=True, slots=True)
class Bench:
    """The files of one attempt. The engine writes both; we take them away."""

    folder: Path
    master: Path
    preview: Path

    def open(self) -> None:
        """Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.preview.parent.mkdir(parents=True, exist_ok=True)

    def clear(self) -> None:
        """Remove everything of this attempt."""
        shutil.rmtree(self.folder, ignore_errors=True)
        _remove_preview(self.preview.parent, self.preview.stem)


class Workplace:
    """The folders of the runner `name` below the data folder."""

    def __init__(self, data: Path, name: str) -> None:
        self._work = data.resolve() / "work" / name
        self._previews = data.resolve() / "previews"

    def open(self) -> None:
        """Make the folders, empty of what a former life left. Raises GeneratorError when they can't be written."""
        try:
            shutil.rmtree(self._work, ignore_errors=True)
            self._work.mkdir(parents=True, exist_ok=True)
            self._previews.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GeneratorError(
                f"The folder {self._work} can't be written ({error.strerror}); "
                "make it writable or choose another one with --data."
            ) from error

    def bench(self, lease: Lease) -> Bench:
        """The place for one attempt, not made yet."""
        folder = self._work / f"{lease.job.id}-{lease.attempt}"
        return Bench(folder, folder / "master.mkv", self._previews / f"{lease.job.id}.webp")

    def sweep_previews(self, rendering: AbstractSet[str]) -> None:
        """Remove the previews of all jobs but those in `rendering`."""
        for stem in {path.name.lstrip(".").partition(".")[0] for path in self._previews.iterdir()} - rendering:
            _remove_preview(self._previews, stem)


def measure(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and size in bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _remove_preview(folder: Path, job: str) -> None:
    # A killed engine may leave the temporary file it was about to rename.
    for path in (*folder.glob(f"{job}.*"), *folder.glob(f".{job}.*")):
        path.unlink(missing_ok=True)
