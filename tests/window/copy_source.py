"""Has files on the clipboard, as a file manager does.

copy_source.py FILE...; prints a line when they are there, and ends when its stdin closes."""

import sys
from pathlib import Path

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402


def main():
    uris = [Path(file).resolve().as_uri() for file in sys.argv[1:]]
    owner = Gtk.Invisible()
    Gtk.selection_add_target(owner, Gdk.SELECTION_CLIPBOARD, Gdk.Atom.intern("text/uri-list", False), 0)
    owner.connect("selection-get", lambda _w, data, _i, _t: data.set_uris(uris))
    assert Gtk.selection_owner_set(owner, Gdk.SELECTION_CLIPBOARD, Gdk.CURRENT_TIME)
    print("ready", flush=True)
    GLib.io_add_watch(sys.stdin, GLib.IO_HUP, lambda *_: Gtk.main_quit())
    Gtk.main()


main()
