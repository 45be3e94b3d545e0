// What snippets see of the browser: session, cdp, CDP and the helpers around them.
(native, kt) => {
  const domains = JSON.parse(native.domains());
  const domainSet = new Set(domains);
  // Domains that only the browser itself answers.
  const browserWide = new Set(['Browser', 'Target', 'SystemInfo', 'Tethering', 'Extensions']);
  // Names that the language looks up by itself on any value: an answer, not an error.
  const asked = new Set(['then', 'catch', 'finally', 'toJSON', 'toString', 'valueOf', 'constructor', 'prototype', 'length', 'name', 'message', 'stack', 'nodeType', 'asymmetricMatch', 'inspect', '__proto__', 'hasOwnProperty', 'isPrototypeOf', 'propertyIsEnumerable', 'toLocaleString']);

  const loaded = new Map();
  const load = (domain) => {
    let found = loaded.get(domain);
    if (found === undefined) {
      const { description, methods } = JSON.parse(native.domain(domain));
      found = { description, methods: new Set(methods) };
      loaded.set(domain, found);
    }
    return found;
  };

  const unknown = (api, what, name, near, show) =>
    kt.invalid(api, `there is no ${what} ${name}`, near === undefined ? 'keeptab spec lists what there is' : `did you mean ${show(near)}?`);

  kt.checkEvent = (method, api) => {
    const near = native.checkEvent(method);
    if (near !== undefined) throw unknown(api, 'event', method, near === '' ? undefined : near, (n) => n);
  };

  const route = (ctx, method, sessionId, api) => {
    if (sessionId !== undefined && sessionId !== null) return `${sessionId}`;
    if (sessionId === null || browserWide.has(method.slice(0, method.indexOf('.')))) return null;
    if (ctx.active !== undefined) return ctx.active;
    throw kt.fill(kt.blank(api), kt.connected
      ? { kind: 'invalid', message: `${method} needs a tab, and no tab is active`, hint: 'await session.use((await listPageTargets())[0].targetId), or cdp.attachToTarget({targetId}) and pass its sessionId' }
      : { kind: 'not_connected', message: `${method} was not sent: no browser is connected`, hint: 'await session.connect()' });
  };

  // `session.Page`. Methods are made when they are asked for: a domain has up to a hundred.
  const mountDomain = (own, domain) => {
    const { methods } = load(domain);
    const make = (name) => {
      const method = `${domain}.${name}`;
      const call = (params, options) => {
        const ctx = kt.owner(own);
        return kt.command(ctx, method, params, route(ctx, method, options?.sessionId, call), options?.timeoutMs, call);
      };
      return Object.defineProperty(call, 'name', { value: name });
    };
    const mount = (object, key) => {
      if (!Object.hasOwn(object, key) && methods.has(key)) object[key] = make(key);
    };
    const handler = {
      get(object, key) {
        mount(object, key);
        if (typeof key === 'symbol' || Object.hasOwn(object, key) || asked.has(key)) return object[key];
        throw unknown(handler.get, 'method', `${domain}.${key}`, native.nearest('command', `${domain}.${key}`), (n) => `session.${n}`);
      },
      has: (object, key) => key in object || methods.has(key),
      ownKeys: (object) => [...new Set([...methods, ...Reflect.ownKeys(object)])],
      getOwnPropertyDescriptor(object, key) {
        mount(object, key);
        return Reflect.getOwnPropertyDescriptor(object, key);
      },
    };
    return new Proxy({}, handler);
  };

  const targetHandle = (value, api) => {
    if (value === undefined || value === null || value === '') return undefined;
    const text = `${value}`;
    if (!text.startsWith('target:')) throw kt.invalid(api, `${text} is not a session handle`, 'a handle is "target:<targetId>", as session.use(targetId) returns it');
    return text;
  };

  const options = (value, api, what) => {
    if (value === undefined || value === null) return {};
    if (typeof value === 'string') return { wsUrl: value };
    if (typeof value !== 'object') throw kt.invalid(api, `${what} takes an object: {wsUrl}, {port, host} or {profileDir}`);
    const known = ['wsUrl', 'port', 'host', 'profileDir', 'browser', 'targetId', 'timeoutMs'];
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) throw kt.invalid(api, `${what} does not know the option ${key}`, `it knows ${known.join(', ')}`);
    }
    return value;
  };

  const setActive = (ctx, handle) => {
    ctx.active = handle;
    kt.background.active = handle;
    native.active(handle ?? null);
  };

  const makeSession = (own) => {
    const base = {
      async connect(opts) {
        const ctx = kt.owner(own);
        const request = options(opts, base.connect, 'session.connect');
        const { active } = await kt.ask(ctx, 'session.connect', { op: 'connect', options: request }, base.connect);
        kt.connected = true;
        ctx.active = active ?? undefined;
        kt.background.active = ctx.active;
      },
      async use(targetId) {
        const ctx = kt.owner(own);
        if (typeof targetId !== 'string' || targetId === '') throw kt.invalid(base.use, 'session.use needs a targetId', '(await listPageTargets())[0].targetId');
        const handle = await kt.ask(ctx, 'session.use', { op: 'use', targetId: targetId.replace(/^target:/, '') }, base.use);
        setActive(ctx, handle);
        return handle;
      },
      setActiveSession(handle) {
        setActive(kt.owner(own), targetHandle(handle, base.setActiveSession));
      },
      getActiveSession() {
        return kt.owner(own).active;
      },
      onEvent(fn) {
        return kt.onEvent(kt.owner(own), fn, base.onEvent);
      },
      waitFor(method, predicate, timeoutMs = 30000) {
        return kt.waitFor(kt.owner(own), method, predicate, timeoutMs, base.waitFor);
      },
      isConnected() {
        return kt.connected;
      },
      async close() {
        const ctx = kt.owner(own);
        await kt.ask(ctx, 'session.close', { op: 'close' }, base.close);
        kt.connected = false;
        setActive(ctx, undefined);
      },
    };
    const mounted = new Map();
    const handler = {
      get(object, key) {
        if (typeof key === 'symbol' || Object.hasOwn(object, key)) return object[key];
        if (domainSet.has(key)) {
          let domain = mounted.get(key);
          if (domain === undefined) {
            domain = mountDomain(own, key);
            mounted.set(key, domain);
          }
          return domain;
        }
        if (asked.has(key)) return object[key];
        // A name of ours, a domain, or a method whose domain was left out.
        const near = native.nearestOf(Object.keys(base), key) ?? native.nearest('domain', key) ?? native.nearest('command', key);
        throw unknown(handler.get, /^[A-Z]/.test(key) ? 'domain' : 'name', `session.${key}`, near, (n) => `session.${n}`);
      },
      has: (object, key) => key in object || domainSet.has(key),
      ownKeys: (object) => [...Reflect.ownKeys(object), ...domains],
      getOwnPropertyDescriptor(object, key) {
        if (Object.hasOwn(object, key)) return Reflect.getOwnPropertyDescriptor(object, key);
        return domainSet.has(key) ? { value: undefined, enumerable: true, configurable: true, writable: true } : undefined;
      },
    };
    return new Proxy(base, handler);
  };

  const makeCdp = (own) => {
    const object = (value, api, example) => {
      if (typeof value !== 'object' || value === null) throw kt.invalid(api, `it takes one object: ${example}`);
      return value;
    };
    const cdp = {
      send(request) {
        const { method, params, sessionId, timeoutMs } = object(request, cdp.send, "cdp.send({method: 'Page.enable', sessionId})");
        if (typeof method !== 'string' || !method.includes('.')) throw kt.invalid(cdp.send, "cdp.send needs a method such as 'Page.enable'");
        const ctx = kt.owner(own);
        return kt.command(ctx, method, params, route(ctx, method, sessionId, cdp.send), timeoutMs, cdp.send);
      },
      async attachToTarget(request) {
        const { targetId } = object(request, cdp.attachToTarget, 'cdp.attachToTarget({targetId})');
        if (typeof targetId !== 'string') throw kt.invalid(cdp.attachToTarget, 'cdp.attachToTarget needs a targetId', 'await listPageTargets()');
        const handle = await kt.ask(kt.owner(own), 'cdp.attachToTarget', { op: 'use', targetId: targetId.replace(/^target:/, '') }, cdp.attachToTarget);
        return { sessionId: handle };
      },
      async spec(request = {}) {
        const { query, domain, limit } = object(request, cdp.spec, "cdp.spec({query: 'screenshot'}) or cdp.spec({domain: 'Page'})");
        if (domain !== undefined) {
          const text = native.spec('domain', `${domain}`);
          if (text === undefined) throw unknown(cdp.spec, 'domain', `${domain}`, native.nearest('domain', `${domain}`), (n) => n);
          return JSON.parse(text);
        }
        if (query !== undefined) return JSON.parse(native.search(`${query}`, Number(limit) || 20));
        return { domains: domains.map((name) => ({ name, description: load(name).description })) };
      },
      waitFor(request) {
        const { event, predicate, timeoutMs = 30000, sessionId } = object(request, cdp.waitFor, "cdp.waitFor({event: 'Page.loadEventFired'})");
        const match = sessionId === undefined ? predicate : (params, from) => from === sessionId && (!predicate || predicate(params, from));
        return kt.waitFor(kt.owner(own), event, match, timeoutMs, cdp.waitFor);
      },
      on(request) {
        const { event, listener } = object(request, cdp.on, "cdp.on({event: 'Network.requestWillBeSent', listener: (params) => …})");
        if (typeof listener !== 'function') throw kt.invalid(cdp.on, 'cdp.on needs a listener function');
        kt.checkEvent(event, cdp.on);
        return kt.onEvent(kt.owner(own), (method, params, sessionId) => (method === event ? listener(params, sessionId) : undefined), cdp.on);
      },
      sleep(ms) {
        const wait = typeof ms === 'object' && ms !== null ? ms.ms : ms;
        return new Promise((resolve) => kt.setTimer(kt.owner(own), resolve, wait, false, []));
      },
    };
    return cdp;
  };

  const listPageTargets = async () => {
    const { targetInfos } = await kt.command(kt.current, 'Target.getTargets', {}, null, undefined, listPageTargets);
    return targetInfos.filter((t) => t.type === 'page' && !t.url.startsWith('chrome://') && !t.url.startsWith('devtools://'));
  };

  const makeAssigned = (own, session) => {
    const connectToAssignedTarget = async () => {
      const ctx = kt.owner(own);
      const { targetId, port } = ctx.assigned;
      if (targetId === undefined && port === undefined) {
        throw kt.invalid(connectToAssignedTarget, 'no target is assigned: neither BU_TARGET_ID nor BU_CDP_PORT is set', 'set them for this command, or await session.connect()');
      }
      if (port !== undefined) await session.connect({ port });
      else if (!kt.connected) await session.connect();
      const wanted = targetId ?? (await listPageTargets())[0]?.targetId;
      if (wanted === undefined) throw kt.fill(kt.blank(connectToAssignedTarget), { kind: 'invalid', message: 'the assigned browser has no page', hint: "await session.Target.createTarget({url: 'about:blank'})" });
      const handle = await session.use(wanted);
      await Promise.all(['Page', 'DOM', 'Runtime', 'Network'].map((domain) => session[domain].enable()));
      return handle;
    };
    return connectToAssignedTarget;
  };

  // Names and docs, for reading: CDP.Page, CDP.Page.navigate.
  const docs = new Map();
  const CDP = new Proxy({}, {
    get(object, key) {
      if (typeof key === 'symbol' || asked.has(key)) return object[key];
      if (!domainSet.has(key)) throw unknown(undefined, 'domain', `CDP.${key}`, native.nearest('domain', key), (n) => `CDP.${n}`);
      let entry = docs.get(key);
      if (entry === undefined) {
        const { description, commands, events, types } = JSON.parse(native.spec('domain', key));
        entry = { description };
        for (const item of types ?? []) entry[item.id] = item;
        for (const item of events ?? []) entry[item.name] = item;
        for (const item of commands ?? []) entry[item.name] = item;
        docs.set(key, entry);
      }
      return entry;
    },
    has: (_, key) => domainSet.has(key),
    ownKeys: () => [...domains],
    getOwnPropertyDescriptor: (_, key) => (domainSet.has(key) ? { value: undefined, enumerable: true, configurable: true, writable: true } : undefined),
  });

  // The names of the wrapper around every snippet, in order, and their values for one eval. Some hundred functions
  // come with them, so those that the snippet cannot reach are left out.
  kt.locals = (ctx, reaches) => {
    const session = reaches[1] || reaches[3] ? makeSession(ctx) : undefined;
    return [
      reaches[0] ? kt.makeConsole(ctx) : undefined,
      session,
      reaches[2] ? makeCdp(ctx) : undefined,
      reaches[3] ? makeAssigned(ctx, session) : undefined,
    ];
  };

  const session = makeSession(undefined);
  const detectBrowsers = async () => kt.ask(kt.current, 'detectBrowsers', { op: 'browsers' }, detectBrowsers);
  const resolveWsUrl = async (opts) => kt.ask(kt.current, 'resolveWsUrl', { op: 'resolve', options: options(opts, resolveWsUrl, 'resolveWsUrl') }, resolveWsUrl);
  Object.assign(globalThis, { session, cdp: makeCdp(undefined), CDP, listPageTargets, detectBrowsers, resolveWsUrl, connectToAssignedTarget: makeAssigned(undefined, session) });
};
