//! What a result looks like on standard output, and as JSON.

use std::fmt::Write;

use crate::support::Rig;

/// Each line of the table: an expression whose printed form the snapshot shows.
const VALUES: &[&str] = &[
    "'Example Domain'",
    "'two\\nlines'",
    "''",
    "42",
    "-0",
    "0.1 + 0.2",
    "1e21",
    "2 ** 53",
    "NaN",
    "-Infinity",
    "[NaN, Infinity]",
    "true",
    "12345678901234567890n",
    "({big: 12345678901234567890n})",
    "undefined",
    "null",
    "({})",
    "[]",
    "[[]]",
    "({a: 1, b: [1, 2, {c: 'd'}]})",
    "({a: undefined, f() {}, s: Symbol('x'), b: 1})",
    "({f() {}})",
    "[undefined, () => 1, Symbol('x')]",
    "[1,,3]",
    "new Array(3)",
    "({'quo\"te': '\\u0001\\u2028'})",
    "new Date(0)",
    "new Date(NaN)",
    "({at: new Date(0)})",
    "new Map([['a', 1], [{b: 2}, [3]]])",
    "new Map()",
    "({m: new Map([['a', 1]])})",
    "new Set([1, 'x', {y: 1}])",
    "({s: new Set([1])})",
    "/a+\\/b/gi",
    "new TypeError('wrong')",
    "({e: new RangeError('far')})",
    "new Uint8Array([1, 2, 255])",
    "new Float64Array([0.5, NaN])",
    "({t: new Uint8Array([1, 2])})",
    "new ArrayBuffer(2)",
    "new DataView(new ArrayBuffer(2), 1)",
    "x => x + 1",
    "function named(a) { return a }",
    "class Point {}",
    "console.log",
    "Symbol('tag')",
    "new (class Point { constructor() { this.x = 1 } })()",
    "new (class Empty {})()",
    "new (class Money { toJSON() { return '5 EUR' } })()",
    "({price: new (class Money { toJSON() { return {eur: 5} } })()})",
    "Object.create(null)",
    "Object.assign(Object.create(null), {a: 1})",
    "Object(1)",
    "Object('boxed')",
    "new WeakMap()",
    "[Promise.resolve(1)]",
    "(function* g() {})()",
    "(() => { const a = {n: 1}; a.self = a; return a })()",
    "(() => { const a = []; a.push(a, [a]); return a })()",
    "(() => { const shared = {x: 1}; return [shared, shared] })()",
    "'half: \\ud83d.'",
    "({half: '\\ud83d', '\\ud83d': 1})",
    "'whole: 😀'",
    "new Proxy({a: 1}, {})",
    "new Proxy([1, 2], {})",
    "Promise.resolve({then: undefined, v: 1})",
    "(function () { return arguments })(1, 2)",
    "new Error('no name', {cause: 1})",
    "globalThis.undefinedThing?.x",
];

#[tokio::test]
async fn the_printing_table() {
    let rig = Rig::new();
    let mut table = String::new();
    for code in VALUES {
        let outcome = rig.eval(code).await;
        assert!(outcome.ok, "{code}: {outcome:?}");
        assert_eq!(outcome.stderr, "", "{code}");
        let json = outcome.json.as_ref().map_or("-", |json| json.as_str());
        if json != "-" {
            serde_json::from_str::<serde_json::Value>(json)
                .unwrap_or_else(|e| panic!("{code}: {json}: {e}"));
        }
        writeln!(
            table,
            "{code}\n    prints {:?}\n    json   {json}",
            outcome.stdout
        )
        .unwrap();
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn deep_values_end_somewhere_and_do_not_crash() {
    let rig = Rig::new();
    let out = rig
        .out("let a = []; for (let i = 0; i < 100000; i++) a = [a]; return a")
        .await;
    assert!(out.contains("nested too deep"), "{}", &out[..200]);
    assert_eq!(rig.out("1").await, "1");
}

#[tokio::test]
async fn a_getter_that_throws_is_the_snippets_error() {
    let rig = Rig::new();
    let error = rig
        .error("({get a() { throw new TypeError('in the getter') }})")
        .await;
    assert!(error.message.contains("in the getter"), "{error:?}");
    let error = rig
        .error("({toJSON() { throw new Error('in toJSON') }})")
        .await;
    assert!(error.message.contains("in toJSON"), "{error:?}");
}

#[tokio::test]
async fn a_result_over_the_limit_is_cut_and_said() {
    let rig = Rig::new();
    let outcome = rig.eval("'ä'.repeat(50e6)").await;
    assert!(outcome.ok && outcome.truncated, "{:?}", outcome.error);
    assert_eq!(outcome.stdout.len(), 32 << 20);
    assert!(
        outcome.stderr.contains("cut at 33554432 bytes"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.json.is_none());
    let outcome = rig.eval("new Array(1e9)").await;
    assert!(outcome.ok && outcome.truncated, "{:?}", outcome.error);
    assert_eq!(rig.out("'still here'").await, "still here");
}

#[tokio::test]
async fn twenty_megabytes_come_out_whole() {
    let rig = Rig::new();
    let out = rig.out("'é\"'.repeat(7e6)").await;
    assert_eq!(out.len(), 21_000_000);
    let outcome = rig.eval("({a: 'é'.repeat(10e6)})").await;
    assert!(outcome.ok && !outcome.truncated);
    assert_eq!(outcome.stdout.len(), 20_000_008);
}
