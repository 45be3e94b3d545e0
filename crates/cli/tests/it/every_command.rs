//! No command is without tests.

#[test]
fn every_command_has_a_test_module() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = std::fs::read_to_string(root.join("tests/it/main.rs")).unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(root.join("src/commands")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "mod" || name == "dispatch" {
            continue;
        }
        seen += 1;
        assert!(
            modules.contains(&format!("mod {name};")),
            "{name} is not tested"
        );
        let tests = std::fs::read_to_string(root.join(format!("tests/it/{name}.rs"))).unwrap();
        assert!(
            tests.contains("#[test]"),
            "{name} has a module without tests"
        );
    }
    assert!(seen > 10, "the commands were not found");
}
