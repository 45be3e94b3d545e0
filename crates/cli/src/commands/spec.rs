//! `keeptab spec`: the DevTools protocol, looked up offline.

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
    // People copy `session.Page.navigate` from a snippet.
    let name = query.strip_prefix("session.").unwrap_or(&query);
    if let Some(text) = spec::describe(name) {
        return show("text", text);
    }
    let hits = spec::search(name, MOST);
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
        if hits.len() == MOST {
            out.note("there may be more; search for something narrower");
        }
    }
    Ok(exit::OK)
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
