"""One fuzz target in a process of its own: `python -m tests.fuzz.one NAME FINDINGS [libFuzzer's options] CORPUS`.

An error that the parser may not raise is kept once per place in FINDINGS, and the run goes on; a crash of native code,
a hang or too much memory ends it, and libFuzzer keeps the input. Given a file instead of a corpus, it is tried alone.
"""

import hashlib
import sys
import traceback
from pathlib import Path

_SLOW = ("yaml", "zipfile", "tarfile", "pickletools")
"""Pure Python that decides how far an input gets, and so is watched like our own."""


def main() -> None:
    """Fuzz one target, or replay one file."""
    import atheris

    name, findings, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["ghostface_edge", *_SLOW], enable_loader_override=False):
        from ghostface_edge.reports.errors import InputError, ToolError

        from . import mutators, targets

        target = targets.TARGETS[name]
        parse = target.prepare()
    allowed = (InputError, ToolError) if name == "qdq" else InputError  # the view's ToolErrors say: export again
    folder = Path(findings)
    folder.mkdir(parents=True, exist_ok=True)

    def once(data: bytes) -> None:
        try:
            parse(data)
        except allowed:
            return
        except BaseException as error:
            place = _place(error)
            kept = folder / f"{type(error).__name__}-{hashlib.sha256(place.encode()).hexdigest()[:12]}"
            if not kept.exists():
                kept.write_bytes(data)
                kept.with_name(f"{kept.name}.txt").write_text(_short_trace(error))
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise

    structured = {} if target.mutate is mutators.bytewise else {"custom_mutator": target.mutate}
    atheris.Setup([sys.argv[0], *options], once, **structured)
    atheris.Fuzz()


def _place(error: BaseException) -> str:
    """Where it was raised: the deepest frame of our own, and the deepest of all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "ghostface_edge" in frame.filename] or frames
    return f"{type(error).__name__} {ours[-1].filename}:{ours[-1].lineno} {frames[-1].name}"


def _short_trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-12))[-6_000:]


if __name__ == "__main__":
    main()
