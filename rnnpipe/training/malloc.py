"""Options of the C library's memory allocator that suit training on CPUs."""

import ctypes
import sys

# The parameters' numbers in <malloc.h> of the GNU C library.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_AHEAD = 256 << 20  # bytes by which the heap grows at a time


def tune_malloc() -> bool:
    """Makes the C library reuse the memory of freed tensors instead of returning it.

    By default the GNU C library maps each block of more than 32 MiB anew, and gives back whatever
    is free at the heap's end. A training step asks for the same blocks as the one before, so the
    kernel clears the same pages at every step: a third of all the CPU time of a translator's
    training, whose logits are that large (`tools.bench.translation`). It holds for the whole
    process and all of its libraries, until its end; the highest memory in use grows by 15 to 25 %.

    `rnnpipe run` and `rnnpipe train` do so before they train. It is worth a line before any other
    training with Keras on CPUs.

    Returns:
        Whether the C library has these options.

    Example:
        >>> tuned = tune_malloc()
        >>> # model.fit(batches)
    """
    if not sys.platform.startswith("linux"):
        return False
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is None:
        return False
    # Without mappings of their own, large blocks come from the heap too. The numbers are ints of C.
    options = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: _AHEAD}
    return all(set_option(option, value) for option, value in options.items())
