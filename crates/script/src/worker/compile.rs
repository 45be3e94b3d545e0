//! From text to a function: is it one expression, or statements? The engine's own parser decides.

use rquickjs::context::EvalOptions;
use rquickjs::{Ctx, Function};

/// Every snippet is the body of this function. One line, so that line numbers stay the snippet's own.
const WRAPPER: &str = "((console,session,cdp,connectToAssignedTarget)=>async()=>";
/// The wrapper's names, in order.
const NAMES: [&str; 4] = ["console", "session", "cdp", "connectToAssignedTarget"];
/// How many columns the wrapper, with its opening bracket, adds to the first line.
pub(super) const PREFIX: usize = WRAPPER.len() + 1;
/// How many trailing semicolons are looked at to find the end of a single expression.
const MAX_TAILS: usize = 32;

/// Why a snippet is not JavaScript, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    /// From 1.
    pub(super) line: usize,
    /// In characters, from 1.
    pub(super) column: usize,
}

/// Which of the wrapper's names a snippet could reach: those that stand in its text, or all when it could spell them
/// in another way. What it cannot reach need not be made.
pub(super) fn reaches(code: &str) -> [bool; NAMES.len()] {
    // Text that is run as code, and `\u0063dp`.
    let hidden = code.contains("eval") || code.contains("\\u");
    NAMES.map(|name| hidden || code.contains(name))
}

/// Compiles a snippet into `(console, session, …) => async () => …`.
pub(super) fn compile<'js>(ctx: &Ctx<'js>, code: &str, file: &str) -> Result<Function<'js>, Fault> {
    let hashbang;
    let code = if let Some(rest) = code.strip_prefix("#!") {
        hashbang = format!("//{rest}");
        &hashbang
    } else {
        code.strip_prefix('\u{feff}').unwrap_or(code)
    };
    let first = match expression(ctx, code, file) {
        Ok(function) => return Ok(function),
        Err(fault) => fault,
    };
    for end in expression_ends(code) {
        if let Ok(function) = expression(ctx, &code[..end], file) {
            return Ok(function);
        }
    }
    statements(ctx, code, file).map_err(|fault| {
        // The reading that got further is the one that was meant.
        let fault = if (first.line, first.column) > (fault.line, fault.column) {
            first
        } else {
            fault
        };
        within(code, fault)
    })
}

/// `code` as one expression. Text such as `1)+(2` fits one pair of brackets by accident, but not two kinds; what does not
/// fit both never runs, because the first pair stands where nothing is executed.
fn expression<'js>(ctx: &Ctx<'js>, code: &str, file: &str) -> Result<Function<'js>, Fault> {
    evaluate(ctx, ["if(0){(async()=>[", code, "\n])}0;(()=>0)"], file)?;
    evaluate(ctx, [WRAPPER, "(", code, "\n))"], file)
}

/// `code` as statements; again in two surroundings, so that it cannot close ours and open its own.
fn statements<'js>(ctx: &Ctx<'js>, code: &str, file: &str) -> Result<Function<'js>, Fault> {
    evaluate(
        ctx,
        ["if(0){async function f(){", code, "\n}}0;(()=>0)"],
        file,
    )?;
    evaluate(ctx, [WRAPPER, "{", code, "\n})"], file)
}

/// Evaluates a prefix, the code and a suffix, which together are a function and only that.
fn evaluate<'js, const N: usize>(
    ctx: &Ctx<'js>,
    parts: [&str; N],
    file: &str,
) -> Result<Function<'js>, Fault> {
    let prefix: usize = parts[..N - 2].iter().map(|part| part.len()).sum();
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(file.to_owned());
    ctx.eval_with_options::<Function<'js>, _>(parts.concat(), options)
        .map_err(|_| {
            let thrown = ctx.catch();
            let exception = thrown.as_exception();
            let message = exception
                .and_then(|e| e.message())
                .unwrap_or_else(|| "not JavaScript".into());
            let (line, column) = exception
                .and_then(|e| position(&e.stack()?))
                .unwrap_or((1, 1));
            let column = if line == 1 {
                column.saturating_sub(prefix).max(1)
            } else {
                column
            };
            Fault {
                message,
                line,
                column,
            }
        })
}

/// `line:column` at the end of the first frame.
fn position(stack: &str) -> Option<(usize, usize)> {
    let frame = stack.lines().next()?.trim_end().trim_end_matches(')');
    let (rest, column) = frame.rsplit_once(':')?;
    let (_, line) = rest.rsplit_once(':')?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// Where a single expression may end: before a `;` that only blanks, comments and more `;` follow.
fn expression_ends(code: &str) -> impl Iterator<Item = usize> {
    code.rmatch_indices(';')
        .map(|(at, _)| at)
        .take(MAX_TAILS)
        .filter(|at| only_trivia(&code[at + 1..]))
}

fn only_trivia(mut text: &str) -> bool {
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() || c == ';' || c == '\u{feff}');
        if text.is_empty() {
            return true;
        }
        text = if let Some(comment) = text.strip_prefix("//") {
            comment
                .find(['\n', '\r', '\u{2028}', '\u{2029}'])
                .map_or("", |end| &comment[end..])
        } else if let Some(comment) = text.strip_prefix("/*") {
            match comment.find("*/") {
                Some(end) => &comment[end + 2..],
                None => return false,
            }
        } else {
            return false;
        };
    }
}

/// The fault in terms of the snippet: columns in characters (the engine counts bytes), and a fault that the parser
/// saw in our closing brackets lies at the end.
fn within(code: &str, fault: Fault) -> Fault {
    let lines = code.lines().count().max(1);
    let text = code.lines().nth(fault.line - 1).unwrap_or("");
    if fault.line > lines || (fault.line == lines && fault.column > text.len() + 1) {
        let last = code.lines().last().unwrap_or("").chars().count();
        return Fault {
            message: "the code ends too early".into(),
            line: lines,
            column: last + 1,
        };
    }
    let column = text
        .char_indices()
        .take_while(|(at, _)| *at < fault.column - 1)
        .count()
        + 1;
    Fault { column, ..fault }
}

impl Fault {
    /// The fault with its line and a caret below the place.
    pub(super) fn show(&self, code: &str, file: &str) -> String {
        let line = code.lines().nth(self.line - 1).unwrap_or("");
        // Of a very long line, the part around the place.
        let start = self.column.saturating_sub(100);
        let shown: String = line.chars().skip(start).take(160).collect();
        let indent: String = line
            .chars()
            .skip(start)
            .take(self.column - 1 - start)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        format!(
            "SyntaxError: {} ({file}:{number}:{})\n {number} | {shown}\n {gutter} | {indent}^\n",
            self.message, self.column,
        )
    }

    /// What to change, for mistakes that are made often.
    pub(super) fn hint(&self, code: &str) -> Option<&'static str> {
        let line = code.lines().nth(self.line - 1).unwrap_or("").trim_start();
        if line.starts_with("import ") || line.starts_with("export ") {
            return Some("a snippet has no modules; everything it can use is a global already");
        }
        let at = code
            .lines()
            .nth(self.line - 1)?
            .chars()
            .nth(self.column - 1)?;
        (at == ':').then_some("snippets are plain JavaScript: remove type annotations")
    }
}
