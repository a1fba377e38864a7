"""How tests write sounds, by any codec that PyAV has."""

import wave
from pathlib import Path

import av
import numpy as np


def tone(seconds=1.0, rate=16000, hertz=440.0, level=0.5):
    """A sine, float32 `(samples,)`."""
    times = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def write_wav(path: Path, samples, rate=16000) -> Path:
    """Writes samples from -1 to 1, `(samples,)` or `(samples, channels)`, as 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = np.clip(np.rint(np.asarray(samples) * 32768), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if stored.ndim == 1 else stored.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(stored.tobytes())
    return path


def encode(path: Path, samples, rate=16000, codec="flac", gap=0, **options) -> Path:
    """Writes samples, `(samples,)` or `(samples, channels)`, with a codec of FFmpeg.

    With a `gap`, in seconds, the second half comes later by as much.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = np.atleast_2d(np.asarray(samples, np.float32).T)
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(channels)]
    with av.open(str(path), "w", **options) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        form = stream.codec_context.format.name
        resampler = av.AudioResampler(format=form, layout=layout, rate=rate)
        half = channels.shape[1] // 2
        for start, part in ((0, channels[:, :half]), (half, channels[:, half:])):
            for at in range(0, part.shape[1], 1024):
                piece = np.ascontiguousarray(part[:, at : at + 1024])
                frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
                frame.sample_rate = rate
                frame.pts = start + at + (round(gap * rate) if start else 0)
                for converted in resampler.resample(frame):
                    container.mux(stream.encode(converted))
        for converted in resampler.resample(None):
            container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    return path
