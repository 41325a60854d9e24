//! What one command may touch: put together here, from [`places`] and from where it runs; enforced elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::put_back::{self, Before};
use super::{Level, belongings::Belongings, places};
use crate::os;
use crate::process::TOOLCHAIN_HOMES;
use crate::process::{Environment, Invocation};
use crate::secrets;
use crate::temporary::{self, Abandoned, Folder};

/// Where a command runs, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The worktree: the one folder it may write.
    pub folder: &'a Path,
    /// The git folder that all worktrees of the repository share; read only.
    pub git: Option<&'a Path>,
    /// What it is there for.
    pub purpose: Purpose,
}

/// What a command is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// It fetches dependencies, before any code of a model exists: it has the network and may fill the caches of package managers.
    Prepare,
    /// It checks something: no network but loopback, no cache to write.
    Check,
    /// An agent works: it lives off the network, and what it writes beside its work is its own; no cache to write.
    Agent,
}

impl Purpose {
    /// Whether it has the network of the machine.
    pub(super) fn has_network(self) -> bool {
        match self {
            Purpose::Prepare | Purpose::Agent => true,
            Purpose::Check => false,
        }
    }
}

/// What a command may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Processes and threads at a time.
    pub processes: u64,
    /// Bytes by which the free space of the worktree's disk may shrink while it runs.
    pub disk_bytes: u64,
}

impl Default for Limits {
    /// Our choice: far beyond a build with its tests, far below what takes a machine down.
    fn default() -> Limits {
        Limits { file_bytes: 8 << 30, processes: 4096, disk_bytes: 32 << 30 }
    }
}

/// What the names of such folders begin with.
const PREFIX: &str = "improve-sandboxed-";

/// What killed runs left of them. Who removes one puts back first what its agent changed of its settings.
pub fn abandoned() -> Vec<Abandoned> {
    temporary::abandoned(PREFIX).into_iter().map(|left| left.after(put_back::after_a_kill)).collect()
}

/// Removes them: files in them may have any size, and settings that were changed hold for who starts such an agent.
pub fn sweep() {
    // What cannot be removed is named by `improve clean`.
    abandoned().into_iter().for_each(|left| drop(left.remove()));
}

/// What is kept for one command on the host, removed with the value.
pub(super) struct Private(Folder);

impl Private {
    pub(super) fn new() -> io::Result<Private> {
        let folder = Folder::new(PREFIX)?;
        for name in ["tmp", "home", "root"] {
            fs::create_dir(folder.path().join(name))?;
        }
        Ok(Private(folder))
    }

    pub(super) fn path(&self) -> PathBuf {
        os::canonical(self.0.path()).unwrap_or_else(|_| self.0.path().to_owned())
    }

    /// Where the helper says what went wrong.
    pub(super) fn report(&self) -> PathBuf {
        self.0.path().join("report")
    }
}

/// What a command may touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How it is enforced.
    pub level: Level,
    /// What the command is there for.
    pub purpose: Purpose,
    /// Where it runs.
    pub folder: PathBuf,
    /// May be read and written, with everything below.
    pub writable: Vec<PathBuf>,
    /// May be read, with everything below.
    pub readable: Vec<PathBuf>,
    /// May not be read, though it lies below something that may.
    pub hidden: Vec<PathBuf>,
    /// Is seen with other content: the file, and the one in its place.
    pub replaced: Vec<(PathBuf, PathBuf)>,
    /// May not be written, though it lies below something that may.
    pub protected: Vec<PathBuf>,
    /// A folder of the host for this command alone, with `tmp`, `home`, `root` and `report`.
    pub private: PathBuf,
    /// The user's home folder.
    pub home: Option<PathBuf>,
    /// What the command may use up.
    pub limits: Limits,
    /// It makes namespaces of its own for what it runs, inside the ones it is in.
    #[serde(default)]
    pub nests: bool,
    /// Settings of an agent that must be the same when it has ended. For us alone, who start it.
    #[serde(skip)]
    pub before: Before,
}

