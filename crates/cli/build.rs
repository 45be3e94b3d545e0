//! Gives each build a name made from its sources, so that a daemon of other sources is noticed.

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    // All rooms, because the daemon is made of all of them. Tests are no part of it.
    let rooms = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(&rooms) else {
        return;
    };
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
