// URL and URLSearchParams. The rules are those of the `url` crate, behind `native`; here is only their shape.
(native, kt) => {
  const text = (value) => `${value}`.toWellFormed();
  const parse = (url, base) => native.urlParse(text(url), base === undefined ? undefined : text(base));

  let link;
  let refill;
  class URLSearchParams {
    #list = [];
    #changed = () => {};
    static {
      link = (params, changed) => {
        params.#changed = changed;
      };
      refill = (params, query) => {
        params.#list = native.queryParse(query);
      };
    }
    constructor(init = '') {
      if (typeof init !== 'object' || init === null) {
        this.#list = native.queryParse(text(init).replace(/^\?/, ''));
      } else if (typeof init[Symbol.iterator] === 'function') {
        for (const pair of init) {
          const [name, value, ...more] = typeof pair === 'object' && pair !== null ? pair : [];
          if (value === undefined || more.length > 0) throw new TypeError('URLSearchParams needs pairs of a name and a value');
          this.#list.push([text(name), text(value)]);
        }
      } else {
        for (const name of Object.keys(init)) this.#list.push([text(name), text(init[name])]);
      }
    }
    get size() {
      return this.#list.length;
    }
    append(name, value) {
      this.#list.push([text(name), text(value)]);
      this.#changed();
    }
    delete(name, value) {
      const [key, only] = [text(name), value === undefined ? undefined : text(value)];
      this.#list = this.#list.filter((pair) => pair[0] !== key || (only !== undefined && pair[1] !== only));
      this.#changed();
    }
    get(name) {
      const key = text(name);
      return this.#list.find((pair) => pair[0] === key)?.[1] ?? null;
    }
    getAll(name) {
      const key = text(name);
      return this.#list.filter((pair) => pair[0] === key).map((pair) => pair[1]);
    }
    has(name, value) {
      const [key, only] = [text(name), value === undefined ? undefined : text(value)];
      return this.#list.some((pair) => pair[0] === key && (only === undefined || pair[1] === only));
    }
    set(name, value) {
      const key = text(name);
      const first = this.#list.findIndex((pair) => pair[0] === key);
      if (first < 0) this.#list.push([key, text(value)]);
      else {
        this.#list[first] = [key, text(value)];
        this.#list = this.#list.filter((pair, at) => at <= first || pair[0] !== key);
      }
      this.#changed();
    }
    sort() {
      this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      this.#changed();
    }
    forEach(fn, self) {
      for (const [name, value] of this) fn.call(self, value, name, this);
    }
    *entries() {
      for (let at = 0; at < this.#list.length; at++) yield [...this.#list[at]];
    }
    *keys() {
      for (const [name] of this.entries()) yield name;
    }
    *values() {
      for (const [, value] of this.entries()) yield value;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    toString() {
      return native.queryText(this.#list);
    }
  }

  // In the order in which `native` lists them.
  const names = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'];
  const search = names.indexOf('search');
  let read;
  let write;
  class URL {
    #parts;
    #params;
    static {
      read = (url, at) => url.#parts[at];
      write = (url, at, value) => {
        const parts = native.urlSet(url.#parts[0], names[at], text(value));
        if (parts === undefined) {
          // Only the whole address is all or nothing; a part that does not fit leaves things as they are.
          if (at === 0) throw invalid(value);
          return;
        }
        url.#parts = parts;
        if (url.#params !== undefined && (at === 0 || at === search)) refill(url.#params, parts[search].slice(1));
      };
    }
    constructor(url, base) {
      this.#parts = parse(url, base);
      if (this.#parts === undefined) throw invalid(url, base);
    }
    static canParse(url, base) {
      return parse(url, base) !== undefined;
    }
    static parse(url, base) {
      return URL.canParse(url, base) ? new URL(url, base) : null;
    }
    get searchParams() {
      if (this.#params === undefined) {
        const params = new URLSearchParams(this.#parts[search]);
        link(params, () => {
          this.#parts = native.urlSet(this.#parts[0], 'search', params.toString()) ?? this.#parts;
        });
        this.#params = params;
      }
      return this.#params;
    }
    toString() {
      return this.#parts[0];
    }
    toJSON() {
      return this.#parts[0];
    }
  }
  const quoted = (value) => JSON.stringify(text(value).slice(0, 200));
  const invalid = (url, base) => new TypeError(`${quoted(url)} is not a valid URL${base === undefined ? '' : ` against ${quoted(base)}`}`);
  names.forEach((name, at) => {
    const get = { [name]() { return read(this, at); } }[name];
    const set = name === 'origin' ? undefined : { [name](value) { write(this, at, value); } }[name];
    Object.defineProperty(URL.prototype, name, { get, set, enumerable: true, configurable: true });
  });

  kt.expose(URL, (url) => read(url, 0));
  kt.expose(URLSearchParams, (params) => `URLSearchParams { ${params} }`);
};
