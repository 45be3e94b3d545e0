//! What counts as one expression, what as statements, and what neither.

use keeptab_script::ErrorKind;

use crate::support::Rig;

#[tokio::test]
async fn single_expressions_are_their_own_result() {
    let rig = Rig::new();
    for (code, out) in [
        ("\"a;b\"", "a;b"),
        ("1 // c", "1"),
        ("1 /* ; */", "1"),
        ("// first\n1", "1"),
        ("{a:1}", "{\"a\":1}"),
        ("{a:1,b:2}", "{\"a\":1,\"b\":2}"),
        ("{a:1};", "{\"a\":1}"),
        ("1;", "1"),
        ("1;; // done; really", "1"),
        ("1; /* a */ ;\n", "1"),
        ("`a\nb;`", "a\nb;"),
        ("[1,\n 2,\n 3]\n .map(x => x * 2)\n .join(';')", "2;4;6"),
        ("await Promise.resolve(7)", "7"),
        ("(await Promise.resolve({v: 8})).v", "8"),
        ("1, 2", "2"),
        ("async () => 1", "async () => 1"),
        ("(() => { let x = 1; return x; })()", "1"),
        ("/;/.test(';')", "true"),
        ("'it\\'s; fine'", "it's; fine"),
        ("x = 5", "5"),
        ("typeof nothing", "undefined"),
        ("#!/usr/bin/env keeptab\n3", "3"),
        ("\u{feff}4", "4"),
        ("  \n 5 \n ", "5"),
        ("function f() { return 1 }", "function f() { return 1 }"),
        ("new Promise(done => setTimeout(done, 1, 'later'))", "later"),
        ("'</script>' + '\\u2028'.length", "</script>1"),
        ("a?.b\n;var a", ""),
    ] {
        assert_eq!(rig.out(code).await, out, "{code:?}");
    }
}

#[tokio::test]
async fn statements_return_what_they_return() {
    let rig = Rig::new();
    for (code, out) in [
        ("const a = 1; a", ""),
        ("const a = 1; return a", "1"),
        ("const a = 1\nreturn a + 1", "2"),
        ("'a'; 'b'", ""),
        ("if (true) { return 'yes' }", "yes"),
        ("for (const x of [1, 2]) if (x === 2) return x", "2"),
        (
            "try { throw new Error('x') } catch (e) { return e.message }",
            "x",
        ),
        ("const v = await Promise.resolve(3);\nreturn v;", "3"),
        ("return", ""),
        ("", ""),
        ("   ", ""),
        ("// only a comment", ""),
        (";", ""),
        ("return {a: 1}", "{\"a\":1}"),
        (
            "'use strict'; return (function () { return this })() === undefined",
            "true",
        ),
        (
            "let console = {log: () => 'mine'}; return console.log()",
            "mine",
        ),
        ("const session = 1; return session", "1"),
        ("for await (const x of [Promise.resolve(1)]) return x", "1"),
    ] {
        assert_eq!(rig.out(code).await, out, "{code:?}");
    }
}

#[tokio::test]
async fn globals_last_and_declarations_do_not() {
    let rig = Rig::new();
    assert_eq!(
        rig.out("const a = 1; let b = 2; var c = 3; globalThis.d = 4; return a + b + c + d")
            .await,
        "10"
    );
    assert_eq!(
        rig.out("[typeof a, typeof b, typeof c, typeof d].join()")
            .await,
        "undefined,undefined,undefined,number"
    );
    assert_eq!(rig.out("const a = 5; return a").await, "5");
    assert_eq!(rig.out("globalThis.d++; return d").await, "5");
    assert_eq!(rig.out("implicit = 6; return implicit").await, "6");
    assert_eq!(rig.out("implicit").await, "6");
}

#[tokio::test]
async fn syntax_errors_have_line_and_caret() {
    let rig = Rig::new();
    let mut shown = String::new();
    for code in [
        "1 +",
        "foo bar",
        "const a = 1;\nconst b = ;\nreturn b",
        "let x: number = 1",
        "import fs from 'fs'",
        "if (true) {",
        "'never closed",
        "return 1 +\n  * 2",
        "a )) (( b",
        "1)); while (1); ((2",
        "}); (() => {",
        "let a = 1; let a = 2",
        "\tconst ä = 'ö' 5",
        "JSON.parse('{')(",
    ] {
        let outcome = rig.eval(code).await;
        assert!(!outcome.ok, "{code:?}");
        assert_eq!(
            outcome.error.as_ref().map(|e| e.kind),
            Some(ErrorKind::Syntax),
            "{code:?}: {outcome:?}"
        );
        assert_eq!(outcome.stdout, "");
        shown.push_str(&format!("{code}\n---\n{}\n", outcome.stderr));
    }
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn errors_show_where_in_the_snippet() {
    let rig = Rig::new();
    let mut shown = String::new();
    for code in [
        "null.foo",
        "nowhere()",
        "throw new TypeError('plain')",
        "throw 'a string'",
        "throw {code: 5}",
        "throw undefined",
        "Promise.reject({})",
        "const f = () => {\n  throw new Error('deep');\n};\nf();",
        "const g = async () => { await null; throw new RangeError('after await') };\nawait g()",
        "throw new Error('outer', {cause: new TypeError('inner')})",
        "await Promise.any([Promise.reject(new Error('one')), Promise.reject(new Error('two'))])",
        "JSON.parse('{bad')",
        "class MyError extends Error { name = 'MyError' }\nthrow new MyError('own class')",
        "await import('fs')",
        "require('fs')",
    ] {
        let outcome = rig.eval(code).await;
        assert!(!outcome.ok, "{code:?}");
        assert_eq!(
            outcome.error.as_ref().map(|e| e.kind),
            Some(ErrorKind::Thrown),
            "{code:?}: {outcome:?}"
        );
        shown.push_str(&format!("{code}\n---\n{}\n", outcome.stderr));
    }
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn what_newcomers_reach_for_is_pointed_to() {
    let rig = Rig::new();
    for (code, word) in [
        ("document.title", "Runtime.evaluate({expression: 'document"),
        ("fetch('https://example.com')", "spec --dts"),
        ("require('fs')", "spec --dts"),
        (
            "const all = []; for (;;) all.push(new Array(1e6).fill(0))",
            "256 MiB",
        ),
    ] {
        let outcome = rig.eval(code).await;
        let hint = outcome
            .error
            .and_then(|error| error.hint)
            .unwrap_or_default();
        assert!(hint.contains(word), "{code}: {hint}");
        assert!(outcome.stderr.contains(&hint), "{code}: {}", outcome.stderr);
    }
    assert_eq!(rig.error("nothing.at.all").await.hint, None);
}
