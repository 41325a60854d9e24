//! Settings in layers: flags > `IMPROVE_*` variables > `improve.toml` in the repository > the user's file > defaults.
//!
//! Every value remembers where it came from. Unknown keys are errors with the nearest key there is. Rule ids are checked by
//! the audit, which knows them.
//!
//! `[sources]`, `[sinks]` and `[guards]` describe the project's own functions to the rules about values from outside:
//! calls by their names, `runOnServer(2)` for the second argument, under the id of a rule (for guards also `all`; for sources
//! the one key `client`).

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

pub mod apply;
mod error;
mod file;
pub mod listing;
pub mod models;

use crate::effects::taint::Danger;
use crate::finding::Level;
use crate::model::{NanoDollars, Role};
use crate::nearest::nearest;
use crate::repo_map::recon::declared::{Declared, DeclaredCall};
use crate::repo_map::recon::{CommandPurpose, ProjectCommand, Recon};
use crate::sandbox::{self, Wanted};
use apply::ApplySettings;
pub use error::SettingsError;
use file::Entry;
use models::ModelSettings;

/// Name of the settings file, in the root of the repository and in the user's folder.
pub const FILE_NAME: &str = "improve.toml";
/// Keys that stand alone. `rules.<id>` and `commands.<folder>.<purpose>` come beside them.
pub const KEYS: [&str; 11] = [
    "include",
    "exclude",
    "advisories",
    "effort",
    "fail-on",
    "gate-timeout",
    "hook-timeout",
    "jobs",
    "max-usd",
    "ask-above-usd",
    "sandbox",
];
/// Tables.
const TABLES: [&str; 10] =
    ["apply", "rules", "commands", "sources", "sinks", "guards", "models", "providers", "agents", "prices"];

/// Everything that can be set, in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Files, folders or globs to report on; empty for everything.
    pub include: Setting<Vec<String>>,
    /// Globs to leave out.
    pub exclude: Setting<Vec<String>>,
    /// Advisory databases: folders or files, relative ones from the root of the repository.
    pub advisories: Setting<Vec<String>>,
    /// How much doubt to let through.
    pub effort: Setting<AuditEffort>,
    /// Findings at or above this level make the exit code 1; `None` for never.
    pub fail_on: Setting<Option<Level>>,
    /// Wall clock of one gate; `None` leaves it to the gate runner.
    pub gate_timeout: Setting<Option<Duration>>,
    /// What the hook before a push may take.
    pub hook_timeout: Setting<Duration>,
    /// Threads; 0 for one a processor.
    pub jobs: Setting<usize>,
    /// How far commands are kept from the rest of the machine. Files say the least that will do, and the strictest of them counts, so that
    /// a repository cannot lower what its user asks for; a flag or variable says which it is this time.
    pub sandbox: Setting<Wanted>,
    /// Rules switched on or off, by id.
    pub rules: BTreeMap<String, Setting<bool>>,
    /// Commands that replace those found, by package folder (`""` for the root) and purpose.
    pub commands: BTreeMap<(String, CommandPurpose), Setting<String>>,
    /// The project's own sources, sinks and guards.
    pub declared: Declared,
    /// Everything about models.
    pub model: ModelSettings,
    /// Everything about applying plans.
    pub apply: ApplySettings,
    /// Where tables of the user's own words come from: `sinks.sql-injection`, `providers.gateway`.
    tables: BTreeMap<String, Origin>,
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of a settings file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, 1-based.
        line: u32,
    },
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => write!(formatter, "default"),
            Origin::File { path, line } => write!(formatter, "{}:{line}", path.display()),
            Origin::Environment(variable) => write!(formatter, "{variable}"),
            Origin::Flag(flag) => write!(formatter, "{flag}"),
        }
    }
}

/// How much doubt an audit lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditEffort {
    /// What is certain alone.
    Quick,
    /// What is likely too.
    #[default]
    Standard,
    /// Everything.
    Deep,
}

/// The text of a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFile {
    /// Its path.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Whose it is.
    pub layer: Layer,
}

/// Whose a settings file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// The user's own.
    User,
    /// The repository's, which may be anybody's.
    Repository,
}

