#!/usr/bin/env python3
"""A browser that speaks CDP on descriptors 3 and 4 and misbehaves when told to."""
import json, os, signal, sys, threading, time

mode = next((a.split("=", 1)[1] for a in sys.argv if a.startswith("--fake=")), "")
if mode == "dies":
    sys.stderr.write("fake: cannot start without --no-sandbox\n")
    sys.exit(7)
if mode == "stubborn":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.stderr.write("fake: hello from stderr\n")
sys.stderr.flush()

lock = threading.Lock()
seen = []
broken = 0
effects = 0


def say(message):
    data = message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode()
    with lock:
        raw(data + b"\0")


def raw(data):
    view = memoryview(data)
    while view:
        view = view[os.write(4, view):]


def half(n, params):
    text = json.dumps({"id": n, "result": {"text": "h" * params["size"]}}, separators=(",", ":")).encode() + b"\0"
    with lock:
        raw(text[: len(text) // 2])
        time.sleep(params["ms"] / 1000)
        raw(text[len(text) // 2:])


def handle(message):
    global effects
    n, method, params = message["id"], message["method"], message.get("params", {})
    if n:
        seen.append(n)
    if method == "Browser.getVersion":
        if mode != "mute":
            say({"id": n, "result": {"protocolVersion": "1.3", "product": "Fake/1.0"}})
    elif method == "Browser.close":
        if mode != "stubborn":
            say({"id": n, "result": {}})
            os._exit(0)
    elif method == "Fake.seen":
        say({"id": n, "result": {"seen": seen, "broken": broken, "effects": effects}})
    elif method == "Fake.silent":
        pass
    elif method == "Fake.later":
        timer = threading.Timer(params["ms"] / 1000, say, [{"id": n, "result": {"late": True}}])
        timer.daemon = True
        timer.start()
    elif method == "Fake.events":
        filler = "e" * params["size"]
        for i in range(params["count"]):
            say({"method": "Fake.event", "params": {"n": i, "filler": filler}})
        say({"id": n, "result": {}})
    elif method == "Fake.dialog":
        event = {"method": "Page.javascriptDialog" + params["what"], "params": {"message": params["message"]}}
        timer = threading.Timer(params["ms"] / 1000, say, [dict(event, sessionId=params["session"])])
        timer.daemon = True
        timer.start()
    elif method == "Fake.big":
        say({"id": n, "result": {"text": "b" * params["size"]}})
    elif method == "Fake.half":
        half(n, params)
    elif method == "Fake.sleep":
        time.sleep(params["ms"] / 1000)
        say({"id": n, "result": {}})
    elif method == "Fake.die":
        sys.stderr.write("fake: last words\n")
        sys.stderr.flush()
        say({"id": n, "result": {"dying": True}})
        os._exit(params["code"])
    else:
        effects += method == "Fake.effect"
        say({"id": n, "result": {"length": len(json.dumps(params))}})


buffer = b""
while True:
    chunk = os.read(3, 1 << 20)
    if not chunk:
        break
    *messages, buffer = (buffer + chunk).split(b"\0") if b"\0" in chunk else (buffer + chunk,)
    for message in messages:
        try:
            handle(json.loads(message))
        except ValueError:
            broken += 1
            say({"error": {"code": -32700, "message": "not JSON"}})
if mode == "stubborn":
    time.sleep(600)
