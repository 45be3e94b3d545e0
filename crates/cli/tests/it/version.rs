use crate::bed::Bed;

#[test]
fn it_says_its_version_and_starts_nothing() {
    let bed = Bed::new();
    let said = bed.ok(["version"]);
    assert!(
        said.starts_with(concat!("keeptab ", env!("CARGO_PKG_VERSION"), " (")),
        "{said}"
    );
    assert!(!bed.home().join("run/keeptab.sock").exists());
    let (code, json) = bed.json(["version"]);
    assert_eq!(
        (code, json["data"]["version"].as_str()),
        (0, Some(env!("CARGO_PKG_VERSION")))
    );
    assert!(json["data"]["daemon"].is_null());
}

#[test]
fn it_names_the_daemons_build_too() {
    let bed = Bed::new();
    bed.ok(["daemon", "start"]);
    let (_, json) = bed.json(["version"]);
    assert_eq!(json["data"]["daemon"]["version"], json["data"]["version"]);
}
