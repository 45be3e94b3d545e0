// Event, EventTarget, AbortController and AbortSignal: for snippets that stop their own work.
(native, kt) => {
  let begin;
  let stopped;
  class Event {
    #type;
    #cancelable;
    #target = null;
    #prevented = false;
    #stopped = false;
    static {
      begin = (event, target) => {
        event.#target = target;
        event.#stopped = false;
      };
      stopped = (event) => event.#stopped;
    }
    constructor(type, { cancelable = false } = {}) {
      this.#type = `${type}`;
      this.#cancelable = Boolean(cancelable);
    }
    get type() {
      return this.#type;
    }
    get target() {
      return this.#target;
    }
    get currentTarget() {
      return this.#target;
    }
    get cancelable() {
      return this.#cancelable;
    }
    get defaultPrevented() {
      return this.#prevented;
    }
    preventDefault() {
      this.#prevented = this.#cancelable;
    }
    stopPropagation() {}
    stopImmediatePropagation() {
      this.#stopped = true;
    }
  }

  class EventTarget {
    #listeners = [];
    addEventListener(type, listener, options) {
      if (listener === null || listener === undefined) return;
      const { once = false, signal } = typeof options === 'object' && options !== null ? options : {};
      const name = `${type}`;
      if (signal?.aborted || this.#listeners.some((l) => l.name === name && l.listener === listener)) return;
      this.#listeners.push({ name, listener, once });
      signal?.addEventListener('abort', () => this.removeEventListener(name, listener), { once: true });
    }
    removeEventListener(type, listener) {
      this.#listeners = this.#listeners.filter((l) => l.name !== `${type}` || l.listener !== listener);
    }
    dispatchEvent(event) {
      if (!(event instanceof Event)) throw new TypeError('dispatchEvent() needs an Event');
      begin(event, this);
      for (const entry of this.#listeners.filter((l) => l.name === event.type)) {
        // An earlier listener may have removed it.
        if (!this.#listeners.includes(entry)) continue;
        const { listener, once } = entry;
        if (once) this.removeEventListener(event.type, listener);
        try {
          if (typeof listener === 'function') listener.call(this, event);
          else listener.handleEvent(event);
        } catch (error) {
          kt.late(error, 'Uncaught in an event listener');
        }
        if (stopped(event)) break;
      }
      return !event.defaultPrevented;
    }
  }

  let make;
  let abort;
  const key = Symbol('AbortSignal');
  class AbortSignal extends EventTarget {
    #reason;
    // Kept until they fire: signals that end with this one.
    #dependent = [];
    onabort = null;
    static {
      make = () => new AbortSignal(key);
      abort = (signal, reason) => {
        if (signal.aborted) return;
        signal.#reason = reason === undefined ? new DOMException('the operation was aborted', 'AbortError') : reason;
        const event = new Event('abort');
        try {
          signal.onabort?.(event);
        } catch (error) {
          kt.late(error, 'Uncaught in an event listener');
        }
        signal.dispatchEvent(event);
        for (const other of signal.#dependent.splice(0)) abort(other, signal.#reason);
      };
    }
    constructor(given) {
      if (given !== key) throw new TypeError('use new AbortController().signal, or AbortSignal.timeout(ms)');
      super();
    }
    get aborted() {
      return this.#reason !== undefined;
    }
    get reason() {
      return this.#reason;
    }
    throwIfAborted() {
      if (this.aborted) throw this.#reason;
    }
    static abort(reason) {
      const signal = make();
      abort(signal, reason);
      return signal;
    }
    static timeout(ms) {
      const signal = make();
      kt.setTimer(kt.current, () => abort(signal, new DOMException(`${ms} ms have passed`, 'TimeoutError')), ms, false, []);
      return signal;
    }
    static any(signals) {
      const list = [...signals];
      const signal = make();
      const first = list.find((s) => s.aborted);
      if (first !== undefined) abort(signal, first.reason);
      else for (const s of list) s.#dependent.push(signal);
      return signal;
    }
  }

  class AbortController {
    #signal = make();
    get signal() {
      return this.#signal;
    }
    abort(reason) {
      abort(this.#signal, reason);
    }
  }

  kt.expose(Event, (event) => `Event { type: ${event.type} }`);
  kt.expose(AbortSignal, (signal) => (signal.aborted ? `AbortSignal { aborted: ${native.inspect(signal.reason)} }` : 'AbortSignal {}'));
  kt.expose(AbortController, () => 'AbortController {}');
  // Last, because signals are targets too. What a snippet makes of it prints as any object does.
  kt.expose(EventTarget);
};
