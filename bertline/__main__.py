"""The entry point: Ctrl-C is understood before anything else is imported."""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130
_RETRY_SECONDS = 0.005
_IMPORTLIB = "<frozen importlib"


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a job in the background ignores it
            signal.signal(signal.SIGINT, _interrupt)
            signal.signal(signal.SIGALRM, _interrupt)
        from bertline.cli import run

        code = run()
    except KeyboardInterrupt:
        print("bertline: interrupted", file=sys.stderr)
        code = INTERRUPTED
    signal.setitimer(signal.ITIMER_REAL, 0)  # what ends now needs no interrupting
    if code == INTERRUPTED:
        # All is tidied up; Python's own way out would show a traceback if Ctrl-C were pressed again.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, or try again in a moment where it would be lost on the way."""
    importing = frame is not None and frame.f_code.co_filename.startswith(_IMPORTLIB)  # its callbacks raise nothing
    while frame is not None and not importing:
        # A module in C that imports another turns any exception into an ImportError, and up to Python 3.11 a class that
        # is being made turns one of its fields' into a RuntimeError.
        importing = type(frame.f_locals.get("self")).__name__ == "ExtensionFileLoader"
        importing = importing or frame.f_code.co_name == "__set_name__"
        frame = frame.f_back
    if not importing:
        raise KeyboardInterrupt
    signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)


if __name__ == "__main__":
    main()
