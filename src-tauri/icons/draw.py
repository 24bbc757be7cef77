#!/usr/bin/python3
"""Draws the icons from mark.svg: PNG, and the containers that Windows and macOS want around it.

Debian: apt-get install python3-gi gir1.2-gdkpixbuf-2.0 librsvg2-common"""

import struct
from pathlib import Path

import gi

gi.require_version("GdkPixbuf", "2.0")
from gi.repository import GdkPixbuf  # noqa: E402

FOLDER = Path(__file__).parent
PNG = [16, 24, 32, 48, 64, 128, 256, 512]
# What a size is called in an .icns file.
ICNS = {b"ic11": 32, b"ic12": 64, b"ic07": 128, b"ic08": 256, b"ic09": 512}


def draw(size: int) -> bytes:
    mark = GdkPixbuf.Pixbuf.new_from_file_at_size(str(FOLDER / "mark.svg"), size, size)
    done, png = mark.save_to_bufferv("png", [], [])
    assert done
    return png


def ico(sizes: list[int]) -> bytes:
    images = [draw(size) for size in sizes]
    offset = 6 + 16 * len(images)
    head, body = struct.pack("<HHH", 0, 1, len(images)), b""
    for size, image in zip(sizes, images):
        # 256 is written as 0.
        edge = size % 256
        head += struct.pack("<BBBBHHII", edge, edge, 0, 0, 1, 32, len(image), offset + len(body))
        body += image
    return head + body


def icns() -> bytes:
    images = [(kind, draw(size)) for kind, size in ICNS.items()]
    body = b"".join(kind + struct.pack(">I", 8 + len(image)) + image for kind, image in images)
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


for size in PNG:
    (FOLDER / f"{size}x{size}.png").write_bytes(draw(size))
(FOLDER / "icon.ico").write_bytes(ico([16, 32, 48, 256]))
(FOLDER / "icon.icns").write_bytes(icns())
