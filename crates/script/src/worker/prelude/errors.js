// Errors as people read them, and as the host hears of them. `kt` is what the parts of the prelude share.
(native, kt) => {
  const { captureStackTrace } = Error;
  const { stringify } = JSON;
  const ours = /\(?keeptab:[a-z]+:\d+|\(native\)/;
  const frame = /^(\s*at .*?)([^\s(]+):1:(\d+)(\)?)$/;

  // The frames that lie in the snippet. On its first line, our wrapper pushes columns to the right.
  const cleanStack = kt.cleanStack = (stack) => {
    if (typeof stack !== 'string') return '';
    let out = '';
    for (const line of stack.split('\n')) {
      if (line.trim() === '' || ours.test(line)) continue;
      const m = frame.exec(line);
      if (m && !m[2].startsWith('<')) {
        const column = Math.max(Number(m[3]) - native.prefix, 1);
        out += `${m[1]}${m[2]}:1:${column}${m[4]}\n`;
      } else {
        out += `${line}\n`;
      }
    }
    return out;
  };

  const read = (object, key) => {
    try {
      return object[key];
    } catch {
      return undefined;
    }
  };

  const headline = kt.headline = (error) => {
    const name = read(error, 'name');
    const message = read(error, 'message');
    const head = typeof name === 'string' && name !== '' ? name : 'Error';
    return typeof message === 'string' && message !== '' ? `${head}: ${message}` : head;
  };

  const isError = kt.isError = (value) => {
    try {
      return Error.isError ? Error.isError(value) : value instanceof Error;
    } catch {
      return false;
    }
  };

  // The whole text of a thrown value: headline, stack, causes.
  kt.errorText = (value, depth = 0) => {
    if (!isError(value) && !(value instanceof DOMException)) return `Uncaught ${native.inspect(value)}\n`;
    let text = `${headline(value)}\n${cleanStack(read(value, 'stack'))}`;
    const errors = read(value, 'errors');
    if (depth < 4) {
      if (Array.isArray(errors)) {
        for (const inner of errors.slice(0, 10)) text += `  - ${kt.errorText(inner, depth + 1)}`;
      }
      const cause = read(value, 'cause');
      if (cause !== undefined) text += `Caused by: ${kt.errorText(cause, depth + 1)}`;
    }
    return text;
  };

  const kinds = new Set(native.kinds);

  // What people reach for that is somewhere else, or nowhere.
  const inPage = /^(document|window|location|navigator|localStorage|sessionStorage|history|screen) is not defined$/;
  const nowhere = /^(fetch|XMLHttpRequest|WebSocket|require|module|process|Buffer|Deno|Bun) is not defined$/;
  const advice = (error, kind) => {
    if (kind === 'out_of_memory') return 'a sandbox has 256 MiB for all that snippets keep: ask for less (a depth, one node), take it in parts, or let the page do the work';
    const message = error instanceof ReferenceError ? read(error, 'message') : undefined;
    if (typeof message !== 'string') return undefined;
    const name = message.split(' ', 1)[0];
    if (inPage.test(message)) return `a snippet runs beside the page; ask the page: await session.Runtime.evaluate({expression: '${name}…', returnByValue: true})`;
    if (nowhere.test(message)) return `a snippet has no network, files or modules, only the browser; keeptab spec --dts lists what it sees`;
    return undefined;
  };

  // What the host is told of an eval's failure, and what a person reads of it.
  kt.failure = (value) => {
    const error = isError(value) ? value : undefined;
    let kind = error && read(error, 'kind');
    if (typeof kind !== 'string' || !kinds.has(kind)) {
      kind = error && error instanceof InternalError && /out of memory/.test(headline(error)) ? 'out_of_memory' : 'thrown';
    }
    const code = error && read(error, 'code');
    const hint = error && (read(error, 'hint') ?? advice(error, kind));
    let message = error ? headline(error) : native.inspect(value);
    if (error && error.name === 'Error' && typeof error.message === 'string') message = error.message;
    let text = kt.errorText(value);
    if (typeof hint === 'string') text += `hint: ${hint}\n`;
    return [
      stringify({
        kind,
        code: Number.isInteger(code) ? code : undefined,
        message: message.slice(0, 65536).toWellFormed(),
        hint: typeof hint === 'string' ? hint.toWellFormed() : undefined,
      }),
      (text.length > 262144 ? `${text.slice(0, 262144)}…\n` : text).toWellFormed(),
    ];
  };

  // An error whose stack begins where `api` was called. Made at the call, filled in when it fails.
  kt.blank = (api) => {
    const error = new Error('');
    captureStackTrace(error, api);
    return error;
  };

  const set = (object, key, value) =>
    Object.defineProperty(object, key, { value, configurable: true, writable: true, enumerable: false });

  kt.fill = (error, { kind, code, message, hint, data }) => {
    set(error, 'message', message);
    set(error, 'kind', kind);
    if (code !== undefined && code !== null) set(error, 'code', code);
    if (hint !== undefined && hint !== null) set(error, 'hint', hint);
    if (data !== undefined && data !== null) set(error, 'data', data);
    return error;
  };

  kt.invalid = (api, message, hint) => kt.fill(kt.blank(api), { kind: 'invalid', message, hint });
};
