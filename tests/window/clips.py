"""Clips made by FFmpeg."""

import os
import struct
import subprocess


def clip(path, seconds=12):
    """H.264 and AAC, as cameras and editors write it."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y"]
    command += ["-f", "lavfi", "-i", f"testsrc2=size=1280x720:rate=30:duration={seconds}"]
    command += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "60"]
    command += ["-c:a", "aac", "-movflags", "+faststart", str(path)]
    subprocess.run(command, check=True, timeout=120)
    return path


def large_clip(path, mebibytes):
    """The same, and large."""
    return pad(clip(path), mebibytes)


def pad(path, mebibytes):
    """Adds a box that players skip. No two of its blocks are equal, so that a part in a wrong place
    changes the checksum."""
    noise = os.urandom(1 << 20)
    with open(path, "ab") as file:
        # A box of more than 4 GiB needs the long form; ISO/IEC 14496-12, 4.2.
        file.write(struct.pack(">I4sQ", 1, b"free", 16 + mebibytes * len(noise)))
        for number in range(mebibytes):
            file.write(struct.pack(">Q", number) + noise[8:])
    return path
