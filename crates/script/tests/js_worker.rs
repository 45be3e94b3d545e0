//! The worker as a program of its own, for this crate's tests; the product has it as a hidden command.
#![forbid(unsafe_code)]

fn main() {
    keeptab_script::worker_main()
}
