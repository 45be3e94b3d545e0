//! The functions that the prelude calls in Rust.

use std::rc::Rc;
use std::time::{Duration, Instant};

use keeptab_protocol::spec;
use rquickjs::{Ctx, Exception, Function, Object, Result, TypedArray, Value};

use super::compile;
use super::print::{Printer, Stop};
use super::state::{MAX_TIMERS, State};
use super::urls;
use crate::frame::Kind;
use crate::outcome::ErrorKind;
use crate::wire::{CommandHead, EvalEnd, Shape};

/// Longest text of one value in console output, in bytes.
const MAX_INSPECT: usize = 1 << 20;

/// Fills `native`.
pub(super) fn install<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    kt: &Object<'js>,
    state: &Rc<State>,
) -> Result<()> {
    native.set("prefix", compile::PREFIX)?;
    native.set("inFlight", state.limits.in_flight)?;
    native.set("kinds", kinds())?;
    calls(ctx, native, state)?;
    clock(ctx, native, state)?;
    results(ctx, native, kt, state)?;
    names(ctx, native)?;
    urls::install(ctx, native)?;
    native.set(
        "encodeUtf8",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, text: String| {
            TypedArray::<u8>::new(ctx, text.into_bytes())
        })?,
    )?;
    native.set(
        "random",
        Function::new(ctx.clone(), |ctx: Ctx<'js>, count: usize| {
            let mut bytes = vec![0; count.min(1 << 16)];
            super::confine::random(&mut bytes)
                .map_err(|_| Exception::throw_internal(&ctx, "no randomness"))?;
            TypedArray::<u8>::new(ctx.clone(), bytes)
        })?,
    )?;
    Ok(())
}

/// The kinds a host can put on an error; anything else in `error.kind` is the snippet's own business.
fn kinds() -> Vec<&'static str> {
    use ErrorKind as K;
    [
        K::Protocol,
        K::NotSent,
        K::OutcomeUnknown,
        K::Deadline,
        K::TargetGone,
        K::DialogOpen,
        K::NotConnected,
        K::StaleHandle,
        K::Invalid,
        K::Refused,
        K::TooLarge,
        K::OutOfMemory,
        K::PageException,
        K::NavigationFailed,
    ]
    .map(ErrorKind::as_str)
    .to_vec()
}

fn calls<'js>(ctx: &Ctx<'js>, native: &Object<'js>, state: &Rc<State>) -> Result<()> {
    let s = Rc::clone(state);
    native.set(
        "callOwner",
        Function::new(ctx.clone(), move |call: u32, owner: u32| {
            s.calls.borrow_mut().insert(call, owner);
        })?,
    )?;
    let s = Rc::clone(state);
    native.set(
        "command",
        Function::new(
            ctx.clone(),
            move |ctx: Ctx<'js>,
                  call: u32,
                  method: String,
                  params: String,
                  target: Option<String>,
                  timeout: f64| {
                let (size, limit) = (method.len() + params.len(), s.limits.command);
                if size > limit {
                    return Err(Exception::throw_range(
                        &ctx,
                        &format!(
                            "{method} was not sent: it has {size} bytes, and a command may have {limit} ({} MiB); \
                             send it in parts, or let the page fetch it",
                            limit >> 20
                        ),
                    ));
                }
                let head = CommandHead {
                    method: method.into(),
                    target: target.map(Into::into),
                    // Negative means: not given. Milliseconds; what is beyond u64 saturates.
                    timeout_ms: if timeout >= 0.0 {
                        Some(timeout as u64)
                    } else {
                        s.time_for(call)
                    },
                    eval: s.calls.borrow().get(&call).copied().unwrap_or(0),
                };
                let head = serde_json::to_vec(&head)
                    .map_err(|e| Exception::throw_internal(&ctx, &e.to_string()))?;
                let length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes();
                s.send(Kind::Command, call, &[&length, &head, params.as_bytes()]);
                Ok(())
            },
        )?,
    )?;
    let s = Rc::clone(state);
    native.set(
        "call",
        Function::new(ctx.clone(), move |call: u32, request: String| {
            s.send(Kind::Call, call, &[request.as_bytes()]);
        })?,
    )?;
    let s = Rc::clone(state);
    native.set(
        "listen",
        Function::new(ctx.clone(), move |wanted: String| {
            s.send(Kind::Listen, 0, &[wanted.as_bytes()])
        })?,
    )?;
    let s = Rc::clone(state);
    native.set(
        "active",
        Function::new(ctx.clone(), move |handle: Option<String>| {
            let json = serde_json::to_vec(&handle).unwrap_or_else(|_| b"null".to_vec());
            s.send(Kind::Active, 0, &[&json]);
        })?,
    )
}

fn clock<'js>(ctx: &Ctx<'js>, native: &Object<'js>, state: &Rc<State>) -> Result<()> {
    let s = Rc::clone(state);
    native.set(
        "timer",
        Function::new(ctx.clone(), move |ctx: Ctx<'js>, id: u32, ms: f64| {
            let mut timers = s.timers.borrow_mut();
            if timers.len() >= MAX_TIMERS {
                return Err(Exception::throw_range(&ctx, "too many timers"));
            }
            timers.set(
                id,
                Instant::now() + Duration::from_secs_f64(ms.max(0.0) / 1e3),
            );
            Ok(())
        })?,
    )?;
    let s = Rc::clone(state);
    native.set(
        "untimer",
        Function::new(ctx.clone(), move |id: u32| s.timers.borrow_mut().clear(id))?,
    )
}

