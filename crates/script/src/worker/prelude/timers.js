// setTimeout and its kin. The worker's loop keeps the clock; here are the functions.
(native, kt) => {
  const timers = new Map();
  let next = 1;

  kt.setTimer = (ctx, fn, delay, repeat, args) => {
    const ms = Math.min(Math.max(Number(delay) || 0, 0), 2147483647);
    const id = next++;
    timers.set(id, { ctx, fn, ms, repeat, args });
    native.timer(id, ms);
    return id;
  };

  kt.clearTimer = (id) => {
    if (timers.delete(Number(id))) native.untimer(Number(id));
  };

  kt.dropTimers = (ctx) => {
    for (const [id, timer] of timers) if (timer.ctx === ctx) kt.clearTimer(id);
  };

  // Whose turn it is when the timer fires.
  kt.timerOwner = (id) => {
    const timer = timers.get(id);
    return timer === undefined || timer.ctx.ended ? 0 : timer.ctx.id;
  };

  kt.fire = (id) => {
    const timer = timers.get(id);
    if (timer === undefined) return;
    if (timer.repeat) native.timer(id, Math.max(timer.ms, 1));
    else timers.delete(id);
    try {
      timer.fn(...timer.args);
    } catch (error) {
      kt.late(error, 'Uncaught in a timer');
    }
  };

  const starter = (repeat) =>
    function (fn, delay, ...args) {
      if (typeof fn !== 'function') throw new TypeError('a timer needs a function; a string is not run');
      return kt.setTimer(kt.current, fn, delay, repeat, args);
    };
  Object.assign(globalThis, {
    setTimeout: starter(false),
    setInterval: starter(true),
    setImmediate: (fn, ...args) => kt.setTimer(kt.current, fn, 0, false, args),
    clearTimeout: (id) => kt.clearTimer(id),
    clearInterval: (id) => kt.clearTimer(id),
    clearImmediate: (id) => kt.clearTimer(id),
  });
};
