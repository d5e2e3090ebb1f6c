"""`python -m generator doctor`: what this machine can render with, one line each, and what to do about the rest.

The device is looked at by the engine program itself, in a process of its own: a broken driver may take it down.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from db.config import Config
from db.records import Finding
from generator.catalogue import Entry, read_catalogue

ENGINE_SECONDS = 110.0


def examine(config: Config, engine: Sequence[str], *, as_json: bool) -> int:
    """Write the findings to standard output; 0 when all is well, 1 otherwise.

    As JSON: one object with `findings` (thing, well, sentence) and `engine` (what the engine program said).
    """
    said = _ask_engine(engine, config.generator.device)
    findings = [*_of_engine(said), *_of_models(config)]
    if as_json:
        report = {"findings": [asdict(finding) for finding in findings], "engine": said}
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        sys.stdout.writelines(f"{finding}\n" for finding in findings)
    return 0 if all(finding.well for finding in findings) else 1


def _ask_engine(engine: Sequence[str], device: str) -> dict[str, Any]:
    """What the engine program knows about this machine; only `problem` when it can't even say that."""
    try:
        done = subprocess.run(  # noqa: S603
            [*engine, "--doctor", "--device", device], capture_output=True, timeout=ENGINE_SECONDS, check=True
        )
        said = json.loads(done.stdout)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.decode(errors="replace").strip().splitlines() or ["it gave no reason"])[-1]
        return {"problem": f"the engine ends with status {error.returncode} ({last}): run `make setup` again."}
    except subprocess.TimeoutExpired:
        return {"problem": f"the engine did not answer within {ENGINE_SECONDS:.0f} s: look at the device's driver."}
    except (OSError, ValueError) as error:
        return {"problem": f"the engine can't be asked ({error}): run `make setup` again."}
    return dict(said)


def _of_engine(said: dict[str, Any]) -> list[Finding]:
    findings = []
    if "device_name" in said:
        gib = said.get("memory_bytes", 0) / 1024**3
        name = f"{said['device_name']} ({said['device']}), {said.get('dtype', '')}, {gib:.1f} GiB of memory free"
        findings.append(Finding("device", True, f"{name}."))
    if said.get("problem"):
        findings.append(Finding("engine", False, said["problem"]))
    return findings


def _of_models(config: Config) -> list[Finding]:
    catalogue = read_catalogue(config.generator)
    return [
        *(Finding(f"model {entry.name}", True, _describe(entry)) for entry in catalogue.entries),
        *(Finding("model", False, problem) for problem in catalogue.problems),
    ]


def _describe(entry: Entry) -> str:
    facts, defaults = entry.facts, entry.facts.defaults
    size = f"{defaults.frames} frames of {defaults.width}x{defaults.height}"
    where = "" if entry.folder is not None else "; it is downloaded when it is first asked for"
    return f"{facts.title}, {size}{where}."
