//! What is opened, what is refused, and who may read it.

use keeptab_store::{Batch, Change, Kind, SqliteOptions, SqliteStore, Store};
use rusqlite::Connection;

use crate::helpers::{block_on, session};

fn err(options: SqliteOptions) -> keeptab_store::StoreError {
    match SqliteStore::open(options) {
        Err(error) => error,
        Ok(_) => panic!("it was opened"),
    }
}

#[test]
fn what_was_written_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(dir.path().join("deep/er/store.db"));
    let store = SqliteStore::open(options.clone()).unwrap();
    block_on(store.commit(Batch::of([Change::PutSession(session("a"))]))).unwrap();
    drop(store);
    let store = SqliteStore::open(options).unwrap();
    assert_eq!(block_on(store.sessions()).unwrap(), [session("a")]);
}

#[test]
fn a_store_of_a_newer_keeptab_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(dir.path().join("store.db"));
    let store = SqliteStore::open(options.clone()).unwrap();
    block_on(store.commit(Batch::of([Change::PutSession(session("a"))]))).unwrap();
    store.close();
    let db = Connection::open(&options.path).unwrap();
    db.pragma_update(None, "user_version", 9_999).unwrap();
    drop(db);
    let before = std::fs::read(&options.path).unwrap();

    let error = err(options.clone());
    assert_eq!(error.kind(), Kind::TooNew);
    assert!(error.to_string().contains("format 9999"), "{error}");
    assert!(error.hint().unwrap().contains("newer keeptab"));
    assert_eq!(std::fs::read(&options.path).unwrap(), before);

    let db = Connection::open(&options.path).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    drop(db);
    let store = SqliteStore::open(options).unwrap();
    assert_eq!(block_on(store.sessions()).unwrap(), [session("a")]);
}

#[test]
fn a_strangers_file_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("other.db");
    Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "not a database ".repeat(100)).unwrap();
    for (path, kind) in [(database, Kind::NotOurs), (text, Kind::Damaged)] {
        let before = std::fs::read(&path).unwrap();
        assert_eq!(err(SqliteOptions::new(&path)).kind(), kind);
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let error = err(SqliteOptions::new(dir.path().join("file/store.db")));
    assert_eq!(error.kind(), Kind::Open);
    assert!(error.hint().is_some());
}

#[cfg(unix)]
#[test]
fn nobody_else_may_look_also_where_they_could_before() {
    use std::os::unix::fs::PermissionsExt;
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("keeptab");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("store.db"), "").unwrap();
    for path in [home.clone(), home.join("store.db")] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let store = SqliteStore::open(SqliteOptions::new(home.join("store.db"))).unwrap();
    block_on(store.commit(Batch::of([Change::PutSession(session("a"))]))).unwrap();
    assert_eq!(mode(&home), 0o700);
    let mut files = 0;
    for file in std::fs::read_dir(&home).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert_eq!(files, 3, "the file, its log and its index");
}
