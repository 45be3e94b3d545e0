use std::io::Write;
use std::process::Stdio;

use crate::bed::Bed;

#[test]
fn it_ends_when_nobody_is_there_any_more() {
    let bed = Bed::new();
    let mut worker = bed
        .command()
        .arg("js-worker")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = worker.stdin.take().unwrap();
    // Bytes that are no frame must not keep it either.
    let _ = stdin.write_all(b"nonsense");
    drop(stdin);
    crate::bed::eventually("it ends", || worker.try_wait().unwrap().is_some());
}

#[test]
fn it_is_not_advertised() {
    let help = Bed::new().ok(["--help"]);
    assert!(!help.contains("js-worker"), "{help}");
}
