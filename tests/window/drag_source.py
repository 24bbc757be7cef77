"""A small window that offers files to whoever they are dragged to, as a file manager does.

drag_source.py X Y FILE...; prints a line when it is there, and ends when its stdin closes."""

import sys
from pathlib import Path

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

SIZE = 100


def main():
    x, y = int(sys.argv[1]), int(sys.argv[2])
    uris = [Path(file).resolve().as_uri() for file in sys.argv[3:]]
    window = Gtk.Window(title="Drag source")
    window.set_default_size(SIZE, SIZE)
    window.move(x, y)
    box = Gtk.EventBox()
    box.drag_source_set(Gdk.ModifierType.BUTTON1_MASK, [], Gdk.DragAction.COPY)
    box.drag_source_add_uri_targets()
    box.connect("drag-data-get", lambda _w, _c, data, _i, _t: data.set_uris(uris))
    window.add(box)
    window.show_all()
    window.connect("map-event", lambda *_: print("ready", flush=True))
    GLib.io_add_watch(sys.stdin, GLib.IO_HUP, lambda *_: Gtk.main_quit())
    Gtk.main()


main()
