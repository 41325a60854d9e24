//! Getting it running: commands and where each was found, tools and versions, services, variables of the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Ground, Place, file_name, folder};
use crate::repo_map::FileRole;
use crate::repo_map::recon::{CommandPurpose, Package, PackageManager};

/// Variables listed, the most read first.
const VARIABLES: usize = 40;
/// Packages whose own commands are listed when the root has none.
const PACKAGES: usize = 4;
/// Scripts that start the software, as projects name them.
const STARTING: &[&str] = &["dev", "start", "start:dev", "serve", "develop", "preview"];

/// How to get it running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Setup {
    /// Tools and the versions that are asked for.
    pub tools: Vec<Tool>,
    /// Images of services that a compose file starts.
    pub services: Vec<Service>,
    /// Commands, in the order in which they are needed.
    pub commands: Vec<Command>,
    /// Tasks that a Makefile or the like offers.
    pub tasks: Vec<Tasks>,
    /// Variables of the environment that the code reads.
    pub variables: Vec<Variable>,
    /// Variables that are not listed.
    pub more_variables: usize,
    /// Files that show which variables to set.
    pub variable_samples: Vec<String>,
    /// The samples show enough of the variables that one they lack is worth a word.
    pub samples_count: bool,
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// The version that is asked for, as written.
    pub version: String,
    /// Where that stands.
    pub source: String,
}

/// A service that is started for development.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Service {
    /// The image, as written.
    pub image: String,
    /// Where that stands.
    pub place: Place,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Command {
    /// What it is for: `install`, `start`, `build`, …
    pub purpose: String,
    /// The command line, to be typed at the root.
    pub command: String,
    /// Where it was found.
    pub source: String,
}

/// Tasks of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tasks {
    /// The file.
    pub path: String,
    /// Names of its tasks, sorted.
    pub names: Vec<String>,
}

/// A variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The first place that reads it.
    pub place: Place,
    /// Files that read it.
    pub files: usize,
    /// The sample that shows it; null when none does.
    pub sample: Option<Place>,
}

impl Setup {
    pub(super) fn files(&self) -> Vec<&str> {
        let variables = self.variables.iter().flat_map(|variable| {
            std::iter::once(&variable.place).chain(&variable.sample).map(|place| place.path.as_str())
        });
        let services = self.services.iter().map(|service| service.place.path.as_str());
        variables.chain(services).chain(self.tasks.iter().map(|tasks| tasks.path.as_str())).collect()
    }
}

pub(super) fn setup(ground: &Ground<'_>) -> Setup {
    let samples = samples(ground);
    let (variables, more_variables) = variables(ground, &samples);
    let files = &ground.sources.map.recon.task_files;
    Setup {
        tools: tools(ground),
        services: services(ground),
        commands: commands(ground),
        tasks: files
            .iter()
            .filter(|file| !file.path.contains('/') && !file.tasks.is_empty())
            .map(|file| Tasks {
                path: file.path.clone(),
                // `.PHONY` is a word to make.
                names: file.tasks.iter().filter(|name| !name.starts_with('.')).cloned().collect(),
            })
            .collect(),
        samples_count: variables.iter().filter(|variable| variable.sample.is_some()).count() * 5 >= variables.len() * 2,
        variables,
        more_variables,
        variable_samples: samples.into_iter().map(|(path, _)| path).collect(),
    }
}

