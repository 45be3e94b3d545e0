//! The processes a browser started, found through `/proc`, so that none is left behind.

#[cfg(target_os = "linux")]
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name stands in parentheses and may hold anything; the parent is the second field after it.
            let parent = stat
                .rsplit_once(')')?
                .1
                .split_whitespace()
                .nth(1)?
                .parse()
                .ok()?;
            Some((pid, parent))
        })
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn parents() -> Vec<(u32, u32)> {
    Vec::new()
}

/// All processes below `root`, in ascending order. Empty where there is no `/proc`.
pub(super) fn descendants(root: u32) -> Vec<u32> {
    let parents = parents();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found.remove(0);
    found.sort_unstable();
    found
}

/// Whether `pid` was started with exactly this argument.
pub(super) fn has_argument(pid: u32, argument: &str) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline"))
        // Chromium rewrites its title into one string, so words may be parted by blanks instead of NUL.
        .is_ok_and(|line| {
            line.split(|b| *b == 0 || *b == b' ')
                .any(|word| word == argument.as_bytes())
        })
}

/// Sends one signal; a process that is gone is no error.
#[cfg(unix)]
pub(super) fn signal(pid: u32, signal: rustix::process::Signal) {
    if let Some(pid) = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Kills what is left of a browser's helpers, and waits until they are gone: the kernel takes a killed process down when
/// it gets to it, not before `kill` returns.
pub(super) fn kill_all(pids: &[u32]) {
    #[cfg(unix)]
    {
        let end = std::time::Instant::now() + GONE_WITHIN;
        let mut left: Vec<u32> = pids.iter().copied().filter(|pid| is_helper(*pid)).collect();
        for pid in &left {
            signal(*pid, rustix::process::Signal::KILL);
        }
        loop {
            left.retain(|pid| is_helper(*pid));
            if left.is_empty() || std::time::Instant::now() >= end {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
    #[cfg(not(unix))]
    let _ = pids;
}

/// How long a killed helper may take to go on a busy machine.
#[cfg(unix)]
const GONE_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Whether `pid` is a browser's helper. A number may have been given to somebody else since it was read, and only a helper
/// is ours to kill; a dead one that nobody has waited for has no command line any more.
#[cfg(unix)]
fn is_helper(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
        line.windows(7)
            .any(|part| part == b"--type=" || part == b"crashpa")
    })
}