impl Policy {
    /// `own` is what an agent brings along.
    pub(super) fn of(
        level: Level,
        ground: &Ground<'_>,
        own: Option<&Belongings>,
        invocation: &Invocation,
        private: &Private,
        limits: Limits,
    ) -> io::Result<Policy> {
        let variable =
            |name: &str| invocation.environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = os::canonical(ground.folder).unwrap_or_else(|_| ground.folder.to_owned());
        let home = variable(os::HOME).filter(|home| is_a_home(home));
        let private = private.path();
        let mut writable = vec![folder.clone()];
        if level != Level::Namespaces {
            // There it has them in place of the temporary folder and the home, and must not meet them under their own name: a run of
            // ours in the command takes a folder of that name which nobody holds for one that was left behind, and removes it.
            writable.extend(["tmp", "home"].map(|name| private.join(name)));
        }
        let mut policy = Policy {
            level,
            purpose: ground.purpose,
            writable,
            readable: Vec::new(),
            hidden: Vec::new(),
            replaced: Vec::new(),
            protected: vec![folder.join(".git")],
            folder,
            private,
            home,
            limits,
            nests: own.is_some_and(|own| own.nests),
            before: Before::default(),
        };
        policy.let_read(invocation, &variable);
        policy.let_git(ground.git);
        policy.let_fill_caches(&variable);
        policy.hide_credentials(&variable);
        let lifted = own.map(|own| policy.let_have(own)).transpose()?.unwrap_or_default();
        policy.tidy();
        policy.hidden.retain(|hidden| {
            let is_own = |place: &PathBuf| os::canonical(place).is_ok_and(|place| place.starts_with(hidden));
            !lifted.iter().any(|place| place.starts_with(hidden) || is_own(place))
        });
        Ok(policy)
    }

    /// Has `home` below it, or is the root of everything.
    fn holds_home(&self, path: &Path) -> bool {
        path.parent().is_none() || self.home.as_deref().is_some_and(|home| home.starts_with(path))
    }

    fn let_read(&mut self, invocation: &Invocation, variable: &dyn Fn(&str) -> Option<PathBuf>) {
        self.readable.extend(places::SYSTEM.iter().map(PathBuf::from));
        if let Some(home) = &self.home {
            let toolchains = places::TOOLCHAINS.iter().chain(places::CACHES);
            self.readable.extend(toolchains.map(|place| home.join(place)));
        }
        let mut named: Vec<PathBuf> = TOOLCHAIN_HOMES.iter().filter_map(|name| variable(name)).collect();
        let path = invocation.environment.get("PATH").unwrap_or_default();
        for folder in std::env::split_paths(path).filter(|folder| folder.is_absolute()) {
            // Programs lie beside their libraries.
            if folder.file_name().is_some_and(|name| name == "bin") && !folder.ends_with(".local/bin") {
                named.extend(folder.parent().map(Path::to_owned));
            }
            named.push(folder);
        }
        named.extend(std::env::split_paths(invocation.environment.get("LD_LIBRARY_PATH").unwrap_or_default()));
        named.retain(|place| place.is_absolute() && !self.holds_home(place));
        self.readable.extend(named);
    }

    /// Commands read the repository through git, and write nothing of it.
    fn let_git(&mut self, git: Option<&Path>) {
        let Some(git) = git.and_then(|git| os::canonical(git).ok()) else { return };
        let lines = fs::read_to_string(git.join("objects/info/alternates")).unwrap_or_default();
        self.readable.extend(lines.lines().map(|line| git.join("objects").join(line)));
        self.show_masked(git.join("config"), AtLandlock::Readable);
        self.protected.push(git.clone());
        self.readable.push(git);
    }

    fn let_fill_caches(&mut self, variable: &dyn Fn(&str) -> Option<PathBuf>) {
        if self.purpose != Purpose::Prepare {
            return;
        }
        let of_home = self.home.iter().flat_map(|home| places::CACHES.iter().map(|cache| home.join(cache)));
        let named = places::CACHE_VARIABLES.iter().filter_map(|(name, below)| Some(variable(name)?.join(below)));
        for cache in of_home.chain(named.filter(|cache| !self.holds_home(cache))).collect::<Vec<_>>() {
            // Only the caches of tools that are there.
            if cache.is_dir() || cache.parent().is_some_and(Path::is_dir) && fs::create_dir(&cache).is_ok() {
                self.writable.push(cache);
            }
        }
    }

