"""cdp-use, as a client of `cargo xtask bench`: python client.py PLACE.

The workloads are those of bench/kit/src/work.rs, in the same order.
"""

import asyncio
import json
import sys
import time

from cdp_use.client import CDPClient

EVALUATE = ("Runtime.evaluate", {"expression": "1+1"})


def whole(begun, ops):
    return {"wall_us": (time.perf_counter() - begun) * 1e6, "p50_us": None, "ops": ops}


def median_us(times):
    return sorted(times)[len(times) // 2] * 1e6


class Work:
    def __init__(self, client, site):
        self.client = client
        self.site = site
        self.tab = None

    async def open(self, url):
        made = await self.client.send_raw("Target.createTarget", {"url": url})
        return await self.attach(made["targetId"])

    async def attach(self, target):
        params = {"targetId": target, "flatten": True}
        return (await self.client.send_raw("Target.attachToTarget", params))["sessionId"]

    async def call(self, method, params):
        return await self.client.send_raw(method, params, self.tab)

    async def close(self, tab):
        try:
            await self.client.send_raw("Page.close", {}, tab)
        except RuntimeError:
            pass

    async def one_by_one(self, tab, command, n):
        times = []
        begun = time.perf_counter()
        for _ in range(n):
            one = time.perf_counter()
            await self.client.send_raw(*command, tab)
            times.append(time.perf_counter() - one)
        return whole(begun, n) | {"p50_us": median_us(times)}

    async def evaluate(self, n):
        return await self.one_by_one(self.tab, EVALUATE, n)

    async def version(self, n):
        return await self.one_by_one(None, ("Browser.getVersion", {}), n)

    async def pipelined(self, n):
        left = n

        async def lane():
            nonlocal left
            while left > 0:
                left -= 1
                await self.call(*EVALUATE)

        begun = time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(64)))
        return whole(begun, n)

    async def string(self, n):
        return await self.long_string(n, "x")

    async def mixed_string(self, n):
        return await self.long_string(n // 8, 'a\\u00e4\\n\\u20ac\\"x')

    async def long_string(self, n, unit):
        await self.call("Runtime.evaluate", {"expression": f"window.long = '{unit}'.repeat({n}); 0"})
        begun = time.perf_counter()
        got = await self.call("Runtime.evaluate", {"expression": "window.long", "returnByValue": True})
        figures = whole(begun, 1)
        if len(got["result"]["value"]) < n:
            raise RuntimeError("the string is too short")
        await self.call("Runtime.evaluate", {"expression": "window.long = 0"})
        return figures

    async def screenshot(self, _):
        fill = (
            "document.body.innerHTML = Array.from({ length: 20000 }, (_, i) => "
            '`<span style="color: hsl(${i}, 80%, 50%)">word ${i}</span> `).join(\'\')'
        )
        await self.call("Runtime.evaluate", {"expression": fill})
        clip = {"x": 0, "y": 0, "width": 1920, "height": 8000, "scale": 1}
        begun = time.perf_counter()
        await self.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip})
        return whole(begun, 1)

    async def body(self, mb):
        await self.call(
            "Network.enable", {"maxTotalBufferSize": 200000000, "maxResourceBufferSize": 100000000}
        )
        ids = []
        self.client._event_registry.register(
            "Network.requestWillBeSent", lambda event, _: ids.append(event["requestId"])
        )
        expression = f"fetch('/big?mb={mb}').then(r => r.text()).then(t => t.length)"
        await self.call("Runtime.evaluate", {"expression": expression, "awaitPromise": True})
        self.client._event_registry.unregister("Network.requestWillBeSent")
        begun = time.perf_counter()
        got = await self.call("Network.getResponseBody", {"requestId": ids[0]})
        figures = whole(begun, 1)
        if len(got["body"]) < mb << 20:
            raise RuntimeError("the body is too short")
        await self.call("Network.disable", {})
        return figures

    async def events(self, event, n, trigger):
        came = 0
        all_there = asyncio.Event()

        def count(*_):
            nonlocal came
            came += 1
            if came >= n:
                all_there.set()

        self.client._event_registry.register(event, count)
        begun = time.perf_counter()
        await self.call(*trigger)
        await all_there.wait()
        figures = whole(begun, came)
        self.client._event_registry.unregister(event)
        if came != n:
            raise RuntimeError(f"{came} of {n} events came")
        return figures

    async def console(self, n):
        await self.call("Runtime.enable", {})
        code = f"for (let i = 0; i < {n}; i++) console.log('message', i, 'of a page')"
        figures = await self.events(
            "Runtime.consoleAPICalled", n, ("Runtime.evaluate", {"expression": code})
        )
        await self.call("Runtime.disable", {})
        await self.call("Runtime.discardConsoleEntries", {})
        return figures

    async def network(self, n):
        await self.call("Network.enable", {})
        trigger = ("Runtime.evaluate", {"expression": f"fetches({n})", "awaitPromise": True})
        figures = await self.events("Network.loadingFinished", n, trigger)
        await self.call("Network.disable", {})
        return figures

    async def tabs(self, n):
        begun = time.perf_counter()
        ring = []
        for _ in range(50):
            tab = await self.open("about:blank")
            await self.client.send_raw(*EVALUATE, tab)
            ring.append(tab)
        opened = time.perf_counter() - begun
        times = []
        for i in range(n):
            one = time.perf_counter()
            await self.client.send_raw(*EVALUATE, ring[i % 50])
            times.append(time.perf_counter() - one)
        for tab in ring:
            await self.close(tab)
        return {"wall_us": opened * 1e6, "p50_us": median_us(times), "ops": n}

    async def tree(self, n):
        tab = await self.open(f"{self.site}/app?n={n}")
        ready = "new Promise(r => document.readyState === 'complete' ? r(1) : onload = r)"
        await self.client.send_raw("Runtime.evaluate", {"expression": ready, "awaitPromise": True}, tab)
        await self.client.send_raw("Accessibility.getFullAXTree", {}, tab)
        begun = time.perf_counter()
        await self.client.send_raw("Accessibility.getFullAXTree", {}, tab)
        figures = whole(begun, 1)
        await self.close(tab)
        return figures


async def main():
    place = json.loads(sys.argv[1])
    async with CDPClient(place["ws"], max_ws_frame_size=1 << 30) as client:
        work = Work(client, place["site"])
        if place.get("cold"):
            work.tab = await work.attach(place["target"])
            await work.call(*EVALUATE)
            return
        work.tab = await work.open(f"{place['site']}/fetches")
        print('{"ready":true}', flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            order = json.loads(line)
            try:
                await work.call("Page.bringToFront", {})
                figures = await getattr(work, order["work"])(order["n"])
            except Exception as error:  # whatever a peer raises is its answer
                figures = {"error": str(error)}
            print(json.dumps(figures), flush=True)


asyncio.run(main())
