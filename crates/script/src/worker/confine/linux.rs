//! Landlock, seccomp and resource limits.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope,
};
use rustix::process::{Resource, Rlimit, Signal};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule,
};

use crate::limits::Limits;

/// Address space beside the heap and the frames: the program itself, its libraries, stacks, the allocator's arenas.
const BASE_ADDRESS_SPACE: u64 = 512 << 20;
/// Memory pages that could hold code.
const PROT_EXEC: u64 = 4;

/// Asks the kernel to end this process when the thread that started it ends, so that not even an
/// endless loop outlives the daemon.
pub(crate) fn die_with_parent() {
    // Best effort: end of input ends the worker as well.
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
}

/// Shuts everything that a worker does not need. Cannot be undone.
pub(crate) fn apply(limits: &Limits) -> io::Result<()> {
    // First, because it needs a file descriptor for a moment.
    close_files().map_err(io::Error::other)?;
    let address_space = BASE_ADDRESS_SPACE + (limits.heap as u64) * 2 + (limits.frame as u64) * 2;
    for (resource, value) in [
        (Resource::As, address_space),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, 3),
        (Resource::Nproc, 0),
    ] {
        rustix::process::setrlimit(
            resource,
            Rlimit {
                current: Some(value),
                maximum: Some(value),
            },
        )?;
    }
    let filter = system_calls().map_err(io::Error::other)?;
    seccompiler::apply_filter(&filter).map_err(io::Error::other)
}

/// No file, no socket address, no signal to others. What an older kernel cannot do is left to seccomp.
fn close_files() -> Result<(), landlock::RulesetError> {
    let abi = ABI::V6;
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .restrict_self()?;
    Ok(())
}

/// The few system calls that computing, the three pipes and a clock need; all others fail with EPERM.
fn system_calls() -> Result<BpfProgram, seccompiler::BackendError> {
    let is = |argument, value| SeccompCondition::new(argument, Len::Dword, Op::Eq, value);
    let without_exec =
        |argument| SeccompCondition::new(argument, Len::Dword, Op::MaskedEq(PROT_EXEC), 0);
    let rule = |conditions| SeccompRule::new(conditions);
    let any = Vec::new;

    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    rules.insert(libc::SYS_read, vec![rule(vec![is(0, 0)?])?]);
    rules.insert(
        libc::SYS_write,
        vec![rule(vec![is(0, 1)?])?, rule(vec![is(0, 2)?])?],
    );
    // Memory, but never code.
    rules.insert(libc::SYS_mmap, vec![rule(vec![without_exec(2)?])?]);
    rules.insert(libc::SYS_mprotect, vec![rule(vec![without_exec(2)?])?]);
    // Its own processor time only: resource 0, RLIMIT_CPU, of process 0, itself.
    rules.insert(libc::SYS_prlimit64, vec![rule(vec![is(0, 0)?, is(1, 0)?])?]);
    for call in [
        libc::SYS_brk,
        libc::SYS_clock_gettime,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_futex,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_gettimeofday,
        libc::SYS_madvise,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_ppoll,
        libc::SYS_restart_syscall,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_yield,
        libc::SYS_sigaltstack,
    ] {
        rules.insert(call, any());
    }
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_poll, any());
    // Aborting must work: a signal to itself. The process number is fixed from here on.
    let own = u64::from(
        rustix::process::getpid()
            .as_raw_nonzero()
            .get()
            .unsigned_abs(),
    );
    rules.insert(libc::SYS_tgkill, vec![rule(vec![is(0, own)?])?]);

    SeccompFilter::new(
        rules,
        // EPERM is 1 on every Linux.
        SeccompAction::Errno(1),
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?
    .try_into()
}

/// Lets this process use `more` processor time from now on and not a second longer: the kernel's own deadline, should
/// the owner be stopped as well.
pub(crate) fn bound_processor_time(more: Duration) {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(used.tv_sec)
        .unwrap_or(0)
        .saturating_add(more.as_secs())
        .saturating_add(3);
    let hard = rustix::process::getrlimit(Resource::Cpu).maximum;
    // A lower hard limit set from outside is kept.
    let current = Some(hard.map_or(seconds, |hard| hard.min(seconds)));
    let _ = rustix::process::setrlimit(
        Resource::Cpu,
        Rlimit {
            current,
            maximum: hard,
        },
    );
}

/// Fills `bytes` with randomness from the kernel.
pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        filled +=
            rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(())
}