fn results<'js>(
    ctx: &Ctx<'js>,
    native: &Object<'js>,
    kt: &Object<'js>,
    state: &Rc<State>,
) -> Result<()> {
    let printer = |kt: &Object<'js>| -> Result<Printer<'js>> {
        let ctx = kt.ctx();
        Ok(Printer {
            ctx: ctx.clone(),
            // The prelude sets it after the natives exist.
            shape: Function::new(ctx.clone(), {
                let kt = kt.clone();
                move |value: Value<'js>| -> Result<Value<'js>> {
                    kt.get::<_, Function<'js>>("shape")?.call((value,))
                }
            })?,
            well_formed: ctx.eval("String.prototype.toWellFormed")?,
            object_proto: ctx.eval("Object.prototype")?,
        })
    };
    let (s, p) = (Rc::clone(state), printer(kt)?);
    native.set(
        "inspect",
        Function::new(ctx.clone(), move |ctx: Ctx<'js>, value: Value<'js>| {
            p.inspect(&value, MAX_INSPECT, &s)
                .map_err(|stop| thrown(&ctx, stop))
        })?,
    )?;
    let (s, p) = (Rc::clone(state), printer(kt)?);
    native.set(
        "done",
        Function::new(
            ctx.clone(),
            move |ctx: Ctx<'js>, id: u32, value: Value<'js>| {
                if !s.evals.borrow().contains_key(&id) {
                    return Ok::<(), rquickjs::Error>(());
                }
                let printed = p
                    .result(&value, s.limits.output, &s)
                    .map_err(|stop| thrown(&ctx, stop))?;
                if !printed.text.is_empty() {
                    s.send(Kind::Output, id, &[printed.text.as_bytes()]);
                }
                end(
                    &s,
                    id,
                    &EvalEnd {
                        shape: printed.shape,
                        json: printed.json,
                        failure: None,
                        text: None,
                    },
                );
                Ok(())
            },
        )?,
    )?;
    let s = Rc::clone(state);
    native.set(
        "fail",
        Function::new(
            ctx.clone(),
            move |ctx: Ctx<'js>, id: u32, failure: String, text: rquickjs::String<'js>| {
                if s.interrupted.get() {
                    // The loop reports the deadline, which is what this error comes from.
                    return Ok(());
                }
                let text = text
                    .to_string()
                    .unwrap_or_else(|_| "the error's text is not valid Unicode\n".into());
                let failure = serde_json::from_str(&failure)
                    .map_err(|e| Exception::throw_internal(&ctx, &e.to_string()))?;
                end(
                    &s,
                    id,
                    &EvalEnd {
                        shape: Shape::Nothing,
                        json: None,
                        failure: Some(failure),
                        text: Some(text.into()),
                    },
                );
                Ok::<_, rquickjs::Error>(())
            },
        )?,
    )?;
    let s = Rc::clone(state);
    native.set(
        "log",
        Function::new(ctx.clone(), move |id: u32, text: Text| {
            s.console(id, &text.0)
        })?,
    )
}

/// Ends an eval, if it has not ended yet.
pub(super) fn end(state: &State, id: u32, end: &EvalEnd<'_>) {
    if state.evals.borrow_mut().remove(&id).is_none() {
        return;
    }
    // Only strings and numbers: it serialises.
    let json = serde_json::to_vec(end).unwrap_or_else(|_| br#"{"shape":"nothing"}"#.to_vec());
    state.send(Kind::Done, id, &[&json]);
}

fn thrown(ctx: &Ctx<'_>, stop: Stop) -> rquickjs::Error {
    match stop {
        Stop::Thrown(error) => error,
        Stop::Full => Exception::throw_range(ctx, "the text is too long"),
        Stop::Expired => Exception::throw_internal(ctx, "interrupted"),
    }
}

/// Text from JavaScript in which halves of characters are replaced.
struct Text(String);

impl<'js> rquickjs::FromJs<'js> for Text {
    fn from_js(ctx: &Ctx<'js>, value: Value<'js>) -> Result<Self> {
        if let Ok(text) = value.get::<String>() {
            return Ok(Self(text));
        }
        let whole: Function<'js> = ctx.eval("text => String(text).toWellFormed()")?;
        whole.call((value,)).map(Self)
    }
}

/// What there is in the protocol.
fn names<'js>(ctx: &Ctx<'js>, native: &Object<'js>) -> Result<()> {
    native.set(
        "domains",
        Function::new(ctx.clone(), crate::spec::domains_json)?,
    )?;
    native.set(
        "domain",
        Function::new(ctx.clone(), |name: String| crate::spec::names_json(&name))?,
    )?;
    native.set(
        "spec",
        Function::new(ctx.clone(), |_kind: String, name: String| {
            crate::spec::domain_json(&name)
        })?,
    )?;
    native.set(
        "search",
        Function::new(ctx.clone(), |query: String, limit: usize| {
            crate::spec::search_json(&query, limit)
        })?,
    )?;
    native.set(
        "nearest",
        Function::new(ctx.clone(), |kind: String, wrong: String| {
            crate::spec::nearest(&kind, &wrong)
        })?,
    )?;
    native.set(
        "nearestOf",
        Function::new(ctx.clone(), |names: Vec<String>, wrong: String| {
            spec::nearest_of(names.iter().map(String::as_str), &wrong).map(str::to_owned)
        })?,
    )?;
    native.set(
        "checkEvent",
        Function::new(ctx.clone(), |name: String| {
            if spec::event(&name).is_some() {
                None
            } else {
                Some(crate::spec::nearest("event", &name).unwrap_or(""))
            }
        })?,
    )
}
