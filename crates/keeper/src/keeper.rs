//! The loop: one thread, one `poll`, nothing that waits anywhere else.

use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::args::Args;
use crate::buffer::{Buf, Read, read};
use crate::child::{Browser, borrowed};
use crate::dialogs::Dialogs;
use crate::door::{Guest, MAX_GUESTS};
use crate::ending::Phase;
use crate::ledger::Ledger;
use crate::owner::Owner;
use crate::passing::Passing;
use crate::state::State;

/// With more than this waiting for the browser, the owner is not read, in bytes.
pub(crate) const MAX_UP: usize = 256 * 1024;
/// One read takes at most this much, in bytes.
const CHUNK: usize = 64 * 1024;
/// How often the browser's life is looked at where it cannot be waited for.
const LOOK: Duration = Duration::from_millis(250);

pub(crate) struct Keeper {
    pub(crate) browser: Browser,
    pub(crate) owner: Option<Owner>,
    /// The highest epoch that was ever accepted.
    pub(crate) epoch: Option<u64>,
    pub(crate) ledger: Ledger,
    pub(crate) dialogs: Dialogs,
    /// What the browser has not taken yet.
    pub(crate) up: Buf,
    /// The pieces of the present long command go nowhere: it was refused.
    pub(crate) refusing_long: bool,
    /// The browser's message that is coming in.
    pub(crate) passing: Passing,
    /// Events that no owner was told of.
    pub(crate) dropped: u64,
    pub(crate) phase: Phase,
    /// The browser closed its pipe before anyone asked for an end.
    pub(crate) ended_by_itself: bool,
    pub(crate) state: State,
    pub(crate) state_path: PathBuf,
    pub(crate) alone_since: Option<Instant>,
    pub(crate) orphan_after: Option<Duration>,
    /// The exit code, once there is nothing left to do.
    pub(crate) done: Option<u8>,
    guests: Vec<Guest>,
    listener: UnixListener,
    wake: UnixStream,
    scratch: Vec<u8>,
}

/// What `poll` found, in the order of its places.
struct Ready {
    wake: bool,
    listener: bool,
    ended: bool,
    output: bool,
    input: bool,
    stderr: bool,
    owner: bool,
    guests: Vec<bool>,
}

impl Keeper {
    pub(crate) fn new(
        browser: Browser,
        listener: UnixListener,
        wake: UnixStream,
        state: State,
        args: &Args,
    ) -> Self {
        let now = Instant::now();
        let mut keeper = Self {
            browser,
            owner: None,
            epoch: None,
            ledger: Ledger::default(),
            dialogs: Dialogs::default(),
            up: Buf::default(),
            refusing_long: false,
            passing: Passing::default(),
            dropped: 0,
            phase: Phase::Starting {
                until: now + args.start_patience,
            },
            ended_by_itself: false,
            state,
            state_path: args.state.clone(),
            alone_since: Some(now),
            orphan_after: args.orphan_after,
            done: None,
            guests: Vec::new(),
            listener,
            wake,
            scratch: vec![0; CHUNK],
        };
        keeper.ask_version();
        keeper
    }

    /// Runs until the browser is gone; returns the exit code.
    pub(crate) fn run(mut self) -> u8 {
        loop {
            let now = Instant::now();
            self.on_time(now);
            if let Some(code) = self.done {
                return code;
            }
            match self.wait(now) {
                Ok(ready) => self.turn(&ready, Instant::now()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    // Nothing can be served without poll; a browser that nobody holds must not stay.
                    let _ = writeln!(std::io::stderr(), "keeptab keeper: poll: {error}");
                    self.browser.kill();
                    return crate::run::FAILED;
                }
            }
        }
    }