/// Commands of the root, else of the packages that most others need.
fn commands(ground: &Ground<'_>) -> Vec<Command> {
    let packages = &ground.sources.map.recon.packages;
    let has_any = |package: &&Package| !package.commands.is_empty();
    let mut chosen: Vec<&Package> =
        packages.iter().filter(|package| package.folder.is_empty()).filter(has_any).collect();
    let roots = packages.iter().filter(|package| !package.folder.is_empty() && package.member_of.is_none());
    let roots: Vec<&Package> = roots.filter(has_any).filter(|package| ships(ground, package)).collect();
    if roots.len() + chosen.len() <= PACKAGES || chosen.is_empty() {
        chosen.extend(roots.into_iter().take(PACKAGES));
    }
    if chosen.is_empty() {
        chosen.extend(packages.iter().filter(has_any).take(PACKAGES));
    }
    let mut found: Vec<(u8, Command)> = Vec::new();
    for package in &chosen {
        for command in &package.commands {
            let order = match command.purpose {
                CommandPurpose::Install => 0,
                CommandPurpose::Build => 2,
                CommandPurpose::Typecheck => 4,
                CommandPurpose::Test => 3,
                CommandPurpose::Lint => 5,
                CommandPurpose::Format => 6,
            };
            let purpose = command.purpose.label().to_lowercase();
            found.push((order, Command { purpose, command: command.at_root(), source: command.source.clone() }));
        }
        found.extend(starting(package).map(|command| (1, command)));
    }
    found.extend(binaries(ground).map(|command| (1, command)));
    found.sort_by_key(|(order, _)| *order);
    let mut seen = BTreeSet::new();
    found.into_iter().map(|(_, command)| command).filter(|one| seen.insert(one.command.clone())).collect()
}

/// Whether code that ships stands in the package.
fn ships(ground: &Ground<'_>, package: &Package) -> bool {
    let files = &ground.sources.map.files;
    files.iter().any(|file| file.role == FileRole::Production && package.inside(&file.path).is_some())
}

/// Scripts that start the software.
fn starting(package: &Package) -> impl Iterator<Item = Command> {
    let run = match package.manager {
        PackageManager::Cargo => "",
        PackageManager::Npm => "npm run",
        PackageManager::Pnpm => "pnpm",
        PackageManager::Yarn => "yarn",
        PackageManager::Bun => "bun run",
    };
    let scripts = package.scripts.iter().filter(|script| STARTING.contains(&script.name.as_str()));
    scripts.map(move |script| Command {
        purpose: "start".to_owned(),
        command: match package.folder.as_str() {
            "" => format!("{run} {}", script.name),
            folder => format!("cd {} && {run} {}", shell_words::quote(folder), script.name),
        },
        source: format!("{}:{}", package.manifest, script.line),
    })
}

/// Programs of Cargo packages: a single one at the root needs no name.
fn binaries<'g>(ground: &'g Ground<'_>) -> impl Iterator<Item = Command> + 'g {
    let packages = ground.sources.map.recon.packages.iter();
    let mut mains: Vec<(&Package, &str)> = packages
        .filter(|package| package.manager == PackageManager::Cargo)
        .flat_map(|package| package.entry_points.iter().map(move |path| (package, path.as_str())))
        .filter(|(package, path)| package.inside(path) == Some("src/main.rs"))
        .collect();
    mains.sort_by_key(|(package, _)| package.folder.as_str());
    let alone = mains.len() == 1 && mains.iter().all(|(package, _)| package.folder.is_empty());
    mains.into_iter().take(PACKAGES).map(move |(package, path)| Command {
        purpose: "start".to_owned(),
        command: if alone { "cargo run".to_owned() } else { format!("cargo run -p {}", package.name) },
        source: path.to_owned(),
    })
}