    fn hide_credentials(&mut self, variable: &dyn Fn(&str) -> Option<PathBuf>) {
        self.hidden.extend(places::SYSTEM_CREDENTIALS.iter().map(PathBuf::from));
        if let Some(home) = self.home.clone() {
            self.hidden.extend(places::CREDENTIALS.iter().map(|place| home.join(place)));
            for settings in places::SETTINGS {
                self.show_masked(home.join(settings), AtLandlock::Hidden);
            }
        }
        if let Some(cargo) = variable("CARGO_HOME") {
            self.hidden.extend(["credentials", "credentials.toml"].map(|file| cargo.join(file)));
            self.show_masked(cargo.join("config.toml"), AtLandlock::Hidden);
        }
    }

    /// An agent has its own. Gives what of that may lie among what is hidden from every other command.
    fn let_have(&mut self, own: &Belongings) -> io::Result<Vec<PathBuf>> {
        let folders = own.homes.iter().filter(|folder| !self.holds_home(folder)).cloned().collect::<Vec<_>>();
        for folder in &folders {
            // Where the home folder is an empty one of its own, there is nothing to make on the host.
            let is_shown =
                self.level != Level::Namespaces || !self.home.as_ref().is_some_and(|home| folder.starts_with(home));
            if is_shown && !folder.exists() {
                // Without it the agent says what it misses.
                let _ = fs::create_dir_all(folder);
            }
        }
        // One that is not there after that is not shown, so nothing can be put there.
        let homes: Vec<PathBuf> = folders.iter().filter_map(|folder| os::canonical(folder).ok()).collect();
        self.keep_settings(own, &homes)?;
        let mut reads: Vec<PathBuf> = own.reads.iter().filter(|place| !self.holds_home(place)).cloned().collect();
        for file in &own.copies {
            match self.level {
                Level::Namespaces => self.copy_into_home(file),
                // Atomic writes beside it fail, writes into it would last.
                Level::None | Level::Landlock | Level::Seatbelt => reads.push(file.clone()),
            }
        }
        self.readable
            .extend(own.program_folders().into_iter().filter(|place| !self.holds_home(place)).collect::<Vec<_>>());
        self.readable.extend(reads.iter().cloned());
        self.writable.extend(folders.iter().cloned());
        if own.only_reads {
            self.writable.retain(|place| *place != self.folder);
            self.readable.push(self.folder.clone());
        }
        Ok(folders.into_iter().chain(reads).collect())
    }

    /// What says what an agent runs is the same when it has ended: read only where there is something, else put back. Where a link among
    /// them leads through one of the homes, the same goes for whatever stands there. What a file of settings names in its text is not known.
    fn keep_settings(&mut self, own: &Belongings, homes: &[PathBuf]) -> io::Result<()> {
        let privates = || temporary::ours(PREFIX);
        let settings: Vec<PathBuf> = homes.iter().flat_map(|home| own.settings_in(home)).collect();
        let before = Before::look(settings.iter().cloned(), &privates)?;
        let mut kept: BTreeSet<PathBuf> = settings.iter().cloned().collect();
        for file in &settings {
            let (Some(Some(leads_to)), Some(folder)) = (before.of(file), file.parent()) else { continue };
            let way = put_back::way(&folder.join(leads_to));
            // It may lead to what else is not shown.
            self.readable.extend(way.last().cloned());
            // Whole entries of a home: a folder could be moved away with what is mounted below it.
            let entry =
                |path: &PathBuf, home: &PathBuf| Some(home.join(path.strip_prefix(home).ok()?.components().next()?));
            kept.extend(way.iter().flat_map(|path| homes.iter().filter_map(move |home| entry(path, home))));
        }
        self.before = Before::look(kept.iter().cloned(), &privates)?;
        self.protected.extend(kept);
        Ok(())
    }