/// Values given as flags; `None` where a flag was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `PATHS`.
    pub include: Option<Vec<String>>,
    /// `--exclude`.
    pub exclude: Option<Vec<String>>,
    /// `--advisories`.
    pub advisories: Option<Vec<String>>,
    /// `--effort`.
    pub effort: Option<String>,
    /// `--fail-on`.
    pub fail_on: Option<String>,
    /// `--gate-timeout`.
    pub gate_timeout: Option<String>,
    /// `--jobs`.
    pub jobs: Option<usize>,
    /// `--sandbox`.
    pub sandbox: Option<String>,
    /// `--planner`.
    pub planner: Option<String>,
    /// `--executor`.
    pub executor: Option<String>,
    /// `--verifier`.
    pub verifier: Option<String>,
    /// `--max-usd`.
    pub max_usd: Option<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        fn default<T: Default>() -> Setting<T> {
            Setting { value: T::default(), origin: Origin::Default }
        }
        Settings {
            include: default(),
            exclude: default(),
            advisories: default(),
            effort: default(),
            fail_on: default(),
            gate_timeout: default(),
            hook_timeout: Setting { value: HOOK_TIMEOUT, origin: Origin::Default },
            jobs: default(),
            sandbox: default(),
            rules: BTreeMap::new(),
            commands: BTreeMap::new(),
            declared: Declared::default(),
            model: ModelSettings::default(),
            apply: ApplySettings::default(),
            tables: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Settings from all layers. `files` are in order of precedence, the weakest first.
    pub fn layered(
        files: &[SettingsFile],
        variable: &dyn Fn(&str) -> Option<String>,
        flags: Flags,
    ) -> Result<Settings, SettingsError> {
        let mut settings = Settings::default();
        for file in files {
            for entry in file::entries(file)? {
                settings.set(entry, file.layer)?;
            }
        }
        settings.model.finish()?;
        for role in Role::ALL {
            let name = format!("IMPROVE_{}", role.label().to_uppercase());
            if let Some(value) = variable(&name).filter(|text| !text.is_empty()) {
                settings.model.models.insert(role, Setting { value, origin: Origin::Environment(name) });
            }
        }
        for key in KEYS {
            let name = format!("IMPROVE_{}", key.replace('-', "_").to_uppercase());
            if let Some(text) = variable(&name).filter(|text| !text.is_empty()) {
                settings.set_text(key, &text, Origin::Environment(name))?;
            }
        }
        settings.set_flags(flags)?;
        Ok(settings)
    }

    fn set_flags(&mut self, flags: Flags) -> Result<(), SettingsError> {
        let Flags {
            include,
            exclude,
            advisories,
            effort,
            fail_on,
            gate_timeout,
            jobs,
            sandbox,
            planner,
            executor,
            verifier,
            max_usd,
        } = flags;
        if let Some(value) = include {
            self.include = Setting { value, origin: Origin::Flag("PATHS") };
        }
        if let Some(value) = exclude {
            // What a project leaves out stays out: a flag adds to it.
            self.exclude.value.extend(value);
            self.exclude.origin = Origin::Flag("--exclude");
        }
        if let Some(value) = advisories {
            self.advisories = Setting { value, origin: Origin::Flag("--advisories") };
        }
        let texts = [
            ("effort", "--effort", effort),
            ("fail-on", "--fail-on", fail_on),
            ("gate-timeout", "--gate-timeout", gate_timeout),
            ("max-usd", "--max-usd", max_usd),
            ("sandbox", "--sandbox", sandbox),
        ];
        for (key, flag, text) in texts {
            if let Some(text) = text {
                self.set_text(key, &text, Origin::Flag(flag))?;
            }
        }
        if let Some(value) = jobs {
            self.jobs = Setting { value, origin: Origin::Flag("--jobs") };
        }
        let roles = [
            (Role::Planner, "--planner", planner),
            (Role::Executor, "--executor", executor),
            (Role::Verifier, "--verifier", verifier),
        ];
        for (role, flag, value) in roles {
            if let Some(value) = value {
                self.model.models.insert(role, Setting { value, origin: Origin::Flag(flag) });
            }
        }
        Ok(())
    }

    /// Sets one entry of a file.
    fn set(&mut self, entry: Entry, layer: Layer) -> Result<(), SettingsError> {
        let key: Vec<&str> = entry.key.iter().map(String::as_str).collect();
        if let ["sources" | "sinks" | "guards" | "providers" | "agents" | "prices", name, ..] = key.as_slice() {
            self.tables.entry(format!("{}.{name}", key[0])).or_insert_with(|| entry.origin.clone());
        }
        match key.as_slice() {
            ["include"] => self.include = entry.list()?,
            ["exclude"] => self.exclude = entry.list()?,
            ["advisories"] => self.advisories = entry.list()?,
            [name @ ("max-usd" | "ask-above-usd")] => {
                let text = entry.text()?;
                let amount = NanoDollars::parse(&text.value).ok_or_else(|| entry.bad(DOLLARS))?;
                self.model.set_amount(name, amount, text.origin, Some(layer));
            }
            ["apply", name] => self.apply.set(name, &entry, layer)?,
            ["models", role] => self.model.set_role(role, layer, &entry)?,
            ["providers" | "agents" | "prices", _, ..] => self.model.set_table(&key, layer, &entry)?,
            [name] if KEYS.contains(name) => {
                let name = (*name).to_owned();
                let text = entry.text()?;
                self.set_text(&name, &text.value, text.origin)?;
            }
            ["rules", id] => {
                let id = (*id).to_owned();
                self.rules.insert(id, entry.switch()?);
            }
            ["sources", "client"] => {
                let calls = declared_calls(&entry)?;
                self.declared.sources.extend(calls);
            }
            [table @ ("sinks" | "guards"), rule] => self.declare(table, rule, &entry)?,
            ["commands", purpose] => self.set_command("", purpose, &entry)?,
            ["commands", folder, purpose] => self.set_command(folder, purpose, &entry)?,
            _ => {
                let known = KEYS.into_iter().chain(TABLES);
                let nearest = nearest(key[0], known).filter(|nearest| *nearest != key[0]).map(str::to_owned);
                return Err(SettingsError::UnknownKey { origin: entry.origin, key: entry.key.join("."), nearest });
            }
        }
        Ok(())
    }

    /// Takes the calls that a project declares under a rule's id.
    fn declare(&mut self, table: &str, rule: &str, entry: &Entry) -> Result<(), SettingsError> {
        let known = Danger::ALL.iter().map(|danger| danger.rule()).chain((table == "guards").then_some("all"));
        if !known.clone().any(|id| id == rule) {
            let nearest = nearest(rule, known).map(str::to_owned);
            return Err(SettingsError::UnknownKey { origin: entry.origin.clone(), key: entry.key.join("."), nearest });
        }
        let calls = declared_calls(entry)?;
        let of = if table == "sinks" { &mut self.declared.sinks } else { &mut self.declared.guards };
        of.entry(rule.to_owned()).or_default().extend(calls);
        Ok(())
    }

    fn set_command(&mut self, folder: &str, purpose: &str, entry: &Entry) -> Result<(), SettingsError> {
        let Some(known) = PURPOSES.iter().find(|(word, _)| *word == purpose) else {
            let nearest = nearest(purpose, PURPOSES.map(|(word, _)| word)).map(str::to_owned);
            return Err(SettingsError::UnknownKey { origin: entry.origin.clone(), key: entry.key.join("."), nearest });
        };
        let folder = folder.trim_start_matches("./").trim_matches('/');
        let folder = if folder == "." { "" } else { folder };
        self.commands.insert((folder.to_owned(), known.1), entry.text()?);
        Ok(())
    }

    /// Sets a key from text, as variables and flags give it.
    fn set_text(&mut self, key: &str, text: &str, origin: Origin) -> Result<(), SettingsError> {
        let bad = |origin: Origin, expected| SettingsError::BadValue {
            origin,
            key: key.to_owned(),
            expected,
            found: text.to_owned(),
        };
        match key {
            "include" => self.include = Setting { value: list(text), origin },
            "exclude" => self.exclude = Setting { value: list(text), origin },
            "advisories" => self.advisories = Setting { value: list(text), origin },
            "effort" => match text.parse() {
                Ok(value) => self.effort = Setting { value, origin },
                Err(()) => return Err(bad(origin, "`quick`, `standard` or `deep`")),
            },
            "fail-on" => match level(text) {
                Some(value) => self.fail_on = Setting { value, origin },
                None => return Err(bad(origin, "`never`, `low`, `medium` or `high`")),
            },
            "gate-timeout" => match duration(text) {
                Some(value) => self.gate_timeout = Setting { value: Some(value), origin },
                None => return Err(bad(origin, TIME)),
            },
            "hook-timeout" => match duration(text) {
                Some(value) => self.hook_timeout = Setting { value, origin },
                None => return Err(bad(origin, TIME)),
            },
            "jobs" => match text.parse() {
                Ok(value) => self.jobs = Setting { value, origin },
                Err(_) => return Err(bad(origin, "a number of threads")),
            },
            "sandbox" => match text.parse() {
                Ok(level) => self.set_sandbox(level, origin),
                Err(()) => return Err(bad(origin, "`namespaces`, `landlock`, `seatbelt` or `none`")),
            },
            "max-usd" | "ask-above-usd" => match NanoDollars::parse(text) {
                Some(amount) => self.model.set_amount(key, amount, origin, None),
                None => return Err(bad(origin, DOLLARS)),
            },
            other => unreachable!("`{other}` is not in KEYS"),
        }
        Ok(())
    }

    fn set_sandbox(&mut self, level: sandbox::Level, origin: Origin) {
        match origin {
            Origin::Default | Origin::File { .. } if level < self.sandbox.value.minimum => {}
            Origin::Default | Origin::File { .. } => {
                self.sandbox = Setting { value: Wanted { minimum: level, exactly: None }, origin };
            }
            Origin::Environment(_) | Origin::Flag(_) => {
                self.sandbox = Setting { value: Wanted { exactly: Some(level), ..self.sandbox.value }, origin };
            }
        }
    }

    /// Rules switched off.
    pub fn rules_off(&self) -> Vec<String> {
        self.rules.iter().filter(|(_, on)| !on.value).map(|(id, _)| id.clone()).collect()
    }

    /// Tells the rules what the project says about its own functions.
    pub fn declare_flows(&self, recon: &mut Recon) {
        recon.declared = self.declared.clone();
    }

    /// Puts the configured commands in the place of those found in manifests and CI files.
    pub fn override_commands(&self, recon: &mut Recon) {
        for ((folder, purpose), setting) in &self.commands {
            let Some(package) = recon.packages.iter_mut().find(|package| package.folder == *folder) else { continue };
            package.commands.retain(|command| command.purpose != *purpose);
            package.commands.push(ProjectCommand {
                purpose: *purpose,
                command: setting.value.clone(),
                folder: folder.clone(),
                source: FILE_NAME.to_owned(),
            });
            package.commands.sort_by_key(|command| command.purpose);
        }
    }
}

