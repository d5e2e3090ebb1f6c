"""A real engine process without a model: it speaks the protocol over real pipes and does what its prompts say.

A prompt holds deeds such as `crash@1` (at the first attempt only) or `hold` (at every one); without any it renders.

    crash     die by SIGKILL         deaf   say nothing at all          hold   wait to be cancelled
    big       a master of 8 MB
    exit      die with status 7      mute   nothing after encoding      late   finish when cancelled
    freeze    SIGSTOP itself         stuck  nothing after the steps     fail   Failed, to be tried again
    nonsense  break the protocol     empty  Rendered, but no file       refuse Failed for good
    broken    Failed while loading   warm   the model is loaded already

It is written in plain JSON: a second opinion about the wire, and a process that starts in no time.
"""

import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any

MASTER = b"frames " * 1000
DEEDS = (
    "big",
    "broken",
    "crash",
    "deaf",
    "empty",
    "exit",
    "fail",
    "freeze",
    "hold",
    "late",
    "mute",
    "nonsense",
    "refuse",
    "stuck",
    "warm",
)

Message = dict[str, Any]


def option(name: str, default: str = "") -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


class Script:
    def __init__(self) -> None:
        self.renders: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.cancelled = threading.Event()
        self.write_fd = int(option("--write-fd"))

    def listen(self) -> None:
        with os.fdopen(int(option("--read-fd")), "rb") as pipe:
            for line in pipe:
                message = json.loads(line)
                if message["kind"] == "judge":
                    self.judge(message)
                elif message["kind"] == "render":
                    self.cancelled.clear()
                    self.renders.put(message)
                elif message["kind"] == "cancel":
                    self.cancelled.set()
                else:
                    break
        os._exit(0)

    def say(self, kind: str, **fields: Any) -> None:
        os.write(self.write_fd, json.dumps({"kind": kind, **fields}).encode() + b"\n")

    def judge(self, question: Message) -> None:
        """A tiny classifier: it says no to one word, and can't be asked about another."""
        if "unclear" in question["prompt"]:
            self.say("failed", job=question["job"], reason="The classifier broke.", again=False)
        else:
            refused = "forbidden" in question["prompt"]
            if "hasty" in question["prompt"]:
                self.say("rendered", job=question["job"], seconds={})
            category = "C1" if "grave" in question["prompt"] else "P1"
            opinion = {"category": category, "classifier": "a tiny one 1.0"} if refused else {}
            for _ in range(2 if "twice" in question["prompt"] else 1):
                self.say("judged", job=question["job"], refused=refused, **opinion)

    def render(self, order: Message) -> None:
        job, spec, deed = order["job"], order["spec"], deed_of(order)
        if deed == "deaf":
            return
        if deed != "warm":
            self.say("loading", job=job, model=spec["model"])
        if deed == "broken":
            self.say("failed", job=job, reason="The model is broken.", again=False)
            return
        self.say("encoding", job=job)
        if deed == "mute":
            return
        self.say("step", job=job, step=1, steps=spec["steps"], seconds=0.01)
        Path(order["preview"]).write_bytes(b"a preview")
        self.say("preview", job=job, step=1)
        self.misbehave(deed, job)
        if deed in ("", "big", "late", "empty", "stuck", "warm"):
            self.finish(order, deed)

    def misbehave(self, deed: str, job: str) -> None:
        if deed == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        elif deed == "exit":
            os._exit(7)
        elif deed == "freeze":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif deed == "nonsense":
            self.say("poem", job=job)
        elif deed in ("fail", "refuse"):
            self.say("failed", job=job, reason=f"The engine was told to {deed}.", again=deed == "fail")
        elif deed == "hold":
            self.cancelled.wait()
            self.say("cancelled", job=job)

    def finish(self, order: Message, deed: str) -> None:
        if deed == "late":
            self.cancelled.wait()
        if deed != "empty":
            Path(order["master"]).write_bytes(MASTER * 1200 if deed == "big" else MASTER)
        self.say("decoding", job=order["job"])
        if deed != "stuck":
            self.say("rendered", job=order["job"], seconds={"step": 0.01})


def deed_of(order: Message) -> str:
    for word in order["spec"]["prompt"].split():
        deed, _, attempt = word.partition("@")
        if deed in DEEDS and attempt in ("", str(order["attempt"])):
            return str(deed)
    return ""


def main() -> None:
    script = Script()
    start = option("--start", "ready")
    print("a library prints on standard output", flush=True)
    threading.Thread(target=script.listen, daemon=True).start()
    if start == "exit":
        os._exit(9)
    if start == "silent":
        threading.Event().wait()
    if start == "steps":
        script.say("step", job="none", step=1, steps=1, seconds=0.0)
    script.say("ready", device="cpu", device_name="Scripted CPU", memory_bytes=1 << 30, pid=os.getpid())
    while True:
        script.render(script.renders.get())


if __name__ == "__main__":
    main()
