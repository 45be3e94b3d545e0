use crate::bed::{Bed, chromium};

#[test]
fn a_running_browser_is_listed_with_where_it_is() {
    let bed = Bed::new();
    let chromium = chromium();
    // Browsers are looked for in the usual places below the home directory.
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".config")).unwrap();
    std::os::unix::fs::symlink(chromium.profile(), home.path().join(".config/chromium")).unwrap();
    let mut command = bed.command();
    let output = command
        .args(["--json", "browsers"])
        .env("HOME", home.path())
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let browser = &found["data"]["browsers"][0];
    assert_eq!(browser["port"], chromium.port(), "{found}");
    assert_eq!(browser["ws_url"], chromium.ws_url());
    let text = bed.ok(["browsers"]);
    assert!(text.contains(&chromium.ws_url()), "{text}");
}
