use crate::bed::{Bed, chromium};

#[test]
fn its_exit_code_tells_what_is_the_matter() {
    let (bed, chromium) = (Bed::new(), chromium());
    let down = bed.fails(8, ["status"]);
    assert!(down.contains("daemon is not running"), "{down}");
    bed.ok(["daemon", "start"]);
    bed.fails(6, ["status"]);
    bed.ok(["js", "1"]);
    assert_eq!(bed.run(["status"]).code, 8, "a scope, but no browser");
    bed.ok(["attach", "--port", &chromium.port().to_string()]);
    let said = bed.ok(["status"]);
    assert!(said.contains("default: Connected (epoch 1)"), "{said}");
    assert!(said.contains("Chrom"), "the product: {said}");
    assert!(said.contains("fence: none"), "{said}");
}

#[test]
fn looking_does_not_start_the_daemon() {
    let bed = Bed::new();
    bed.run(["status"]);
    assert!(!bed.home().join("run/keeptab.sock").exists());
}
