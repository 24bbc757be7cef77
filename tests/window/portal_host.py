"""Takes the place of a desktop's settings portal: says the colours that are preferred, and others with every
line it reads, which it confirms: 0 for none, 1 for dark, 2 for light.
https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.Settings.html"""

import sys

from gi.repository import Gio, GLib

NAME = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
SETTINGS = "org.freedesktop.portal.Settings"
COLOURS = ("org.freedesktop.appearance", "color-scheme")
INTERFACE = Gio.DBusNodeInfo.new_for_xml(
    f"""<node><interface name="{SETTINGS}">
    <method name="Read"><arg direction="in" type="s"/><arg direction="in" type="s"/>
    <arg direction="out" type="v"/></method>
    <signal name="SettingChanged"><arg type="s"/><arg type="s"/><arg type="v"/></signal>
    </interface></node>"""
).interfaces[0]
preferred = int(sys.argv[1])


def on_call(_bus, _sender, _path, _interface, _method, arguments, call):
    if arguments.unpack() == COLOURS:
        # In one variant more than newer portals' ReadOne has.
        colours = GLib.Variant("v", GLib.Variant("u", preferred))
        call.return_value(GLib.Variant("(v)", (colours,)))
    else:
        call.return_dbus_error("org.freedesktop.portal.Error.NotFound", "no such setting")


def on_line(*_):
    global preferred
    line = sys.stdin.readline()
    if not line:
        loop.quit()
        return False
    preferred = int(line)
    said = GLib.Variant("(ssv)", (*COLOURS, GLib.Variant("u", preferred)))
    bus.emit_signal(None, PATH, SETTINGS, "SettingChanged", said)
    print('"said"', flush=True)
    return True


bus = Gio.bus_get_sync(Gio.BusType.SESSION)
bus.register_object(PATH, INTERFACE, on_call, None, None)
Gio.bus_own_name_on_connection(bus, NAME, 0, lambda *_: print('"ready"', flush=True), None)
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN | GLib.IO_HUP, on_line)
loop.run()
