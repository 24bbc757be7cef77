"""The one thing that a window manager does for a person and xdotool does not: asking a window to
close, https://www.x.org/releases/X11R7.7/doc/xorg-docs/icccm/icccm.html#Window_Deletion."""

import ctypes

CLIENT_MESSAGE = 33


class ClientMessage(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
    ]


class Event(ctypes.Union):
    # As large as the largest of Xlib's events.
    _fields_ = [("client", ClientMessage), ("pad", ctypes.c_long * 24)]


def ask_to_close(window):
    xlib = ctypes.CDLL("libX11.so.6")
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(xlib.XOpenDisplay(None))
    atom = lambda name: xlib.XInternAtom(display, name, 0)  # noqa: E731
    event = Event()
    event.client.type = CLIENT_MESSAGE
    event.client.window = window
    event.client.message_type = atom(b"WM_PROTOCOLS")
    event.client.format = 32
    event.client.data[0] = atom(b"WM_DELETE_WINDOW")
    sent = xlib.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(event))
    xlib.XSync(display, 0)
    xlib.XCloseDisplay(display)
    assert sent, "the window cannot be asked to close"
