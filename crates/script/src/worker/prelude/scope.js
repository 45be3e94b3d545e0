// Evals: each has a context (`ctx`) of its own, so that several at a time do not mix up their consoles, targets
// or pending calls.
(native, kt) => {
  // Kept from before any snippet could change them.
  const { parse } = JSON;
  const { apply } = Reflect;
  const { then } = Promise.prototype;

  const contexts = new Map();
  // Code that runs when its eval has ended (timers, listeners) belongs to nobody.
  const background = { id: 0, active: undefined, strict: false, assigned: {}, ended: false, aborted: false };
  kt.current = background;
  kt.background = background;
  kt.connected = false;

  // Whom a call belongs to: the eval whose text it stands in while that runs, else whoever runs now.
  kt.owner = (own) => (own === undefined || own.ended ? kt.current : own);

  kt.enter = (id) => {
    kt.current = contexts.get(id) ?? background;
  };

  const fail = (id, error) => {
    const failure = kt.failure(error);
    native.fail(id, failure[0], failure[1]);
  };

  const leave = (ctx) => {
    ctx.ended = true;
    contexts.delete(ctx.id);
    if (kt.current === ctx) kt.current = background;
  };

  // Runs `make(console, session, …)()`, the compiled snippet.
  kt.start = (id, make, startJson) => {
    const { active, strict, assigned, connected, reaches } = parse(startJson);
    kt.connected = connected;
    background.active = active ?? undefined;
    const ctx = { id, active: active ?? undefined, strict, assigned, ended: false, aborted: false };
    contexts.set(id, ctx);
    kt.current = ctx;
    const finish = (report) => {
      if (ctx.ended) return;
      try {
        report();
      } catch (error) {
        // Printing the value ran the snippet's own getters, and one threw; or memory is short.
        fail(id, error);
      }
      leave(ctx);
    };
    apply(then, apply(make, undefined, kt.locals(ctx, reaches))(), [
      (value) => finish(() => native.done(id, value)),
      (error) => finish(() => fail(id, error)),
    ]);
  };

  // The eval is over for the host (deadline, interrupt, nobody waits): it must not act any more.
  kt.abandon = (id) => {
    const ctx = contexts.get(id);
    if (ctx === undefined) return '';
    ctx.aborted = true;
    const waiting = kt.dropCalls(ctx);
    kt.dropTimers(ctx);
    leave(ctx);
    return waiting.join(', ');
  };

  kt.late = (error, what) => {
    native.log(kt.current.id, `${what}: ${kt.errorText(error)}`);
  };
};
