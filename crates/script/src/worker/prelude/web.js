// The small web platform: text encoding, structuredClone, crypto. What the engine has itself (atob, btoa,
// queueMicrotask, performance, DOMException) is left as it is; url.js and events.js have the rest.
(native, kt) => {
  const define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
  native.lazy.forEach((names, file) => {
    for (const name of names) {
      const get = () => {
        native.load(file);
        return globalThis[name];
      };
      Object.defineProperty(globalThis, name, { get, set: (value) => define(name, value), enumerable: false, configurable: true });
    }
  });

  // Classes whose inside JavaScript does not see: not cloned, and printed by `show`, if there is one.
  kt.opaque = [];
  kt.expose = (type, show) => {
    // What a snippet has put in its place stays.
    if (Object.getOwnPropertyDescriptor(globalThis, type.name)?.get !== undefined) define(type.name, type);
    Object.defineProperty(type.prototype, Symbol.toStringTag, { value: type.name, configurable: true });
    kt.opaque.push({ type, show });
  };
  // Shared memory has no use with one thread, and gives attackers a clock.
  delete globalThis.SharedArrayBuffer;
  delete globalThis.Atomics;

  const utf8Labels = new Set(['utf-8', 'utf8', 'unicode-1-1-utf-8']);
  class TextEncoder {
    get encoding() {
      return 'utf-8';
    }
    encode(text = '') {
      return native.encodeUtf8(`${text}`.toWellFormed());
    }
    encodeInto(text, target) {
      let read = 0;
      let written = 0;
      for (const char of `${text}`.toWellFormed()) {
        const bytes = native.encodeUtf8(char);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += char.length;
      }
      return { read, written };
    }
  }
  class TextDecoder {
    #fatal;
    #keepMark;
    #rest = [];
    constructor(label = 'utf-8', { fatal = false, ignoreBOM = false } = {}) {
      if (!utf8Labels.has(`${label}`.trim().toLowerCase())) throw new RangeError(`encoding ${label} is not supported, only utf-8`);
      this.#fatal = fatal;
      this.#keepMark = ignoreBOM;
    }
    get encoding() {
      return 'utf-8';
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#keepMark;
    }
    decode(input, { stream = false } = {}) {
      let bytes = [];
      if (input instanceof ArrayBuffer) bytes = new Uint8Array(input);
      else if (ArrayBuffer.isView(input)) bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
      else if (input !== undefined) throw new TypeError('decode() needs an ArrayBuffer or a view of one');
      if (this.#rest.length > 0) bytes = Uint8Array.from([...this.#rest, ...bytes]);
      const keep = stream ? unfinished(bytes) : 0;
      this.#rest = keep > 0 ? [...bytes.slice(bytes.length - keep)] : [];
      const whole = keep > 0 ? bytes.subarray(0, bytes.length - keep) : bytes;
      const text = decodeUtf8(whole, this.#fatal);
      return !this.#keepMark && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    }
  }

  // How many bytes at the end begin a character that goes on beyond it.
  const unfinished = (bytes) => {
    for (let back = 1; back <= Math.min(3, bytes.length); back++) {
      const byte = bytes[bytes.length - back];
      if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
      if (byte < 0x80) return 0;
    }
    return 0;
  };

  const decodeUtf8 = (bytes, fatal) => {
    const pieces = [];
    let units = [];
    const bad = () => {
      if (fatal) throw new TypeError('the bytes are not valid UTF-8');
      units.push(0xfffd);
    };
    for (let i = 0; i < bytes.length; ) {
      const lead = bytes[i++];
      if (lead < 0x80) units.push(lead);
      else {
        const extra = lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xc2 && lead < 0xe0 ? 1 : 0;
        let point = lead & (0x3f >> extra);
        let got = 0;
        while (got < extra && i < bytes.length) {
          const low = got > 0 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
          const high = got > 0 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
          if (bytes[i] < low || bytes[i] > high) break;
          point = (point << 6) | (bytes[i++] & 0x3f);
          got++;
        }
        if (extra === 0 || got < extra) bad();
        else if (point > 0xffff) units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
        else units.push(point);
      }
      if (units.length >= 8192) {
        pieces.push(String.fromCharCode(...units));
        units = [];
      }
    }
    pieces.push(String.fromCharCode(...units));
    return pieces.join('');
  };

  const uncloneable = (value) => {
    throw new DOMException(`${typeof value === 'symbol' ? 'a symbol' : native.inspect(value).slice(0, 80)} cannot be cloned`, 'DataCloneError');
  };
  const clone = (value, seen) => {
    if (typeof value === 'function' || typeof value === 'symbol') uncloneable(value);
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (copy) => {
      seen.set(value, copy);
      return copy;
    };
    if (value instanceof Date) return keep(new Date(value.getTime()));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (value instanceof ArrayBuffer) return keep(value.slice(0));
    if (value instanceof DataView) return keep(new DataView(clone(value.buffer, seen), value.byteOffset, value.byteLength));
    if (ArrayBuffer.isView(value)) return keep(new value.constructor(clone(value.buffer, seen), value.byteOffset, value.length));
    if (value instanceof Number || value instanceof String || value instanceof Boolean) return keep(Object(value.valueOf()));
    if (value instanceof Map) {
      const copy = keep(new Map());
      for (const [k, v] of [...value]) copy.set(clone(k, seen), clone(v, seen));
      return copy;
    }
    if (value instanceof Set) {
      const copy = keep(new Set());
      for (const v of [...value]) copy.add(clone(v, seen));
      return copy;
    }
    if (value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef || value instanceof Promise) uncloneable(value);
    if (kt.opaque.some(({ type }) => value instanceof type)) uncloneable(value);
    if (kt.isError(value)) {
      const copy = keep(Object.create(Object.getPrototypeOf(value)));
      for (const key of ['name', 'message', 'stack', 'cause']) {
        if (Object.hasOwn(value, key)) Object.defineProperty(copy, key, { value: clone(value[key], seen), writable: true, configurable: true });
      }
      return copy;
    }
    const copy = keep(Array.isArray(value) ? new Array(value.length) : {});
    for (const key of Object.keys(value)) copy[key] = clone(value[key], seen);
    return copy;
  };

  const integers = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array];
  const crypto = Object.freeze({
    getRandomValues(array) {
      if (!integers.some((type) => array instanceof type)) throw new TypeError('getRandomValues() needs an integer typed array');
      if (array.byteLength > 65536) throw new DOMException('at most 65536 bytes at a time', 'QuotaExceededError');
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(native.random(array.byteLength));
      return array;
    },
    randomUUID() {
      const bytes = native.random(16);
      bytes[6] = (bytes[6] & 0x0f) | 0x40;
      bytes[8] = (bytes[8] & 0x3f) | 0x80;
      return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    },
  });

  Object.assign(globalThis, { TextEncoder, TextDecoder, crypto, structuredClone: (value) => clone(value, new Map()) });
};
