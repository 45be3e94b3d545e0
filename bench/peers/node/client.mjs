// The peers from npm, as clients of `cargo xtask bench`: node client.mjs NAME PLACE.
// The workloads are those of bench/kit/src/work.rs, in the same order.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

// The packages lie in a cache directory, not next to this file.
const require = createRequire(process.env.KEEPTAB_BENCH_NODE_MODULES + "/");
const [name, placeText] = process.argv.slice(2);
const place = JSON.parse(placeText);

// Each adapter: open(url) → tab; attach(targetId) → tab; call(tab | null, method, params); on(tab, event, handler) → off().
const adapters = {
  async puppeteer() {
    const puppeteer = require("puppeteer-core");
    const browser = await puppeteer.connect({ browserWSEndpoint: place.ws, defaultViewport: null, protocolTimeout: 0 });
    const root = await browser.target().createCDPSession();
    return {
      async open(url) {
        const page = await browser.newPage();
        await page.goto(url);
        return page.createCDPSession();
      },
      // The one tab of the browser; the package tells no target id.
      attach: async () => (await browser.pages())[0].createCDPSession(),
      call: (tab, method, params) => (tab ?? root).send(method, params),
      on(tab, event, handler) {
        tab.on(event, handler);
        return () => tab.off(event, handler);
      },
    };
  },
  async playwright() {
    const { chromium } = require("playwright-core");
    const browser = await chromium.connectOverCDP(place.ws);
    const context = browser.contexts()[0];
    const root = await browser.newBrowserCDPSession();
    return {
      async open(url) {
        const page = await context.newPage();
        await page.goto(url);
        return context.newCDPSession(page);
      },
      attach: () => context.newCDPSession(context.pages()[0]),
      call: (tab, method, params) => (tab ?? root).send(method, params),
      on(tab, event, handler) {
        tab.on(event, handler);
        return () => tab.off(event, handler);
      },
    };
  },
  async "chrome-remote-interface"() {
    const CDP = require("chrome-remote-interface");
    const client = await CDP({ target: place.ws, local: true });
    return {
      async open(url) {
        const { targetId } = await client.send("Target.createTarget", { url });
        return this.attach(targetId);
      },
      attach: async (targetId) =>
        (await client.send("Target.attachToTarget", { targetId, flatten: true })).sessionId,
      call: (tab, method, params) => client.send(method, params, tab ?? undefined),
      on(tab, event, handler) {
        client.on(event, handler);
        return () => client.removeListener(event, handler);
      },
    };
  },
};

const client = await adapters[name]();
const evaluate = ["Runtime.evaluate", { expression: "1+1" }];
const now = () => performance.now() * 1000;
const whole = (begun, ops) => ({ wall_us: now() - begun, p50_us: null, ops });
const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

async function oneByOne(tab, [method, params], n) {
  const times = [];
  const begun = now();
  for (let i = 0; i < n; i++) {
    const begun = now();
    await client.call(tab, method, params);
    times.push(now() - begun);
  }
  return { ...whole(begun, n), p50_us: median(times) };
}

async function events(tab, event, n, trigger) {
  let came = 0;
  const off = await new Promise((resolve, reject) => {
    let replied = false;
    const off = client.on(tab, event, () => {
      came += 1;
      if (replied && came >= n) resolve(off);
    });
    client.call(tab, ...trigger).then(() => {
      replied = true;
      if (came >= n) resolve(off);
    }, reject);
  });
  off();
  if (came !== n) throw new Error(`${came} of ${n} events came`);
  return came;
}

const close = (tab) => client.call(tab, "Page.close", {}).catch(() => {});

