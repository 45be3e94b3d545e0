//! TypeScript declarations of everything a snippet sees.

use keeptab_protocol::spec;

/// The globals; the protocol's own declarations follow them.
const GLOBALS: &str = include_str!("globals.d.ts");

/// TypeScript declarations of the globals of a snippet and of the whole protocol, for editors and models.
#[must_use]
pub fn dts() -> String {
    let mut out = String::from(GLOBALS);
    out.push('\n');
    spec::dts(&mut out);
    out
}
