//! A SQLite VFS that fails, or kills the process, at the n-th write.
//!
//! It is the system's own VFS with three functions of its files replaced:
//! write, sync and truncate. Only a VFS sees every single write.
#![allow(unsafe_code, reason = "SQLite's VFS is a C interface")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::Mutex;

use rusqlite::ffi;

/// What happens at the chosen operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process dies before it is done.
    Kill,
    /// Half of a write is done, then the process dies.
    Tear,
    /// This sync, and none before, reports an error of the device. Later ones
    /// report success, as a kernel does that has dropped the pages.
    SyncFails,
    /// From here on there is no space, until the plan is changed.
    NoSpace,
}

/// When it happens: at operation number `at`, counted from 1. A count of only
/// the syncs for [`Fault::SyncFails`], of all three kinds for the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) fault: Fault,
    pub(crate) at: u64,
}

struct State {
    plan: Option<Plan>,
    operations: u64,
    syncs: u64,
}

/// Held by whoever sets a plan: there is one per process, and its counts are of one store.
pub(crate) static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

static STATE: Mutex<State> = Mutex::new(State {
    plan: None,
    operations: 0,
    syncs: 0,
});

/// The name to open a store with.
pub(crate) const NAME: &str = "keeptab-faulty";
const C_NAME: &CStr = c"keeptab-faulty";

/// Registers the VFS, once per process, and sets what it does.
pub(crate) fn install(plan: Option<Plan>) {
    *STATE.lock().unwrap() = State {
        plan,
        operations: 0,
        syncs: 0,
    };
    // SAFETY: the default VFS lives as long as the process, and so does the
    // copy, which is leaked; registering is thread-safe.
    unsafe {
        if !ffi::sqlite3_vfs_find(C_NAME.as_ptr()).is_null() {
            return;
        }
        let system = ffi::sqlite3_vfs_find(ptr::null());
        let mut vfs = ptr::read(system);
        vfs.zName = C_NAME.as_ptr();
        vfs.pNext = ptr::null_mut();
        vfs.xOpen = Some(open);
        let registered = ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0);
        assert_eq!(registered, ffi::SQLITE_OK);
    }
}

/// How many operations there were since [`install`].
pub(crate) fn operations() -> u64 {
    STATE.lock().unwrap().operations
}

/// A file's functions, with the real ones kept behind them.
#[repr(C)]
struct Methods {
    replaced: ffi::sqlite3_io_methods,
    real: *const ffi::sqlite3_io_methods,
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: the arguments are SQLite's own, passed on to the VFS that laid
    // out `file`; the table put in place lives for ever.
    unsafe {
        let system = ffi::sqlite3_vfs_find(ptr::null());
        let Some(real_open) = (*system).xOpen else {
            return ffi::SQLITE_CANTOPEN;
        };
        let code = real_open(system, name, file, flags, out_flags);
        if code == ffi::SQLITE_OK && !(*file).pMethods.is_null() {
            let real = (*file).pMethods;
            let mut replaced = ptr::read(real);
            replaced.xWrite = Some(write);
            replaced.xSync = Some(sync);
            replaced.xTruncate = Some(truncate);
            (*file).pMethods = (&raw const *Box::leak(Box::new(Methods { replaced, real }))).cast();
        }
        code
    }
}

enum Verdict {
    Go,
    Tear,
    Fail(c_int),
}

fn decide(is_sync: bool) -> Verdict {
    let mut state = STATE.lock().unwrap();
    state.operations += 1;
    state.syncs += u64::from(is_sync);
    let Some(Plan { fault, at }) = state.plan else {
        return Verdict::Go;
    };
    match fault {
        Fault::Kill if state.operations == at => die(),
        Fault::Tear if state.operations == at => Verdict::Tear,
        Fault::SyncFails if is_sync && state.syncs == at => Verdict::Fail(ffi::SQLITE_IOERR_FSYNC),
        Fault::NoSpace if !is_sync && state.operations >= at => Verdict::Fail(ffi::SQLITE_FULL),
        _ => Verdict::Go,
    }
}

/// Ends the process at once: no destructor, no flush.
fn die() -> ! {
    std::process::abort()
}

unsafe fn real(file: *mut ffi::sqlite3_file) -> *const ffi::sqlite3_io_methods {
    // SAFETY: only files whose table `open` replaced get here.
    unsafe { (*(*file).pMethods.cast::<Methods>()).real }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    len: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: see `real`; half of a valid buffer is a valid buffer.
    unsafe {
        let Some(write) = (*real(file)).xWrite else {
            return ffi::SQLITE_IOERR_WRITE;
        };
        match decide(false) {
            Verdict::Go => write(file, bytes, len, offset),
            Verdict::Tear => {
                write(file, bytes, len / 2, offset);
                die()
            }
            Verdict::Fail(code) => code,
        }
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: see `real`.
    unsafe {
        let Some(sync) = (*real(file)).xSync else {
            return ffi::SQLITE_IOERR_FSYNC;
        };
        match decide(true) {
            Verdict::Go => sync(file, flags),
            Verdict::Tear => die(),
            Verdict::Fail(code) => code,
        }
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: see `real`.
    unsafe {
        let Some(truncate) = (*real(file)).xTruncate else {
            return ffi::SQLITE_IOERR_TRUNCATE;
        };
        match decide(false) {
            Verdict::Go => truncate(file, size),
            Verdict::Tear => die(),
            Verdict::Fail(code) => code,
        }
    }
}
