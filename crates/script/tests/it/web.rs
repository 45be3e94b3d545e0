//! The classes of the web platform that a snippet has without a browser: addresses, and ways to stop.

use crate::support::Rig;

async fn all(cases: &[(&str, &str)]) {
    let rig = Rig::new();
    for (code, out) in cases {
        assert_eq!(rig.out(code).await, *out, "{code}");
    }
}

#[tokio::test]
async fn addresses_are_read_as_browsers_read_them() {
    all(&[
        ("new URL('HTTPS://User:pa%20ss@Exämple.com:443/a/../b?x=1#y').href", "https://User:pa%20ss@xn--exmple-cua.com/b?x=1#y"),
        ("new URL('../c?d', 'http://example.com/a/b/x').href", "http://example.com/a/c?d"),
        ("new URL('//other.org', new URL('https://example.com')).href", "https://other.org/"),
        ("new URL('http://127.0.0.1:40773\\\\@allowed.com/').host", "127.0.0.1:40773"),
        ("new URL('http://0x7f.1/').hostname", "127.0.0.1"),
        ("const u = new URL('https://u:p@h.example:8443/p?q=1#f'); return [u.protocol, u.username, u.password, u.host, u.hostname, u.port, u.pathname, u.search, u.hash, u.origin].join(' ')",
         "https: u p h.example:8443 h.example 8443 /p ?q=1 #f https://h.example:8443"),
        ("new URL('data:text/plain,x').origin", "null"),
        ("new URL('http://[::1]:80/').host", "[::1]"),
        ("`${URL.canParse('x')} ${URL.canParse('/x', 'http://h')} ${URL.parse('x')} ${URL.parse('http://h').host}`", "false true null h"),
        ("try { new URL('/only/a/path') } catch (e) { return `${e.name}: ${e.message}` }", "TypeError: \"/only/a/path\" is not a valid URL"),
        ("try { new URL('http://[x', 'http://h') } catch (e) { return e.message }", "\"http://[x\" is not a valid URL against \"http://h\""),
    ])
    .await;
}

#[tokio::test]
async fn parts_of_an_address_can_be_set() {
    all(&[
        ("const u = new URL('http://h/a'); u.protocol = 'https'; u.host = 'x.example:81'; u.port = ''; u.pathname = 'b c'; u.search = 'q=ü'; u.hash = 'z'; u.username = 'me'; return u.href",
         "https://me@x.example/b%20c?q=%C3%BC#z"),
        ("const u = new URL('http://h/a'); u.port = 'nonsense'; u.protocol = 'mailto'; u.host = ''; return u.href", "http://h/a"),
        ("const u = new URL('http://h/a'); u.href = 'http://i/'; try { u.href = 'no' } catch (e) { return u.href + e.name }", "http://i/TypeError"),
        ("const u = new URL('http://h/?a=1'); u.searchParams.append('b', '2 3'); u.searchParams.delete('a'); return u.href", "http://h/?b=2+3"),
        ("const u = new URL('http://h/?a=1'); const p = u.searchParams; u.search = '?c=4'; return `${p} ${p === u.searchParams}`", "c=4 true"),
        ("const u = new URL('http://h/?a=1'); u.searchParams.delete('a'); return u.href", "http://h/"),
        ("const u = new URL('http://h/?a=1'); const p = u.searchParams; u.href = 'http://i/?z=9'; return p.get('z')", "9"),
    ])
    .await;
}