/// Tools whose versions are pinned at the root.
fn tools(ground: &Ground<'_>) -> Vec<Tool> {
    let text = |path: &str| ground.sources.text(path);
    let mut tools = Vec::new();
    let mut add = |name: &str, version: &str, source: &str| {
        let version = version.trim().trim_matches('"');
        if !version.is_empty() && version.len() < 60 {
            tools.push(Tool { name: name.to_owned(), version: version.to_owned(), source: source.to_owned() });
        }
    };
    if let Some(manifest) = text("package.json").and_then(|text| serde_json::from_str::<Value>(&text).ok()) {
        for (name, version) in manifest.get("engines").and_then(Value::as_object).into_iter().flatten() {
            add(name, version.as_str().unwrap_or_default(), "package.json engines");
        }
        if let Some((name, version)) =
            manifest.get("packageManager").and_then(Value::as_str).and_then(|it| it.split_once('@'))
        {
            add(name, version.split('+').next().unwrap_or(version), "package.json packageManager");
        }
    }
    for path in [".nvmrc", ".node-version"] {
        if let Some(version) = text(path) {
            add("node", version.lines().next().unwrap_or_default(), path);
        }
    }
    for path in ["rust-toolchain.toml", "rust-toolchain"] {
        if let Some(text) = text(path) {
            let channel = text
                .parse::<toml::Table>()
                .ok()
                .and_then(|table| Some(table.get("toolchain")?.get("channel")?.as_str()?.to_owned()));
            add("rust", &channel.unwrap_or_else(|| text.lines().next().unwrap_or_default().to_owned()), path);
        }
    }
    if let Some(manifest) = text("Cargo.toml").and_then(|text| text.parse::<toml::Table>().ok()) {
        for (owner, at) in [("package", "package.rust-version"), ("workspace", "workspace.package.rust-version")] {
            let table = manifest
                .get(owner)
                .and_then(|table| if owner == "workspace" { table.get("package") } else { Some(table) });
            if let Some(version) = table.and_then(|table| table.get("rust-version")).and_then(toml::Value::as_str) {
                add("rust, at least", version, &format!("Cargo.toml {at}"));
            }
        }
    }
    if let Some(text) = text(".tool-versions") {
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            if let Some((name, version)) = line.trim().split_once(' ') {
                add(name, version, ".tool-versions");
            }
        }
    }
    tools
}

static IMAGE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"^\s+image:\s*["']?([\w./:@${}-]+)"#).expect("the pattern is tested"));

/// Images of compose files, the project's own left out where it is built.
fn services(ground: &Ground<'_>) -> Vec<Service> {
    let is_compose = |path: &str| {
        let name = file_name(path);
        let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        is_yaml && (name.starts_with("docker-compose") || name.starts_with("compose"))
    };
    // At the top, or in a folder for such files; elsewhere they serve tests and examples.
    let is_ours = |path: &str| {
        let within = path.split('/').rev().skip(1);
        path.matches('/').count() < 3
            && within.into_iter().all(|name| {
                matches!(name, "docker" | "dev" | "development" | ".devcontainer" | "deploy" | "infra" | "compose")
            })
    };
    let mut found: BTreeMap<String, Place> = BTreeMap::new();
    let files = ground.sources.map.other_files.iter().filter(|path| is_compose(path) && is_ours(path));
    for path in files {
        for (line, text) in (1..).zip(ground.sources.text(path).unwrap_or_default().lines()) {
            if let Some(image) = IMAGE.captures(text) {
                // The project's own image is what it makes, not what it needs.
                if image[1].to_lowercase().contains(&ground.sources.folder.to_lowercase()) || image[1].contains("${") {
                    continue;
                }
                found.entry(image[1].to_owned()).or_insert_with(|| Place { path: path.clone(), line });
            }
        }
    }
    found.into_iter().map(|(image, place)| Service { image, place }).collect()
}

/// `.env.example` and the like, with the variables they show.
fn samples(ground: &Ground<'_>) -> Vec<(String, BTreeMap<String, u32>)> {
    let is_sample = |path: &&String| {
        let name = file_name(path).to_lowercase();
        let says = ["example", "sample", "template", "dist", "defaults"].iter().any(|word| name.contains(word));
        (name.starts_with(".env") || name.ends_with(".env") || name.starts_with("env.")) && says
    };
    let files = ground.sources.map.other_files.iter().filter(is_sample);
    let shown = files.filter_map(|path| {
        let text = ground.sources.text(path)?;
        let names = (1..).zip(text.lines()).filter_map(|(line, text)| {
            let name = text.trim_start_matches(['#', ' ']).trim_start_matches("export ").split_once('=')?.0.trim();
            is_variable(name).then(|| (name.to_owned(), line))
        });
        Some((path.clone(), names.collect::<BTreeMap<_, _>>()))
    });
    shown.collect()
}

