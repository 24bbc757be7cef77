"""Takes the place of a desktop's tray: lets icons register, prints the menu of the first one on a line
of JSON whenever it reads a line, and presses the entry that the line names.
https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/"""

import json
import sys

from gi.repository import Gio, GLib

NAME = "org.kde.StatusNotifierWatcher"
MENU = "com.canonical.dbusmenu"
INTERFACE = Gio.DBusNodeInfo.new_for_xml(
    f"""<node><interface name="{NAME}">
    <method name="RegisterStatusNotifierItem"><arg direction="in" type="s"/></method>
    <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
    <property name="ProtocolVersion" type="i" access="read"/>
    </interface></node>"""
).interfaces[0]
items = []


def on_call(_bus, sender, _path, _interface, _method, arguments, call):
    [path] = arguments.unpack()
    items.append((sender, path))
    call.return_value(None)


def on_get(_bus, _sender, _path, _interface, name):
    return GLib.Variant("b", True) if name.startswith("Is") else GLib.Variant("i", 0)


def ask(interface, path, method, arguments, kind):
    sender = items[-1][0]
    answer = bus.call_sync(
        sender, path, interface, method, arguments, GLib.VariantType(kind), 0, 10_000, None
    )
    return answer.unpack()


def entries(node):
    number, properties, children = node
    found = [{"id": number, **properties}] if properties.get("label") else []
    for child in children:
        found += entries(child)
    return found


def menu():
    item = items[-1][1]
    get = GLib.Variant("(ss)", ("org.kde.StatusNotifierItem", "Menu"))
    [path] = ask("org.freedesktop.DBus.Properties", item, "Get", get, "(v)")
    ask(MENU, path, "AboutToShow", GLib.Variant("(i)", (0,)), "(b)")
    layout = GLib.Variant("(iias)", (0, -1, ["label", "enabled"]))
    _, root = ask(MENU, path, "GetLayout", layout, "(u(ia{sv}av))")
    return path, entries(root)


def on_line(*_):
    label = sys.stdin.readline()
    if not label:
        loop.quit()
        return False
    if not items:
        print("[]", flush=True)
        return True
    path, shown = menu()
    for entry in shown:
        if entry["label"] == label.strip():
            event = GLib.Variant("(isvu)", (entry["id"], "clicked", GLib.Variant("i", 0), 0))
            ask(MENU, path, "Event", event, "()")
    print(json.dumps([[entry["label"], entry.get("enabled", True)] for entry in shown]), flush=True)
    return True


bus = Gio.bus_get_sync(Gio.BusType.SESSION)
bus.register_object("/StatusNotifierWatcher", INTERFACE, on_call, on_get, None)
Gio.bus_own_name_on_connection(bus, NAME, 0, lambda *_: print('"ready"', flush=True), None)
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN | GLib.IO_HUP, on_line)
loop.run()
