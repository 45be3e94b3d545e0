//! Letting go of the pages that only the start needed.

use std::ops::Range;

/// Gives the pages of our program and its libraries back to the system. What the loop still runs comes in
/// again from the file cache; the start, which is most of it, does not. A refusal costs only memory.
pub(crate) fn let_go_of_the_start() {
    #[cfg(target_os = "linux")]
    for range in std::fs::read_to_string("/proc/self/maps")
        .unwrap_or_default()
        .lines()
        .filter_map(unchanging)
    {
        let start = std::ptr::with_exposed_provenance_mut(range.start);
        // SAFETY: nothing ever writes to these mappings, see `unchanging`, so dropping a page changes nothing
        // but that its next reader takes it from the file again.
        #[allow(unsafe_code)]
        let _ =
            unsafe { rustix::mm::madvise(start, range.len(), rustix::mm::Advice::LinuxDontNeed) };
    }
}

/// The addresses of a mapping whose pages are those of its file: code, and the read-only part with which a
/// program or library begins. Other read-only parts may hold addresses that the loader put in.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn unchanging(line: &str) -> Option<Range<usize>> {
    let mut fields = line.split_ascii_whitespace();
    let (addresses, rights, offset) = (fields.next()?, fields.next()?, fields.next()?);
    let path = fields.nth(2)?;
    let begins = offset.bytes().all(|digit| digit == b'0');
    if !path.starts_with('/') || !(rights == "r-xp" || (rights == "r--p" && begins)) {
        return None;
    }
    let (from, to) = addresses.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some(address(from)?..address(to)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_as_in_the_file_is_let_go() {
        let code = "00400000-00401000 r-xp 00026000 fd:01 12 /usr/lib/x.so";
        assert_eq!(unchanging(code), Some(0x40_0000..0x40_1000));
        let head = "00400000-00401000 r--p 00000000 fd:01 12 /usr/lib/x.so";
        assert_eq!(unchanging(head), Some(0x40_0000..0x40_1000));
        for kept in [
            "00400000-00401000 r--p 0001d000 fd:01 12 /usr/lib/x.so",
            "00400000-00401000 rw-p 00000000 fd:01 12 /usr/lib/x.so",
            "00400000-00401000 rw-p 00000000 00:00 0 [heap]",
            "00400000-00401000 r-xp 00000000 00:00 0 [vdso]",
            "00400000-00401000 r-xp 00000000 00:00 0",
            "",
        ] {
            assert_eq!(unchanging(kept), None, "{kept}");
        }
    }

    /// After it everything still runs, and takes less.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_pages_are_gone_and_come_back() {
        let file_pages = || -> u64 {
            let status = std::fs::read_to_string("/proc/self/status").expect("proc");
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("RssFile:"));
            let digits = line.expect("RssFile").trim().trim_end_matches(" kB");
            digits.parse().expect("a number")
        };
        let before = file_pages();
        let_go_of_the_start();
        let after = file_pages();
        assert!(after < before, "{before} kB before, {after} kB after");
        assert_eq!(format!("{:?}", [1.5, 2.5]), "[1.5, 2.5]");
    }
}
