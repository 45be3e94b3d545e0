use crate::bed::Bed;

#[test]
fn each_shell_gets_a_script_that_knows_the_commands() {
    let bed = Bed::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bed.ok(["completions", shell]);
        for word in ["reconnect", "browsers"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains("js-worker"), "{shell}");
    }
}

#[test]
fn bash_can_read_its_script() {
    let bed = Bed::new();
    let script = bed.ok(["completions", "bash"]);
    let file = bed.home().join("keeptab.bash");
    std::fs::write(&file, script).unwrap();
    let read = std::process::Command::new("bash")
        .arg("-n")
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        read.status.success(),
        "{}",
        String::from_utf8_lossy(&read.stderr)
    );
}

#[test]
fn an_unknown_shell_is_a_mistake() {
    let said = Bed::new().fails(2, ["completions", "dos"]);
    assert!(said.contains("dos"), "{said}");
}
