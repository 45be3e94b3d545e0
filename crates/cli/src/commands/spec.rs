//! `keeptab spec`: the DevTools protocol, looked up offline.

use std::borrow::Cow;

use keeptab_daemon::{ApiError, Code, exit};
use keeptab_protocol::spec::{self, NameKind};
use serde_json::json;

use crate::app::App;

/// How many places a search shows.
const MOST: usize = 30;

/// Look something up in the DevTools protocol
///
/// A full name shows its documentation, parameters and results. Anything else is searched for in
/// names and descriptions. Needs neither daemon nor network.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keeptab spec                            the domains
  keeptab spec Page                       what a domain has
  keeptab spec Page.navigate
  keeptab spec screenshot                 search
  keeptab spec --dts > keeptab.d.ts       TypeScript for everything a snippet sees")]
pub(crate) struct Args {
    /// A domain, command, event or type; or words to search for
    query: Vec<String>,
    /// Print TypeScript declarations of everything a snippet sees
    #[arg(long, conflicts_with = "query")]
    dts: bool,
}

pub(crate) fn run(args: Args, app: &mut App) -> Result<u8, ApiError> {
    let out = app.output();
    let show = |kind: &str, text: String| {
        if out.is_json() {
            out.data(json!({ kind: text }));
        } else {
            out.text(&text);
        }
        Ok(exit::OK)
    };
    if args.dts {
        return show("dts", keeptab_script::dts());
    }
    let query = args.query.join(" ");
    if query.is_empty() {
        let names = spec::domain_names();
        if out.is_json() {
            out.data(json!({"domains": names}));
        } else {
            out.text(&names.join("\n"));
        }
        return Ok(exit::OK);
    }
    let name = &*as_in_snippets(&query);
    if let Some(text) =
        spec::describe(name).or_else(|| keeptab_script::describe_global(query_name(&query)))
    {
        return show("text", text);
    }
    let (words, hits) = search(name);
    if hits.is_empty() {
        return Err(nothing(name));
    }
    if out.is_json() {
        let hits: Vec<_> = hits
            .iter()
            .map(|hit| json!({"kind": format!("{:?}", hit.kind).to_lowercase(), "name": hit.name, "summary": hit.summary}))
            .collect();
        out.data(json!({"hits": hits}));
    } else {
        let wide = hits
            .iter()
            .map(|hit| hit.name.len())
            .max()
            .unwrap_or(0)
            .min(48);
        for hit in &hits {
            out.text(format!("{:wide$}  {}", hit.name, hit.summary).trim_end());
        }
        if words != name {
            out.note(&format!(
                "nothing has all of these words; this is for \"{words}\""
            ));
        }
        if hits.len() == MOST {
            out.note("there may be more; search for something narrower");
        }
    }
    Ok(exit::OK)
}

/// The name in what people copy from a snippet: `await session.Page.navigate({url})`.
fn query_name(query: &str) -> &str {
    let query = query.trim().strip_prefix("await ").unwrap_or(query).trim();
    query
        .split('(')
        .next()
        .unwrap_or(query)
        .trim_end_matches('.')
}

/// The same without the object that the domains hang on, and in the protocol's own letter case where only that is
/// different.
fn as_in_snippets(query: &str) -> Cow<'_, str> {
    let name = query_name(query);
    let name = name
        .strip_prefix("session.")
        .or_else(|| name.strip_prefix("CDP."))
        .unwrap_or(name);
    if spec::describe(name).is_some() {
        return name.into();
    }
    let same = spec::search(name, 5)
        .into_iter()
        .find(|hit| hit.name.eq_ignore_ascii_case(name));
    same.map_or(name.into(), |hit| hit.name.into())
}

/// What a search finds; for several words that nothing has all of, what the last ones find: they say most.
fn search(name: &str) -> (&str, Vec<spec::Hit>) {
    let mut words = name;
    loop {
        let hits = spec::search(words, MOST);
        match words.split_once(' ') {
            Some((_, rest)) if hits.is_empty() => words = rest.trim_start(),
            _ => return (words, hits),
        }
    }
}

fn nothing(name: &str) -> ApiError {
    let near = [NameKind::Method, NameKind::Event, NameKind::Domain]
        .into_iter()
        .find_map(|kind| spec::nearest(kind, name));
    let error = ApiError::new(
        Code::NotFound,
        format!("nothing in the protocol fits \"{name}\""),
    );
    match near {
        Some(near) => error.hint(format!("keeptab spec {near}")),
        None => error.hint("keeptab spec"),
    }
}
