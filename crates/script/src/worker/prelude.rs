//! The part of the sandbox that is written in JavaScript.

use rquickjs::context::EvalOptions;
use rquickjs::{Ctx, Function, Object, Result};

/// Each file is one function that takes the native functions and what the files share.
const FILES: &[(&str, &str)] = &[
    ("keeptab:errors", include_str!("prelude/errors.js")),
    ("keeptab:scope", include_str!("prelude/scope.js")),
    ("keeptab:console", include_str!("prelude/console.js")),
    ("keeptab:timers", include_str!("prelude/timers.js")),
    ("keeptab:shape", include_str!("prelude/shape.js")),
    ("keeptab:web", include_str!("prelude/web.js")),
    ("keeptab:calls", include_str!("prelude/calls.js")),
    ("keeptab:session", include_str!("prelude/session.js")),
];

/// Files that run when one of their classes is first asked for, so that no start pays for them.
const LAZY: &[(&str, &str, &[&str])] = &[
    (
        "keeptab:url",
        include_str!("prelude/url.js"),
        &["URL", "URLSearchParams"],
    ),
    (
        "keeptab:events",
        include_str!("prelude/events.js"),
        &["Event", "EventTarget", "AbortController", "AbortSignal"],
    ),
];

/// The functions of the prelude that the worker calls.
pub(super) struct Prelude<'js> {
    pub(super) enter: Function<'js>,
    pub(super) start: Function<'js>,
    pub(super) abandon: Function<'js>,
    pub(super) settle: Function<'js>,
    pub(super) event: Function<'js>,
    pub(super) link: Function<'js>,
    pub(super) fire: Function<'js>,
    pub(super) timer_owner: Function<'js>,
    pub(super) late: Function<'js>,
}

impl<'js> Prelude<'js> {
    /// Runs the prelude in a new context. `kt` must already hold nothing but what natives put there.
    pub(super) fn load(ctx: &Ctx<'js>, native: &Object<'js>, kt: &Object<'js>) -> Result<Self> {
        let classes: Vec<Vec<&str>> = LAZY.iter().map(|(.., classes)| classes.to_vec()).collect();
        native.set("lazy", classes)?;
        let (n, k) = (native.clone(), kt.clone());
        native.set(
            "load",
            Function::new(ctx.clone(), move |ctx: Ctx<'js>, file: usize| {
                match LAZY.get(file) {
                    Some((name, source, _)) => run(&ctx, name, source, &n, &k),
                    None => Ok(()),
                }
            })?,
        )?;
        for (name, source) in FILES {
            run(ctx, name, source, native, kt)?;
        }
        Ok(Self {
            enter: kt.get("enter")?,
            start: kt.get("start")?,
            abandon: kt.get("abandon")?,
            settle: kt.get("settle")?,
            event: kt.get("event")?,
            link: kt.get("link")?,
            fire: kt.get("fire")?,
            timer_owner: kt.get("timerOwner")?,
            late: kt.get("late")?,
        })
    }
}

fn run<'js>(
    ctx: &Ctx<'js>,
    name: &str,
    source: &str,
    native: &Object<'js>,
    kt: &Object<'js>,
) -> Result<()> {
    let mut options = EvalOptions::default();
    options.filename = Some(name.to_owned());
    // The file is an arrow function behind comments: brackets make it an expression. They begin on a line
    // of their own because a comment comes first.
    let part: Function<'js> = ctx.eval_with_options(
        format!("(\n{}\n)", source.trim_end().trim_end_matches(';')),
        options,
    )?;
    part.call((native.clone(), kt.clone()))
}
