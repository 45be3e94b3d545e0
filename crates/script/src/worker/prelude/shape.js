// What a value that is neither plain object nor array is, for the printer: [form, head, data].
// 'text': head is its readable text. 'map' and 'list': head names it (unless empty), data holds the parts. 'value': print data
// in its place. 'object': head is its class; print its own properties.
(native, kt) => {
  const tagOf = Object.prototype.toString;
  const source = Function.prototype.toString;
  const iso = Date.prototype.toISOString;
  const time = Date.prototype.getTime;
  const typedTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
  const mapSize = Object.getOwnPropertyDescriptor(Map.prototype, 'size').get;
  const setSize = Object.getOwnPropertyDescriptor(Set.prototype, 'size').get;
  const bufferSize = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength').get;
  const mapEntries = Map.prototype.entries;
  const setValues = Set.prototype.values;
  const boxed = [Number, String, Boolean, BigInt].map((type) => type.prototype.valueOf);
  const { getPrototypeOf } = Object;

  // Calls a method of a built-in class; `undefined` when the value is not of that class.
  const attempt = (method, value) => {
    try {
      return method.call(value);
    } catch {
      return undefined;
    }
  };

  const className = (value) => {
    try {
      const name = getPrototypeOf(value)?.constructor?.name;
      return typeof name === 'string' ? name : '';
    } catch {
      return '';
    }
  };

  kt.shape = (value) => {
    if (typeof value === 'function') return ['text', attempt(source, value) ?? '[function]'];
    // A proxy of an array: arrays themselves do not get here.
    if (Array.isArray(value)) return ['list', '', value];
    const at = attempt(time, value);
    if (at !== undefined) return ['text', Number.isNaN(at) ? 'Invalid Date' : iso.call(value)];
    const size = attempt(mapSize, value);
    if (size !== undefined) return ['map', `${className(value) || 'Map'}(${size})`, [...mapEntries.call(value)]];
    const count = attempt(setSize, value);
    if (count !== undefined) return ['list', `${className(value) || 'Set'}(${count})`, [...setValues.call(value)]];
    const typed = attempt(typedTag, value);
    if (typed !== undefined) return ['list', `${typed}(${value.length})`, value];
    const bytes = attempt(bufferSize, value);
    if (bytes !== undefined) return ['list', `ArrayBuffer(${bytes})`, new Uint8Array(value)];
    for (const unbox of boxed) {
      const inner = attempt(unbox, value);
      if (inner !== undefined) return ['value', '', inner];
    }
    if (value instanceof RegExp) return ['text', `${value}`];
    if (kt.isError(value) || value instanceof DOMException) return ['text', kt.headline(value)];
    if (value instanceof Promise) return ['text', 'Promise {…}'];
    if (value instanceof DataView) return ['list', `DataView(${value.byteLength})`, new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
    const opaque = kt.opaque.find(({ type, show }) => show !== undefined && value instanceof type);
    if (opaque !== undefined) return ['text', opaque.show(value)];
    if (typeof value.toJSON === 'function') return ['value', '', value.toJSON('')];
    const name = className(value);
    const tag = tagOf.call(value).slice(8, -1);
    if (value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) return ['text', `${name} {…}`];
    if (tag !== 'Object' && tag !== name && tag !== 'Arguments') return ['object', tag];
    return ['object', name === 'Object' ? '' : name];
  };
};