const work = {
  evaluate: (tab, n) => oneByOne(tab, evaluate, n),
  version: (tab, n) => oneByOne(null, ["Browser.getVersion", {}], n),
  async pipelined(tab, n) {
    const begun = now();
    let left = n;
    const lane = async () => {
      while (left-- > 0) await client.call(tab, ...evaluate);
    };
    await Promise.all(Array.from({ length: 64 }, lane));
    return whole(begun, n);
  },
  string: (tab, n) => longString(tab, n, "x"),
  mixed_string: (tab, n) => longString(tab, n >> 3, "a\\u00e4\\n\\u20ac\\\"x"),
  async screenshot(tab) {
    const fill = "document.body.innerHTML = Array.from({ length: 20000 }, (_, i) => `<span style=\"color: hsl(${i}, 80%, 50%)\">word ${i}</span> `).join('')";
    await client.call(tab, "Runtime.evaluate", { expression: fill });
    const clip = { x: 0, y: 0, width: 1920, height: 8000, scale: 1 };
    const begun = now();
    await client.call(tab, "Page.captureScreenshot", { format: "png", captureBeyondViewport: true, clip });
    return whole(begun, 1);
  },
  async body(tab, mb) {
    await client.call(tab, "Network.enable", { maxTotalBufferSize: 200000000, maxResourceBufferSize: 100000000 });
    const expression = `fetch('/big?mb=${mb}').then(r => r.text()).then(t => t.length)`;
    let id;
    const off = client.on(tab, "Network.requestWillBeSent", (event) => (id ??= event.requestId));
    await client.call(tab, "Runtime.evaluate", { expression, awaitPromise: true });
    off();
    const begun = now();
    const { body } = await client.call(tab, "Network.getResponseBody", { requestId: id });
    const figures = whole(begun, 1);
    if (body.length < mb << 20) throw new Error(`only ${body.length} characters came`);
    await client.call(tab, "Network.disable", {});
    return figures;
  },
  async console(tab, n) {
    await client.call(tab, "Runtime.enable", {});
    const expression = `for (let i = 0; i < ${n}; i++) console.log('message', i, 'of a page')`;
    const begun = now();
    const came = await events(tab, "Runtime.consoleAPICalled", n, ["Runtime.evaluate", { expression }]);
    const figures = whole(begun, came);
    await client.call(tab, "Runtime.disable", {});
    await client.call(tab, "Runtime.discardConsoleEntries", {});
    return figures;
  },
  async network(tab, n) {
    await client.call(tab, "Network.enable", {});
    const trigger = ["Runtime.evaluate", { expression: `fetches(${n})`, awaitPromise: true }];
    const begun = now();
    const came = await events(tab, "Network.loadingFinished", n, trigger);
    const figures = whole(begun, came);
    await client.call(tab, "Network.disable", {});
    return figures;
  },
  async tabs(tab, n) {
    const begun = now();
    const ring = [];
    for (let i = 0; i < 50; i++) {
      ring.push(await client.open("about:blank"));
      await client.call(ring[i], ...evaluate);
    }
    const opened = now() - begun;
    const times = [];
    for (let i = 0; i < n; i++) {
      const begun = now();
      await client.call(ring[i % 50], ...evaluate);
      times.push(now() - begun);
    }
    for (const one of ring) await close(one);
    return { wall_us: opened, p50_us: median(times), ops: n };
  },
  async tree(tab, n) {
    const page = await client.open(`${place.site}/app?n=${n}`);
    const ready = "new Promise(r => document.readyState === 'complete' ? r(1) : onload = r)";
    await client.call(page, "Runtime.evaluate", { expression: ready, awaitPromise: true });
    await client.call(page, "Accessibility.getFullAXTree", {});
    const begun = now();
    await client.call(page, "Accessibility.getFullAXTree", {});
    const figures = whole(begun, 1);
    await close(page);
    return figures;
  },
};

async function longString(tab, n, unit) {
  await client.call(tab, "Runtime.evaluate", { expression: `window.long = '${unit}'.repeat(${n}); 0` });
  const begun = now();
  const { result } = await client.call(tab, "Runtime.evaluate", { expression: "window.long", returnByValue: true });
  const figures = whole(begun, 1);
  if (result.value.length < n) throw new Error(`only ${result.value.length} characters came`);
  await client.call(tab, "Runtime.evaluate", { expression: "window.long = 0" });
  return figures;
}

if (place.cold) {
  await client.call(await client.attach(place.target), ...evaluate);
  process.exit(0);
}
const tab = await client.open(`${place.site}/fetches`);
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  try {
    await client.call(tab, "Page.bringToFront", {});
    say(await work[order.work](tab, order.n));
  } catch (error) {
    say({ error: String(error?.message ?? error) });
  }
}
process.exit(0);
