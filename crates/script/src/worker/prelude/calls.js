// Calls that leave the sandbox, their answers, and events that come in.
(native, kt) => {
  const pending = new Map();
  let next = 1;

  const track = (ctx, what, api, send) =>
    new Promise((resolve, reject) => {
      const error = kt.blank(api);
      const refuse = (message, hint) => reject(kt.fill(error, { kind: 'not_sent', message, hint }));
      if (ctx.aborted) return refuse(`${what} was not sent: this snippet has already ended`);
      if (pending.size >= native.inFlight) {
        return refuse(`${what} was not sent: ${pending.size} calls are waiting already`, 'await some of them first');
      }
      const id = next;
      next = next >= 0x7fffffff ? 1 : next + 1;
      pending.set(id, { ctx, what, resolve, reject, error });
      native.callOwner(id, ctx.id);
      send(id);
    });

  // A CDP command. `params` must be an object or nothing.
  kt.command = (ctx, method, params, target, timeoutMs, api) => {
    if (params !== undefined && params !== null && (typeof params !== 'object' || Array.isArray(params))) {
      throw kt.invalid(api, `${method} takes one object with its parameters, not ${native.inspect(params).slice(0, 60)}`, `keeptab spec ${method}`);
    }
    const json = params === undefined || params === null ? '{}' : JSON.stringify(params);
    const limit = timeoutMs === undefined ? -1 : Number(timeoutMs);
    if (Number.isNaN(limit)) throw kt.invalid(api, 'timeoutMs must be a number of milliseconds');
    return track(ctx, method, api, (id) => native.command(id, method, json, target ?? null, limit));
  };

  // Something other than a command that only the host can do.
  kt.ask = (ctx, what, request, api) => track(ctx, what, api, (id) => native.call(id, JSON.stringify(request)));

  kt.dropCalls = (ctx) => {
    const waiting = [];
    for (const [id, call] of pending) {
      if (call.ctx !== ctx) continue;
      waiting.push(call.what);
      pending.delete(id);
    }
    for (const waiter of waiters) {
      if (waiter.ctx !== ctx) continue;
      waiting.push(`waitFor ${waiter.method}`);
      waiters.delete(waiter);
    }
    listenAgain();
    return waiting;
  };

  const pageTrouble = (method, result) => {
    if (typeof result !== 'object' || result === null) return undefined;
    const thrown = result.exceptionDetails;
    if (thrown !== undefined && thrown !== null) {
      const text = thrown.exception?.description ?? (thrown.exception && 'value' in thrown.exception ? native.inspect(thrown.exception.value) : thrown.text);
      return { kind: 'page_exception', message: `exception in the page: ${text}` };
    }
    if (method === 'Page.navigate' && result.errorText) {
      return { kind: 'navigation_failed', message: `navigation failed: ${result.errorText}`, hint: 'the page did not load; check the address, or `keeptab status`' };
    }
    return undefined;
  };

  kt.settle = (id, ok, value) => {
    const call = pending.get(id);
    if (call === undefined) return;
    pending.delete(id);
    if (!ok) return call.reject(kt.fill(call.error, value));
    const trouble = pageTrouble(call.what, value);
    if (trouble !== undefined) {
      if (call.ctx.strict) return call.reject(kt.fill(call.error, { ...trouble, data: value }));
      native.log(kt.owner(call.ctx).id, `warning: ${trouble.message}\n`);
    }
    call.resolve(value);
  };

  // Events.
  const listeners = new Set();
  const waiters = new Set();
  let wanted = '';
  const listenAgain = () => {
    const methods = listeners.size > 0 ? [] : [...new Set([...waiters].map((w) => w.method))].sort();
    const json = JSON.stringify({ all: listeners.size > 0, methods });
    if (json === wanted || (wanted === '' && listeners.size + waiters.size === 0)) return;
    wanted = json;
    native.listen(json);
  };

  kt.onEvent = (ctx, fn, api) => {
    if (typeof fn !== 'function') throw kt.invalid(api, 'onEvent needs a function: onEvent((method, params, sessionId) => …)');
    const entry = { ctx, fn };
    listeners.add(entry);
    listenAgain();
    return () => {
      if (listeners.delete(entry)) listenAgain();
    };
  };

  kt.waitFor = (ctx, method, predicate, timeoutMs, api) => {
    if (typeof method !== 'string') throw kt.invalid(api, "waitFor needs an event's name: waitFor('Page.loadEventFired')");
    if (predicate !== undefined && predicate !== null && typeof predicate !== 'function') {
      throw kt.invalid(api, `the predicate of waitFor must be a function, not ${native.inspect(predicate).slice(0, 60)}`);
    }
    kt.checkEvent(method, api);
    const error = kt.blank(api);
    return new Promise((resolve, reject) => {
      if (!kt.connected) {
        return reject(kt.fill(error, { kind: 'not_connected', message: `cannot wait for ${method}: no browser is connected`, hint: 'await session.connect()' }));
      }
      const ms = Math.max(Number(timeoutMs) || 0, 0);
      const waiter = { ctx, method, predicate, error };
      const timer = kt.setTimer(ctx, () => {
        if (waiters.delete(waiter)) listenAgain();
        reject(kt.fill(error, { kind: 'deadline', message: `${method} did not come within ${ms} ms`, hint: `is its domain enabled? await session.${method.split('.')[0]}.enable()` }));
      }, ms, false, []);
      const over = (act) => {
        kt.clearTimer(timer);
        waiters.delete(waiter);
        listenAgain();
        act();
      };
      waiter.resolve = (params) => over(() => resolve(params));
      waiter.reject = (why) => over(() => reject(why));
      waiters.add(waiter);
      listenAgain();
    });
  };

  // One event; what one listener throws reaches neither the others nor the snippet.
  kt.event = ({ method, params, sessionId }) => {
    for (const waiter of [...waiters]) {
      if (waiter.method !== method) continue;
      kt.current = waiter.ctx.ended ? kt.background : waiter.ctx;
      try {
        if (waiter.predicate && !waiter.predicate(params, sessionId)) continue;
        waiter.resolve(params);
      } catch (error) {
        waiter.reject(error);
      }
    }
    for (const { ctx, fn } of [...listeners]) {
      kt.current = ctx.ended ? kt.background : ctx;
      try {
        const result = fn(method, params, sessionId);
        if (result instanceof Promise) result.catch((error) => kt.late(error, 'Uncaught in an event listener'));
      } catch (error) {
        kt.late(error, 'Uncaught in an event listener');
      }
    }
  };

  kt.link = ({ connected, lost }) => {
    kt.connected = connected;
    if (lost === null) return;
    for (const waiter of [...waiters]) {
      waiter.reject(kt.fill(waiter.error, { kind: 'not_connected', message: `gave up waiting for ${waiter.method}: ${lost}`, hint: 'keeptab status' }));
    }
  };
};
