//! What a caller may choose when a browser is started.
use std::path::PathBuf;
use std::time::Duration;

/// How to start a browser.
///
/// ```
/// use keeptab_browser::LaunchOptions;
///
/// let options = LaunchOptions::new().headless(false).arg("--lang=de");
/// # let _ = options;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LaunchOptions {
    /// The program; `None` for the best one that is installed
    /// (see [`installed_browsers`](crate::find::installed_browsers)).
    pub executable: Option<PathBuf>,
    /// The profile directory.
    pub profile: Profile,
    /// Without a window. Default `true`.
    pub headless: bool,
    /// How we talk to it. Default: the pipe, which nobody else on the machine can use.
    pub via: Via,
    /// Further arguments, after ours.
    pub args: Vec<String>,
    /// Environment variables that are added.
    pub env: Vec<(String, String)>,
    /// Size of the window in pixels.
    pub window_size: Option<(u32, u32)>,
    /// How long it may take until the browser answers. Default 30 s.
    pub start_timeout: Duration,
    /// Whether the browser goes on when the session ends. Only with [`Via::Port`]; without its pipe a
    /// browser ends by itself. Default `false`.
    pub keep: bool,
}

/// Where a browser keeps what it remembers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Profile {
    /// An empty directory that is removed when the browser has ended.
    #[default]
    Temporary,
    /// This directory; it is made (mode 0700) when missing, and stays.
    Dir(PathBuf),
}

/// How we talk to a browser that we started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Via {
    /// Its pipe: no port is open, and the browser ends when we do.
    #[default]
    Pipe,
    /// A port on 127.0.0.1, which every program on the machine can use; 0 for a free one.
    Port(u16),
}

impl Default for LaunchOptions {
    fn default() -> Self {
        Self {
            executable: None,
            profile: Profile::Temporary,
            headless: true,
            via: Via::Pipe,
            args: Vec::new(),
            env: Vec::new(),
            window_size: None,
            start_timeout: Duration::from_secs(30),
            keep: false,
        }
    }
}

impl LaunchOptions {
    /// The defaults: headless, by pipe, with a temporary profile.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`LaunchOptions::executable`].
    #[must_use]
    pub fn executable(mut self, path: impl Into<PathBuf>) -> Self {
        self.executable = Some(path.into());
        self
    }

    /// Uses and keeps this profile directory.
    #[must_use]
    pub fn profile_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.profile = Profile::Dir(dir.into());
        self
    }

    /// Sets [`LaunchOptions::headless`].
    #[must_use]
    pub fn headless(mut self, headless: bool) -> Self {
        self.headless = headless;
        self
    }

    /// Sets [`LaunchOptions::via`].
    #[must_use]
    pub fn via(mut self, via: Via) -> Self {
        self.via = via;
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Sets [`LaunchOptions::window_size`], in pixels.
    #[must_use]
    pub fn window_size(mut self, width: u32, height: u32) -> Self {
        self.window_size = Some((width, height));
        self
    }

    /// Sets [`LaunchOptions::start_timeout`].
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// Sets [`LaunchOptions::keep`].
    #[must_use]
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }
}