    /// What it writes there is gone with the command. A file that cannot be copied is not there.
    fn copy_into_home(&self, file: &Path) {
        let Some(below) = self.home.as_ref().and_then(|home| file.strip_prefix(home).ok()) else { return };
        let copy = self.private.join("home").join(below);
        let _ = copy.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(file, copy));
    }

    /// Lets a file of settings be read: as it is when it holds no credential, else with them masked, or not at all.
    fn show_masked(&mut self, file: PathBuf, otherwise: AtLandlock) {
        let Ok(text) = fs::read_to_string(&file) else { return };
        let masked = secrets::mask(&text);
        let is_suspect = masked != text || SUSPECT.iter().any(|word| text.contains(word));
        if !is_suspect {
            self.readable.push(file);
            return;
        }
        let copy = self.private.join(format!("masked-{}", self.replaced.len()));
        let kept: Vec<&str> = masked.lines().filter(|line| !SUSPECT.iter().any(|word| line.contains(word))).collect();
        let written = fs::write(&copy, kept.join("\n") + "\n").and_then(|()| fs::metadata(&copy)).and_then(|there| {
            let mut permissions = there.permissions();
            permissions.set_readonly(true);
            fs::set_permissions(&copy, permissions)
        });
        match (self.level, otherwise, written) {
            (Level::Namespaces, _, Ok(())) => self.replaced.push((file, copy)),
            (_, AtLandlock::Readable, _) => {}
            (_, AtLandlock::Hidden, _) => self.hidden.push(file),
        }
    }

    /// Only what is there, each once; links as well as what they lead to.
    fn tidy(&mut self) {
        let resolved = |paths: &[PathBuf]| -> Vec<PathBuf> {
            let both = paths.iter().flat_map(|path| [Some(path.clone()), os::canonical(path).ok()]).flatten();
            both.filter(|path| path.exists()).collect::<BTreeSet<_>>().into_iter().collect()
        };
        self.readable = resolved(&self.readable);
        self.hidden = resolved(&self.hidden);
        self.writable = resolved(&self.writable);
        self.protected.retain(|path| path.exists());
    }

    /// The environment of the command: `TMPDIR` is its own, nothing waits for a network that is not there.
    pub(super) fn environment(&self, environment: Environment) -> Environment {
        let temporary = match self.level {
            Level::Namespaces => PathBuf::from("/tmp"),
            Level::None | Level::Landlock | Level::Seatbelt => self.private.join("tmp"),
        };
        // A compiler server outside cannot be reached, one inside would not outlive the command.
        let mut environment = environment.with("TMPDIR", temporary).with("RUSTC_WRAPPER", "");
        environment.remove("XDG_RUNTIME_DIR");
        if self.purpose == Purpose::Check {
            environment = environment.with("CARGO_NET_OFFLINE", "true");
        }
        if self.level == Level::Namespaces {
            return environment;
        }
        // The home folder is the real one, and cannot be written.
        let own = self.private.join("home");
        let hides = |file: &str| self.home.as_ref().is_some_and(|home| self.hidden.contains(&home.join(file)));
        if hides(".gitconfig") {
            environment = environment.with("GIT_CONFIG_GLOBAL", "/dev/null");
        }
        if hides(".npmrc") {
            environment = environment.with("NPM_CONFIG_USERCONFIG", "/dev/null");
        }
        if self.purpose == Purpose::Check {
            environment =
                environment.with("GOCACHE", own.join("go-build")).with("NPM_CONFIG_LOGS_DIR", own.join("npm"));
        }
        environment.with("XDG_CACHE_HOME", own.join("cache")).with("XDG_STATE_HOME", own.join("state"))
    }
}

/// What becomes of a file that holds a credential where it cannot be masked.
#[derive(Clone, Copy)]
enum AtLandlock {
    /// Nothing works without it.
    Readable,
    /// It is not read.
    Hidden,
}

/// Words of settings that come with a credential which has no shape of its own.
const SUSPECT: &[&str] = &["_auth", "_password", "extraheader", "extraHeader", "npmAuthToken", "token =", "password"];

/// `/` and `/nonexistent` are nobody's home.
fn is_a_home(path: &Path) -> bool {
    path.parent().is_some() && path.is_dir() && !places::SYSTEM.iter().any(|root| Path::new(root).starts_with(path))
}
