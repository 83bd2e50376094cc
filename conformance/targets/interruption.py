"""Ctrl-C that is never lost: a signal can come where Python ignores what is raised.

Python raises KeyboardInterrupt wherever it happens to be, and only prints what is raised in a
finalizer or in a callback of the garbage collector; hypothesis has such a callback. So the signal
itself is remembered, and whoever asks later is interrupted then.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Heard:
    """Whether an interruption came since `heard` began, and whether somebody listens; whether it is put off,
    and whether one came meanwhile."""

    came = False
    listening = False
    putting_off = False
    was_put_off = False


@contextmanager
def heard() -> Iterator[None]:
    """Remember an interruption that comes meanwhile; inside another `heard` this does nothing.

    Only signals that raise KeyboardInterrupt are interruptions, and they still raise it. Outside
    the main thread there are no signals.
    """
    main = threading.current_thread() is threading.main_thread()
    if _Heard.listening or not main:
        yield
        return
    raising = [each for each in _SIGNALS if signal.getsignal(each) is signal.default_int_handler]
    _Heard.came, _Heard.listening = False, True
    for each in raising:
        signal.signal(each, _remember)
    told = sys.unraisablehook

    def tell(lost: sys.UnraisableHookArgs) -> None:
        if not (_Heard.came and issubclass(lost.exc_type, KeyboardInterrupt)):
            told(lost)

    sys.unraisablehook = tell
    try:
        yield
    finally:
        sys.unraisablehook = told
        for each in raising:
            signal.signal(each, signal.default_int_handler)
        _Heard.came = _Heard.listening = False


def _remember(number: int, frame: FrameType | None) -> None:
    _Heard.came = True
    if _Heard.putting_off:
        _Heard.was_put_off = True
        return
    signal.default_int_handler(number, frame)


@contextmanager
def put_off() -> Iterator[None]:
    """Raise an interruption that comes meanwhile at the end of this alone, so that what was begun is done.

    Only inside `heard`.
    """
    _Heard.putting_off = True
    try:
        yield
    finally:
        _Heard.putting_off = False
    if _Heard.was_put_off:
        _Heard.was_put_off = False
        raise KeyboardInterrupt


def came() -> bool:
    """Whether an interruption came, which may have been lost."""
    return _Heard.came


def raise_if_came() -> None:
    """Raise `KeyboardInterrupt` where one came."""
    if _Heard.came:
        raise KeyboardInterrupt
