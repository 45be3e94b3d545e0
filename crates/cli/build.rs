//! Gives each build a name made from its sources, so that a daemon of other sources is noticed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    quick_to_start();
    // All rooms, because the daemon is made of all of them. Tests are no part of it.
    // Asked when it runs: the checkout may have moved since this was compiled.
    let here =
        std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it for every build script");
    let rooms = Path::new(&here).join("..");
    let mut files = Vec::new();
    let entries = fs::read_dir(&rooms).expect("the rooms are beside this one");
    for room in entries.flatten() {
        let source = room.path().join("src");
        println!("cargo::rerun-if-changed={}", source.display());
        collect(&source, &mut files);
    }
    files.sort();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for file in files {
        let name = file
            .strip_prefix(&rooms)
            .unwrap_or(&file)
            .as_os_str()
            .as_encoded_bytes();
        let text = fs::read(&file).unwrap_or_default();
        for byte in name.iter().chain(&text) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    println!("cargo::rustc-env=KEEPTAB_BUILD_ID={hash:016x}");
}

/// What a start costs is paid with every command, so on Linux two things that the loader would do are done here.
///
/// The program gets a fixed address: a movable one has 25,000 addresses written into it at every start and keeps
/// a copy of those pages (0.1 to 0.5 ms of a command, 1 MB of each of our processes). Libraries, heap and stack
/// stay where chance puts them. And what unwinds the stack comes from the archive instead of a library of its own.
fn quick_to_start() {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if !(is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu")) {
        return;
    }
    println!("cargo::rustc-link-arg-bins=-no-pie");
    let linker = std::env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let asked = Command::new(linker)
        .arg("-print-file-name=libgcc_eh.a")
        .output();
    // A compiler that has no such file gives the name back as it is.
    if asked.is_ok_and(|answer| answer.status.success() && answer.stdout.starts_with(b"/")) {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
