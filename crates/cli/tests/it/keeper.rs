use crate::bed::Bed;

#[test]
fn it_explains_itself_to_whoever_starts_it_by_hand() {
    let ran = Bed::new().run(["keeper"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("usage: keeptab keeper"),
        "{}",
        ran.stderr
    );
}

#[test]
fn it_is_not_advertised() {
    let help = Bed::new().ok(["--help"]);
    assert!(!help.contains("keeper"), "{help}");
}