#[tokio::test]
async fn queries_are_lists_of_pairs() {
    all(&[
        ("new URLSearchParams('?a=1&a=2&b=%41+c&d').getAll('a')", r#"["1","2"]"#),
        ("const p = new URLSearchParams('a=1&a=2&b=%41+c&d'); return `${p.get('b')}|${p.get('d')}|${p.get('e')}|${p.size}|${p.has('a', '2')}|${p.has('a', '3')}`", "A c||null|4|true|false"),
        ("new URLSearchParams({q: 'a b', n: 1}).toString()", "q=a+b&n=1"),
        ("new URLSearchParams([['x', 'é'], ['y', '&=']]).toString()", "x=%C3%A9&y=%26%3D"),
        ("new URLSearchParams(new Map([['m', 'n']])).toString()", "m=n"),
        ("const p = new URLSearchParams('b=2&a=1&b=3'); p.set('b', '4'); p.sort(); return [...p]", r#"[["a","1"],["b","4"]]"#),
        ("const p = new URLSearchParams('a=1&a=2'); p.delete('a', '1'); return `${p}`", "a=2"),
        ("const p = new URLSearchParams('a=1&b=2'); const seen = []; p.forEach((v, k) => seen.push(k + v)); return [...seen, ...p.keys(), ...p.values()]", r#"["a1","b2","a","b","1","2"]"#),
        ("try { new URLSearchParams([['a']]) } catch (e) { return e.name }", "TypeError"),
        ("new URLSearchParams('x=\\ud800').toString()", "x=%EF%BF%BD"),
    ])
    .await;
}

#[tokio::test]
async fn a_signal_tells_that_work_should_stop() {
    all(&[
        ("const c = new AbortController(); const s = []; c.signal.onabort = () => s.push('on'); c.signal.addEventListener('abort', (e) => s.push(e.type, e.target === c.signal)); c.abort(); c.abort('again'); return [c.signal.aborted, c.signal.reason.name, ...s]",
         r#"[true,"AbortError","on","abort",true]"#),
        ("const c = new AbortController(); c.abort('why'); try { c.signal.throwIfAborted() } catch (e) { return e }", "why"),
        ("const s = AbortSignal.timeout(5); await new Promise((done) => s.addEventListener('abort', done)); return s.reason.name", "TimeoutError"),
        ("const c = new AbortController(); const any = AbortSignal.any([AbortSignal.timeout(60000), c.signal]); c.abort('one'); return any.reason", "one"),
        ("AbortSignal.any([AbortSignal.abort('early')]).reason", "early"),
        ("try { new AbortSignal() } catch (e) { return e.name }", "TypeError"),
        ("const t = new EventTarget(); let n = 0; const f = () => n++; t.addEventListener('x', f); t.addEventListener('x', f); t.addEventListener('x', { handleEvent: () => (n += 10) }, { once: true }); t.dispatchEvent(new Event('x')); t.removeEventListener('x', f); t.dispatchEvent(new Event('x')); return n", "11"),
        ("const t = new EventTarget(); const c = new AbortController(); let n = 0; t.addEventListener('x', () => n++, { signal: c.signal }); c.abort(); t.dispatchEvent(new Event('x')); return n", "0"),
        ("const t = new EventTarget(); t.addEventListener('x', (e) => e.preventDefault()); return `${t.dispatchEvent(new Event('x'))} ${t.dispatchEvent(new Event('x', { cancelable: true }))}`", "true false"),
    ])
    .await;
    let rig = Rig::new();
    let outcome = rig.eval("const t = new EventTarget(); t.addEventListener('x', () => { throw new Error('one listener') }); let other = 0; t.addEventListener('x', () => other++); t.dispatchEvent(new Event('x')); return other").await;
    assert_eq!(outcome.stdout, "1", "{outcome:?}");
    assert!(outcome.stderr.contains("one listener"), "{outcome:?}");
}

#[tokio::test]
async fn they_print_readably_and_are_not_cloned() {
    all(&[
        ("new URL('http://h/?a=1')", "http://h/?a=1"),
        ("({ url: new URL('http://h/') })", r#"{"url":"http://h/"}"#),
        (
            "JSON.stringify({ url: new URL('http://h/') })",
            r#"{"url":"http://h/"}"#,
        ),
        (
            "new URLSearchParams('a=1&b=2')",
            "URLSearchParams { a=1&b=2 }",
        ),
        ("new URLSearchParams()", "URLSearchParams {  }"),
        ("new AbortController()", "AbortController {}"),
        ("AbortSignal.abort('x')", "AbortSignal { aborted: x }"),
        (
            "`${new URL('http://h/')} ${Object.prototype.toString.call(new URL('http://h'))}`",
            "http://h/ [object URL]",
        ),
        (
            "try { structuredClone(new URL('http://h/')) } catch (e) { return e.name }",
            "DataCloneError",
        ),
        ("Object.keys(globalThis).includes('URL')", "false"),
        (
            "globalThis.AbortSignal = 'mine'; new AbortController(); return AbortSignal",
            "mine",
        ),
    ])
    .await;
}
