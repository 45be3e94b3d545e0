//! Bodies in files.

use keeptab_buffers::{Bodies, BodiesOptions, Body, BodyError, BodyRef};

fn open(dir: &tempfile::TempDir) -> Bodies {
    let options = BodiesOptions {
        budget: 10_000,
        max_body: 5_000,
        inline: 10,
        ..options(dir)
    };
    Bodies::open(options).unwrap()
}

fn options(dir: &tempfile::TempDir) -> BodiesOptions {
    BodiesOptions::new(dir.path().join("bodies"))
}

fn file(bodies: &mut Bodies, content: &[u8]) -> BodyRef {
    match bodies.keep(content).unwrap() {
        Body::File(body) => body,
        other => panic!("{other:?}"),
    }
}

fn is_gone(bodies: &mut Bodies, body: &BodyRef) -> bool {
    matches!(bodies.read(body), Err(BodyError::Gone))
}

#[test]
fn small_text_stays_in_the_entry_and_large_bodies_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut bodies = open(&dir);
    assert_eq!(bodies.keep(b"small").unwrap(), Body::Text("small".into()));
    assert!(
        matches!(bodies.keep(&[0xff, 1]).unwrap(), Body::File(_)),
        "bytes are not text"
    );
    assert_eq!(
        bodies.keep(&[7; 5_001]).unwrap(),
        Body::TooLarge { bytes: 5_001 }
    );
}

#[test]
fn the_oldest_goes_when_the_budget_is_spent() {
    let dir = tempfile::tempdir().unwrap();
    let mut bodies = open(&dir);
    let first = file(&mut bodies, &[1; 4_000]);
    let second = file(&mut bodies, &[2; 4_000]);
    assert_eq!(bodies.read(&first).unwrap(), [1; 4_000]);
    let third = file(&mut bodies, &[3; 4_000]);
    assert!(
        is_gone(&mut bodies, &second),
        "it was not asked for, the first one was"
    );
    assert_eq!(bodies.read(&first).unwrap(), [1; 4_000]);
    assert_eq!(bodies.read(&third).unwrap(), [3; 4_000]);
    assert_eq!(bodies.total(), 8_000);
    bodies.clear().unwrap();
    assert!(is_gone(&mut bodies, &third));
    assert_eq!(
        std::fs::read_dir(dir.path().join("bodies"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn equal_bodies_share_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut bodies = open(&dir);
    for _ in 0..5 {
        file(&mut bodies, &[1; 4_000]);
    }
    assert_eq!(bodies.total(), 4_000);
    assert_eq!(
        std::fs::read_dir(dir.path().join("bodies"))
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn a_restart_finds_what_was_whole_and_sweeps_what_was_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut bodies = open(&dir);
    let old = file(&mut bodies, &[1; 3_000]);
    let new = file(&mut bodies, &[2; 3_000]);
    drop(bodies);
    std::fs::write(dir.path().join("bodies/new.tmp"), "half").unwrap();

    let mut bodies = open(&dir);
    assert!(!dir.path().join("bodies/new.tmp").exists());
    assert_eq!(bodies.total(), 6_000);
    assert_eq!(bodies.read(&new).unwrap(), [2; 3_000]);
    drop(bodies);

    let smaller = BodiesOptions {
        budget: 4_000,
        ..options(&dir)
    };
    let mut bodies = Bodies::open(smaller).unwrap();
    assert!(
        is_gone(&mut bodies, &old),
        "the older one goes first, also after a restart"
    );
    assert_eq!(bodies.read(&new).unwrap(), [2; 3_000]);
}

#[test]
fn a_damaged_file_is_said_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let mut bodies = open(&dir);
    let body = file(&mut bodies, &[1; 3_000]);
    let path = std::fs::read_dir(dir.path().join("bodies"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::write(&path, [1; 2_999]).unwrap();
    assert!(matches!(bodies.read(&body), Err(BodyError::Damaged)));
    assert!(is_gone(&mut bodies, &body));
    assert_eq!(bodies.total(), 0);
}

#[test]
fn a_file_taken_away_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut bodies = open(&dir);
    let body = file(&mut bodies, &[1; 3_000]);
    for entry in std::fs::read_dir(dir.path().join("bodies")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert!(bodies.read(&body).is_err());
    file(&mut bodies, &[1; 3_000]);
    assert_eq!(bodies.read(&body).unwrap(), [1; 3_000]);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_look() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let mut bodies = open(&dir);
    file(&mut bodies, &[1; 3_000]);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let home = dir.path().join("bodies");
    assert_eq!(mode(&home), 0o700);
    for entry in std::fs::read_dir(&home).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}
