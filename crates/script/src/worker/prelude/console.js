// console.*: everything goes to standard error, one line per call.
(native, kt) => {
  const directives = /%[sdifjoOc%]/g;
  const text = (value) => {
    if (typeof value === 'string') return value;
    return kt.isError(value) ? kt.errorText(value).trimEnd() : native.inspect(value);
  };

  const format = (args) => {
    if (args.length === 0) return '';
    let next = 0;
    let out;
    if (typeof args[0] === 'string' && args.length > 1) {
      next = 1;
      out = args[0].replace(directives, (d) => {
        if (d === '%%') return '%';
        if (next >= args.length) return d;
        const value = args[next++];
        if (d === '%c') return '';
        if (d === '%d' || d === '%i') return typeof value === 'bigint' ? `${value}` : `${Math.trunc(Number(value))}`;
        if (d === '%f') return `${Number(value)}`;
        return text(value);
      });
    } else {
      out = text(args[next++]);
    }
    for (; next < args.length; next++) out += ` ${text(args[next])}`;
    return out;
  };

  const proto = {};
  // `own`: the eval in whose text this console stands; nothing for `globalThis.console`.
  kt.makeConsole = (own) => {
    const counts = new Map();
    const timers = new Map();
    let indent = '';
    const write = (line) => {
      native.log(kt.owner(own).id, indent === '' ? `${line}\n` : `${indent}${line.replaceAll('\n', `\n${indent}`)}\n`);
    };
    const plain = (...args) => write(format(args));
    const tagged = (tag) => (...args) => write(`${tag}${format(args)}`);
    const elapsed = (label) => `${label}: ${(performance.now() - timers.get(label)).toFixed(3)} ms`;
    const group = (...args) => {
      if (args.length > 0) write(format(args));
      indent += '  ';
    };
    return Object.assign(Object.create(proto), {
      log: plain,
      info: plain,
      debug: plain,
      dir: (value) => write(text(value)),
      table: (value) => write(text(value)),
      warn: tagged('warning: '),
      error: tagged('error: '),
      trace: (...args) => {
        const error = { };
        Error.captureStackTrace(error);
        write(`Trace: ${format(args)}\n${kt.cleanStack(error.stack)}`.trimEnd());
      },
      assert: (condition, ...args) => {
        if (!condition) write(`Assertion failed${args.length > 0 ? `: ${format(args)}` : ''}`);
      },
      count: (label = 'default') => {
        const n = (counts.get(`${label}`) ?? 0) + 1;
        counts.set(`${label}`, n);
        write(`${label}: ${n}`);
      },
      countReset: (label = 'default') => {
        counts.delete(`${label}`);
      },
      time: (label = 'default') => {
        timers.set(`${label}`, performance.now());
      },
      timeLog: (label = 'default', ...args) => {
        if (timers.has(`${label}`)) write([elapsed(`${label}`), ...args.map(text)].join(' '));
      },
      timeEnd: (label = 'default') => {
        if (!timers.has(`${label}`)) return;
        write(elapsed(`${label}`));
        timers.delete(`${label}`);
      },
      group,
      groupCollapsed: group,
      groupEnd: () => {
        indent = indent.slice(2);
      },
      clear: () => {},
    });
  };
  globalThis.console = kt.makeConsole(undefined);
};