static READS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?:\bprocess\.env|\bimport\.meta\.env|\bBun\.env)(?:\??\.([A-Z][A-Z0-9_]+)|\[['"]([A-Z][A-Z0-9_]+)['"]\])|\b(?:env|std::env)::var(?:_os)?\(\s*"([A-Z][A-Z0-9_]+)"|\bDeno\.env\.get\(\s*['"]([A-Z][A-Z0-9_]+)['"]|\benv\s*=\s*"([A-Z][A-Z0-9_]+)""#,
    )
    .expect("the pattern is tested")
});
/// What every machine has, or a tool sets by itself.
const EVERYWHERE: &[&str] = &[
    "NODE_ENV",
    "CI",
    "HOME",
    "PATH",
    "PWD",
    "USER",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "NO_COLOR",
    "FORCE_COLOR",
    "CARGO_MANIFEST_DIR",
    "OUT_DIR",
    "CARGO_PKG_VERSION",
    "EDITOR",
    "VISUAL",
    "LANG",
    "HOSTNAME",
    "DEV",
    "PROD",
    "MODE",
    "BASE_URL",
    "SSR",
    "TARGET",
    "PROFILE",
    "GITHUB_ACTIONS",
    "COLORTERM",
    "CARGO",
    "NEXT_RUNTIME",
    "NEXT_PHASE",
    "INIT_CWD",
    "VITEST",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "DISPLAY",
    "COLUMNS",
    "COMSPEC",
];

fn is_variable(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Variables that code that ships reads, the most read first.
fn variables(ground: &Ground<'_>, samples: &[(String, BTreeMap<String, u32>)]) -> (Vec<Variable>, usize) {
    let mut found: BTreeMap<String, (Place, BTreeSet<&str>)> = BTreeMap::new();
    for (id, file) in ground.sources.map.files_with_ids() {
        let named = |name: &str| file.facts.references.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
        let reads =
            ["env", "process", "Bun", "Deno", "clap", "Parser", "Args", "var", "import"].iter().any(|name| named(name));
        if !matches!(file.role, FileRole::Production | FileRole::Script) || !ground.keeps(id) || !reads {
            continue;
        }
        let Some(text) = ground.sources.text(&file.path) else { continue };
        for (line, text) in (1..).zip(text.lines()) {
            let code = text.trim_start();
            let in_test = || file.facts.symbols.iter().any(|symbol| symbol.test && symbol.lines.contains(line));
            if code.starts_with("//") || code.starts_with('*') || !READS.is_match(text) || in_test() {
                continue;
            }
            for captures in READS.captures_iter(text) {
                let Some(name) = captures.iter().skip(1).flatten().next().map(|name| name.as_str()) else { continue };
                if EVERYWHERE.contains(&name)
                    || name.starts_with("npm_")
                    || name.starts_with("XDG_")
                    || name.starts_with("CARGO_")
                {
                    continue;
                }
                let place = Place { path: file.path.clone(), line };
                found.entry(name.to_owned()).or_insert_with(|| (place, BTreeSet::new())).1.insert(&file.path);
            }
        }
    }
    let sample = |name: &str, reader: &str| {
        // Of several samples the one in the reader's own package.
        let shows = samples.iter().filter(|(_, names)| names.contains_key(name));
        let nearest = shows
            .min_by_key(|(path, _)| (!reader.starts_with(folder(path)), std::cmp::Reverse(folder(path).len()), path));
        nearest.map(|(path, names)| Place { path: path.clone(), line: names[name] })
    };
    let mut variables: Vec<Variable> = found
        .into_iter()
        .map(|(name, (place, files))| Variable { sample: sample(&name, &place.path), name, place, files: files.len() })
        .collect();
    variables.sort_by(|one, other| other.files.cmp(&one.files).then_with(|| one.name.cmp(&other.name)));
    let more = variables.len().saturating_sub(VARIABLES);
    variables.truncate(VARIABLES);
    (variables, more)
}