/// What a push waits for a hook: people leave out hooks that take longer.
const HOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// What a time looks like.
const TIME: &str = "a time such as `90s`, `10m` or `1h`";
/// What an amount looks like.
const DOLLARS: &str = "an amount in dollars such as `5` or `0.25`";

/// Words for [`CommandPurpose`] in settings.
const PURPOSES: [(&str, CommandPurpose); 6] = [
    ("install", CommandPurpose::Install),
    ("build", CommandPurpose::Build),
    ("typecheck", CommandPurpose::Typecheck),
    ("test", CommandPurpose::Test),
    ("lint", CommandPurpose::Lint),
    ("format", CommandPurpose::Format),
];

impl FromStr for AuditEffort {
    type Err = ();

    fn from_str(text: &str) -> Result<AuditEffort, ()> {
        match text {
            "quick" => Ok(AuditEffort::Quick),
            "standard" => Ok(AuditEffort::Standard),
            "deep" => Ok(AuditEffort::Deep),
            _ => Err(()),
        }
    }
}

/// Reads the file at `path`; `None` when there is none.
pub fn read_file(path: &Path, layer: Layer) -> Result<Option<SettingsFile>, SettingsError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(SettingsFile { path: path.to_owned(), text, layer })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SettingsError::Unreadable { path: path.to_owned(), source }),
    }
}

/// The calls a setting names.
fn declared_calls(entry: &Entry) -> Result<Vec<DeclaredCall>, SettingsError> {
    let list = entry.list()?;
    let read = |text: &String| {
        DeclaredCall::parse(text).ok_or_else(|| SettingsError::BadValue {
            origin: entry.origin.clone(),
            key: entry.key.join("."),
            expected: "calls such as `db.raw` or `runOnServer(2)`",
            found: text.clone(),
        })
    };
    list.value.iter().map(read).collect()
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn level(text: &str) -> Option<Option<Level>> {
    match text {
        "never" => Some(None),
        "low" => Some(Some(Level::Low)),
        "medium" => Some(Some(Level::Medium)),
        "high" => Some(Some(Level::High)),
        _ => None,
    }
}

/// `90s`, `10m`, `1h`, or a bare number of seconds. Zero is no time at all.
fn duration(text: &str) -> Option<Duration> {
    let (number, seconds) = match text.char_indices().last()? {
        (end, 's') => (&text[..end], 1),
        (end, 'm') => (&text[..end], 60),
        (end, 'h') => (&text[..end], 3600),
        _ => (text, 1),
    };
    let seconds = number.trim().parse::<u64>().ok()?.checked_mul(seconds)?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
