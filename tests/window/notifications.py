"""Takes the place of a desktop's notification daemon, and prints what it is told: a line of JSON each.
https://specifications.freedesktop.org/notification-spec/latest/protocol.html"""

import json

from gi.repository import Gio, GLib

NAME = "org.freedesktop.Notifications"
INTERFACE = Gio.DBusNodeInfo.new_for_xml(
    f"""<node><interface name="{NAME}">
    <method name="Notify">
      <arg direction="in" type="s"/><arg direction="in" type="u"/><arg direction="in" type="s"/>
      <arg direction="in" type="s"/><arg direction="in" type="s"/><arg direction="in" type="as"/>
      <arg direction="in" type="a{{sv}}"/><arg direction="in" type="i"/><arg direction="out" type="u"/>
    </method>
    <method name="GetCapabilities"><arg direction="out" type="as"/></method>
    <method name="GetServerInformation">
      <arg direction="out" type="s"/><arg direction="out" type="s"/>
      <arg direction="out" type="s"/><arg direction="out" type="s"/>
    </method>
    <method name="CloseNotification"><arg direction="in" type="u"/></method>
    </interface></node>"""
).interfaces[0]
ANSWERS = {
    "Notify": ("(u)", (1,)),
    "GetCapabilities": ("(as)", (["body"],)),
    "GetServerInformation": ("(ssss)", ("test", "test", "1", "1.2")),
    "CloseNotification": ("()", ()),
}


def on_call(_bus, _sender, _path, _interface, method, arguments, call):
    if method == "Notify":
        said = arguments.unpack()
        print(json.dumps({"title": said[3], "body": said[4]}), flush=True)
    kind, answer = ANSWERS[method]
    call.return_value(GLib.Variant(kind, answer))


def on_bus(bus, _name):
    bus.register_object("/org/freedesktop/Notifications", INTERFACE, on_call, None, None)


Gio.bus_own_name(Gio.BusType.SESSION, NAME, 0, on_bus, lambda *_: print('"ready"', flush=True), None)
GLib.MainLoop().run()
