"""Arrays as text, for the state of an evaluation: a tenth of what JSON's numbers take."""

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_QUICK = 1  # of zlib's levels: it is done after each window


def packed(array: NDArray[Any], kind: str) -> str:
    """Base64 of the zlib-compressed values, as numpy's `kind` (`<i4`, say)."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array, kind).tobytes(), _QUICK)).decode()


def unpacked(text: str, kind: str) -> NDArray[Any]:
    """The values, flat; ValueError where the text is none."""
    try:
        return np.frombuffer(zlib.decompress(base64.b64decode(text, validate=True)), kind).copy()
    except zlib.error as error:
        raise ValueError(str(error)) from None
