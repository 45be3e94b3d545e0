//! The worker as a program of its own, for this crate's tests; the product has it as a hidden command.
//!
//! With `try-to-escape` it puts the worker's confinement on itself and then tries, natively, what code that broke out of the
//! engine would try. It prints one line per attempt.
#![forbid(unsafe_code)]

fn main() {
    if std::env::args().nth(1).as_deref() == Some("try-to-escape") {
        escape::attempts();
        return;
    }
    keeptab_script::worker_main()
}

#[cfg(not(target_os = "linux"))]
mod escape {
    pub(crate) fn attempts() {}
}

#[cfg(target_os = "linux")]
mod escape {
    use std::fmt::Debug;
    use std::io::Write;

    pub(crate) fn attempts() {
        let parent = rustix::process::getppid();
        let variables = std::env::vars().count();
        if let Err(error) = keeptab_script::confine_this_process(&keeptab_script::Limits::default())
        {
            say("confinement", &Err::<(), _>(error));
            return;
        }
        say(
            "environment",
            &if variables == 0 { Err("empty") } else { Ok(()) },
        );
        say("read a file", &std::fs::read("/etc/passwd"));
        say("list a directory", &std::fs::read_dir("/").map(|_| ()));
        say("write a file", &std::fs::write("/tmp/keeptab-escaped", "x"));
        say("remove a file", &std::fs::remove_file("/tmp/keeptab-none"));
        say("read its own memory map", &std::fs::read("/proc/self/maps"));
        say(
            "connect by TCP",
            &std::net::TcpStream::connect("127.0.0.1:9"),
        );
        say("bind a port", &std::net::TcpListener::bind("127.0.0.1:0"));
        say(
            "open a UDP socket",
            &std::net::UdpSocket::bind("127.0.0.1:0"),
        );
        say(
            "connect to a Unix socket",
            &std::os::unix::net::UnixStream::connect("/tmp/none"),
        );
        say(
            "make a socket pair",
            &std::os::unix::net::UnixStream::pair(),
        );
        say(
            "run a program",
            &std::process::Command::new("/bin/true").status(),
        );
        say(
            "start a thread",
            &std::thread::Builder::new().spawn(|| ()).map(|_| ()),
        );
        say("make a pipe", &rustix::pipe::pipe());
        if let Some(parent) = parent {
            say(
                "signal its parent",
                &rustix::process::test_kill_process(parent),
            );
        }
        let file = rustix::io::dup(rustix::stdio::stdin());
        say("duplicate a file", &file);
        say(
            "read standard output",
            &rustix::io::read(rustix::stdio::stdout(), &mut [0_u8; 1]),
        );
        let none = rustix::process::Rlimit {
            current: None,
            maximum: None,
        };
        say(
            "lift its memory limit",
            &rustix::process::setrlimit(rustix::process::Resource::As, none),
        );
        say("allocate four gigabytes", &vec_of(4 << 30));
    }

    fn vec_of(bytes: usize) -> Result<(), std::collections::TryReserveError> {
        let mut room: Vec<u8> = Vec::new();
        room.try_reserve_exact(bytes)
    }

    fn say<T, E: Debug>(what: &str, result: &Result<T, E>) {
        let line = match result {
            Ok(_) => format!("{what}: POSSIBLE\n"),
            Err(error) => format!("{what}: refused ({error:?})\n"),
        };
        // Where standard output is closed there is nobody to tell.
        let _ = std::io::stdout().write_all(line.as_bytes());
    }
}