    fn wait(&mut self, now: Instant) -> Result<Ready, rustix::io::Errno> {
        let timeout = self.deadline(now).map(|at| {
            // Rounded up, or the last millisecond would be spent spinning.
            let left = at.saturating_duration_since(now) + Duration::from_millis(1);
            Timespec {
                tv_sec: left.as_secs() as i64,
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        let listens = self.owner.as_ref().is_none_or(Owner::listens);
        let may_speak = self.owner_may_speak();
        let owner = self.owner.as_ref();
        let waiting = owner.is_some_and(|owner| !owner.out.is_empty());
        let nothing = self.wake.as_fd();
        let place = |fd, flags| place(fd, flags, nothing);
        let when = |wanted: bool, flags: PollFlags| if wanted { flags } else { PollFlags::empty() };
        let room = self.guests.len() < MAX_GUESTS && !matches!(self.phase, Phase::Starting { .. });
        let mut fds = Vec::with_capacity(7 + self.guests.len());
        fds.extend([
            place(Some(nothing), PollFlags::IN),
            place(Some(self.listener.as_fd()), when(room, PollFlags::IN)),
            place(borrowed(&self.browser.ended), PollFlags::IN),
            place(borrowed(&self.browser.output), when(listens, PollFlags::IN)),
            place(
                Some(self.browser.input.as_fd()),
                when(!self.up.is_empty(), PollFlags::OUT),
            ),
            place(borrowed(&self.browser.stderr), PollFlags::IN),
            place(
                owner.map(|o| o.stream.as_fd()),
                when(may_speak, PollFlags::IN) | when(waiting, PollFlags::OUT),
            ),
        ]);
        fds.extend(
            self.guests
                .iter()
                .map(|g| PollFd::new(&g.stream, PollFlags::IN)),
        );
        poll(&mut fds, timeout.as_ref())?;
        let hit = |at: usize| !fds[at].revents().is_empty();
        Ok(Ready {
            wake: hit(0),
            listener: hit(1),
            ended: hit(2) || self.browser.ended.is_none(),
            output: hit(3),
            input: hit(4),
            stderr: hit(5),
            owner: hit(6),
            guests: (7..fds.len()).map(hit).collect(),
        })
    }

    fn turn(&mut self, ready: &Ready, now: Instant) {
        if ready.wake && matches!(read(&self.wake, &mut [0; 64]), Read::Bytes(_)) {
            self.on_signal(now);
        }
        if ready.input && self.up.flush(&self.browser.input).is_err() {
            self.up.clear();
        }
        if ready.output {
            self.read_browser(now);
        }
        // First what it said before: the browser may have made room. So the
        // inbox holds no whole message when more is read.
        self.heed_owner(now);
        if ready.owner {
            self.serve_owner(now);
        }
        if ready.stderr {
            self.browser.listen();
        }
        self.hear_guests(&ready.guests, now);
        if ready.listener
            && let Ok((stream, _)) = self.listener.accept()
        {
            self.guests.extend(Guest::admit(stream, now));
        }
        if ready.ended && !matches!(self.phase, Phase::Gone { .. }) {
            self.look_for_exit(now);
        }
    }

    /// Reads once from the browser. False when there was nothing.
    pub(crate) fn read_browser(&mut self, now: Instant) -> bool {
        let Some(output) = &self.browser.output else {
            return false;
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        let got = read(output, &mut scratch);
        match got {
            Read::Bytes(count) => self.browser_said(&scratch[..count], now),
            Read::Nothing => {}
            Read::End => {
                self.browser.output = None;
                self.on_pipe_closed(now);
            }
        }
        self.scratch = scratch;
        matches!(got, Read::Bytes(_))
    }

    fn serve_owner(&mut self, now: Instant) {
        let may_speak = self.owner_may_speak();
        let Some(owner) = &mut self.owner else { return };
        let lost =
            owner.flush().is_err() || (may_speak && owner.read(&mut self.scratch) == Read::End);
        if lost {
            let knew_all = owner.out.is_empty();
            self.lose_owner(now);
            self.on_owner_left(knew_all);
        } else {
            self.heed_owner(now);
        }
    }

    fn owner_may_speak(&self) -> bool {
        self.up.len() <= MAX_UP && self.owner.as_ref().is_some_and(Owner::may_speak)
    }

    fn hear_guests(&mut self, ready: &[bool], now: Instant) {
        let guests = std::mem::take(&mut self.guests);
        for (at, mut guest) in guests.into_iter().enumerate() {
            let spoke = ready.get(at).copied().unwrap_or(false);
            if spoke {
                self.greet(guest, now);
            } else if now < guest.until {
                self.guests.push(guest);
            } else {
                guest.refuse("no_hello_in_time");
            }
        }
    }

    /// Puts a guest back that has not said everything.
    pub(crate) fn keep_waiting(&mut self, guest: Guest) {
        self.guests.push(guest);
    }

    fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let looking = self.browser.ended.is_none() && !matches!(self.phase, Phase::Gone { .. });
        let stall = self.owner.as_mut().and_then(|owner| owner.stall_ends(now));
        [
            self.phase.until(),
            self.orphan_ends(),
            stall,
            looking.then(|| now + LOOK),
        ]
        .into_iter()
        .chain(self.guests.iter().map(|guest| Some(guest.until)))
        .flatten()
        .min()
    }
}

/// A place in the poll set. A descriptor that we want nothing of is left out,
/// not just asked for nothing: poll reports its end even then, again and again.
fn place<'a>(fd: Option<BorrowedFd<'a>>, flags: PollFlags, nothing: BorrowedFd<'a>) -> PollFd<'a> {
    match fd {
        Some(fd) if !flags.is_empty() => PollFd::from_borrowed_fd(fd, flags),
        _ => PollFd::from_borrowed_fd(nothing, PollFlags::empty()),
    }
}
