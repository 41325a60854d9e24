//! `undeclared-dependency`: code imports a package that is only installed because another one needs it.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::locks;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::{lockfile_of, require_command};
use crate::audit::text::{count_of, folder_of};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::{FileFacts, Import, ImportItem};
use crate::repo_map::recon::{CommandPurpose, Package, PackageManager};
use crate::repo_map::{FileRole, ImportTarget, RepoMap};

/// Packages nobody asked for, used all the same.
pub struct UndeclaredDependency;

static DOC: RuleDoc = RuleDoc {
    id: "undeclared-dependency",
    category: Category::Migration,
    what: "code that ships and runs a package which no `package.json` up the tree lists, while the lock file has it for another package",
    why: "its version is chosen by somebody else: it changes, or is gone, with an upgrade of the package that brought it, and stricter \
          package managers do not find it at all",
    quiet_when: "any `package.json` above lists it (development, peer and optional dependencies too), it is a module of the runtime, a \
                 package of this repository, an alias of the bundler or of `tsconfig.json`, a virtual module that the lock file does \
                 not know, is only used as a type, or is imported on demand. Cargo refuses such code itself",
    example: "import { debounce } from 'lodash';   // and `lodash` is only in the lock file, for another package",
};

/// Packages named in a finding.
const MAX_NAMED: usize = 8;
/// Imports shown beside the first.
const MAX_PLACES: usize = 15;

/// Modules of Node.js: nothing installs them, and packages of these names exist.
const BUILTINS: &[&str] = &[
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "sea",
    "sqlite",
    "stream",
    "string_decoder",
    "sys",
    "test",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
    "bun",
];

impl Rule for UndeclaredDependency {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        undeclared(ground.map, &|path| ground.tree.text(path)).iter().map(|one| finding(one)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let found = undeclared(context.map, &|path| context.tree.text(path));
        let place = finding.location();
        let one = found.iter().find(|one| {
            one.places().first().is_some_and(|(file, line, ..)| *file == place.file && *line == place.start_line)
        })?;
        let goals: Vec<GateDraft> = one
            .places()
            .iter()
            .take(3)
            .map(|(_, _, name, package)| GateDraft::TextPresent {
                text: format!("\"{name}\""),
                file: package.manifest.clone(),
            })
            .collect();
        let mut gates = goals.clone();
        gates.extend([CommandPurpose::Install, CommandPurpose::Build, CommandPurpose::Test].map(GateDraft::Project));
        let commands: Vec<String> = one
            .users
            .iter()
            .map(|(package, uses)| {
                let commands: Vec<String> =
                    uses.keys().map(|name| format!("`{}`", require_command(package.manager, name, false))).collect();
                format!("- `{}`: {}", package.manifest, commands.join(", "))
            })
            .collect();
        let title = match one.users.as_slice() {
            [(package, uses)] => {
                let names: Vec<String> = uses.keys().take(MAX_NAMED).map(|name| format!("`{name}`")).collect();
                format!("List {} in `{}`", names.join(", "), package.manifest)
            }
            users => format!("List what {} import", count_of(users.len(), "package")),
        };
        let mut in_scope: Vec<ScopeDraft> = one
            .users
            .iter()
            .map(|(package, _)| ScopeDraft { path: package.manifest.clone(), remark: "the new entries".to_owned() })
            .collect();
        in_scope.push(ScopeDraft { path: one.lockfile.clone(), remark: "as the package manager writes it".to_owned() });
        Some(PlanDraft {
            title,
            why: finding.message.clone(),
            steps: vec![StepDraft {
                title: "List what is imported".to_owned(),
                instruction: format!(
                    "In the folder of each manifest, run the command, with the version that `{}` has installed now for VERSION, so that \
                     nothing changes but who asks for it. What only tests or tools need is listed for development.\n\n{}",
                    one.lockfile,
                    commands.join("\n")
                ),
                edits: Vec::new(),
                gates,
            }],
            in_scope,
            out_of_scope: vec![(
                "versions of other dependencies".to_owned(),
                "an upgrade is reviewed on its own".to_owned(),
            )],
            goals,
            stop_conditions: vec![
                "the bundler or the framework maps a name to something else: say where that is configured".to_owned(),
                "the version of another package changes in the lock file".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// What is used without being listed where one lock file is: one plan lists it all.
struct Undeclared<'a> {
    lockfile: String,
    /// Packages of this repository, and where each of the packages they do not list is imported first.
    users: Vec<(&'a Package, Uses<'a>)>,
}

/// Names of packages, with the first file and line that import them.
type Uses<'a> = BTreeMap<&'a str, (&'a str, u32)>;

impl<'a> Undeclared<'a> {
    /// File, line, the package and who imports it; the package that lacks most leads.
    fn places(&self) -> Vec<(&'a str, u32, &'a str, &'a Package)> {
        let mut users: Vec<&(&Package, Uses<'_>)> = self.users.iter().collect();
        users.sort_by_key(|(package, uses)| (std::cmp::Reverse(uses.len()), &package.manifest));
        let mut found = Vec::new();
        for (package, uses) in users {
            let mut own: Vec<_> = uses.iter().map(|(name, (file, line))| (*file, *line, *name, *package)).collect();
            own.sort_unstable_by_key(|(file, line, name, _)| (*file, *line, *name));
            found.extend(own);
        }
        found
    }
}

fn undeclared<'a>(map: &'a RepoMap, text: &dyn Fn(&str) -> Option<String>) -> Vec<Undeclared<'a>> {
    let local: BTreeSet<&str> = map.recon.packages.iter().map(|package| package.name.as_str()).collect();
    let mut open: BTreeMap<&str, (&Package, Uses<'_>)> = BTreeMap::new();
    for ((_, source), targets) in map.files_with_ids().zip(&map.import_targets) {
        if !source.language.is_ecmascript() || source.role != FileRole::Production {
            continue;
        }
        let Some(package) = map.recon.package_in(&source.path, false) else { continue };
        // What is copied into the projects of others is installed there.
        if package.inside(&source.path).is_some_and(|inside| inside.starts_with("template/")) {
            continue;
        }
        for (import, target) in source.facts.imports.iter().zip(targets) {
            let ImportTarget::External(name) = target else { continue };
            let name = name.as_str();
            if is_package(name, import)
                && runs(&source.facts, import)
                && !local.contains(name)
                && !is_listed(map, &source.path, name)
                && !is_folder(map, name)
            {
                let (_, uses) = open.entry(&package.manifest).or_insert_with(|| (package, BTreeMap::new()));
                let place = (source.path.as_str(), import.line);
                let first = uses.entry(name).or_insert(place);
                *first = (*first).min(place);
            }
        }
    }
    // Lock files and configurations are read only where something is open.
    for (package, uses) in open.values_mut() {
        let aliases = Aliases::read(map, package, text);
        uses.retain(|name, _| !aliases.has(name));
    }
    let mut locked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut found: BTreeMap<String, Vec<(&Package, Uses<'_>)>> = BTreeMap::new();
    for (package, mut uses) in open.into_values() {
        let Some(lockfile) = lockfile_of(map, package) else { continue };
        let installed = locked.entry(lockfile.clone()).or_insert_with(|| {
            let packages = text(&lockfile).and_then(|text| locks::read(&lockfile, &text)).unwrap_or_default();
            packages.into_iter().map(|package| package.name).collect()
        });
        uses.retain(|name, _| installed.contains(*name));
        if !uses.is_empty() {
            found.entry(lockfile).or_default().push((package, uses));
        }
    }
    found.into_iter().map(|(lockfile, users)| Undeclared { lockfile, users }).collect()
}

/// Whether a specifier is the name of a package that has to be installed.
fn is_package(name: &str, import: &Import) -> bool {
    let source = import.source.as_str();
    let plain = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'))
    };
    let has_form = match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, rest)| plain(scope) && plain(rest)),
        None => plain(name),
    };
    has_form && !source.contains(':') && !source.contains('!') && !BUILTINS.contains(&name)
}

/// Whether what is imported runs: a type alone is gone before anything does.
fn runs(facts: &FileFacts, import: &Import) -> bool {
    if import.type_only || !import.within.is_empty() {
        return false;
    }
    match import.item {
        ImportItem::SideEffect => true,
        // Loaded on demand: often because it may be missing.
        ImportItem::Dynamic => false,
        ImportItem::Named(_) | ImportItem::Default | ImportItem::Namespace | ImportItem::Glob => {
            let local = import.local.as_str();
            !local.is_empty() && facts.calls.iter().any(|site| site.callee.root_name() == Some(local))
        }
    }
}

/// Whether a manifest above the file lists the package, for whatever.
fn is_listed(map: &RepoMap, path: &str, name: &str) -> bool {
    map.recon
        .packages
        .iter()
        .filter(|package| package.manager != PackageManager::Cargo && package.inside(path).is_some())
        .flat_map(|package| &package.dependencies)
        .any(|own| own.listed_name() == name)
}

/// What bundlers and compilers around a package are told to take for something else.
struct Aliases {
    /// Texts of configurations that speak of aliases.
    texts: Vec<String>,
    /// Preact stands in for React.
    is_preact: bool,
}

impl Aliases {
    fn read(map: &RepoMap, package: &Package, text: &dyn Fn(&str) -> Option<String>) -> Aliases {
        let paths = map.files.iter().map(|file| file.path.as_str()).chain(map.other_files.iter().map(String::as_str));
        let texts: Vec<String> = paths
            .filter(|path| is_bundler_config(path) && is_around(folder_of(path), &package.folder))
            .filter_map(text)
            .filter(|text| text.contains("alias") || text.contains("\"paths\""))
            .collect();
        let presets = ["@preact/preset-vite", "@prefresh/vite", "preact-cli"];
        let is_preact = map
            .recon
            .packages
            .iter()
            .filter(|own| own.manager != PackageManager::Cargo && is_around(&own.folder, &package.folder))
            .flat_map(|own| &own.dependencies)
            .any(|own| presets.contains(&own.listed_name()));
        Aliases { texts, is_preact }
    }

    fn has(&self, name: &str) -> bool {
        (self.is_preact && matches!(name, "react" | "react-dom")) || self.texts.iter().any(|text| names_key(text, name))
    }
}

/// Whether a configuration has `name` for a key, as a text of its own, or as the start of one (`name/*`).
fn names_key(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let is_text = before.ends_with(['"', '\'', '`']) && after.starts_with(['"', '\'', '`', '/', '$']);
        let is_pattern = before.ends_with(['^', '/']) && after.starts_with(['$', '/', '(']);
        let is_key = before.ends_with([' ', '\n', '\t', '{', ',']) && after.trim_start().starts_with(':');
        is_text || is_pattern || is_key
    })
}

/// `vite.config.ts`, `webpack.prod.js`, `tsconfig.app.json`, `babel.config.js` and the like.
fn is_bundler_config(path: &str) -> bool {
    const TOOLS: &[&str] = &[
        "vite",
        "vitest",
        "webpack",
        "rollup",
        "rspack",
        "rsbuild",
        "next",
        "nuxt",
        "vue",
        "craco",
        "astro",
        "electron",
        "esbuild",
        "tsup",
        "tsdown",
        "rolldown",
        "parcel",
        "babel",
        "metro",
        "svelte",
        "config-overrides",
        "tsconfig",
        "jsconfig",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    let tool = name.split('.').next().unwrap_or_default().trim_start_matches('.');
    let says_config = name.contains("config") || tool == "webpack" || name.starts_with(".babelrc");
    says_config && TOOLS.iter().any(|own| tool == *own || tool.starts_with(&format!("{own}-")))
}

/// Whether `outer` is the folder `inner` or one around it.
fn is_around(outer: &str, inner: &str) -> bool {
    outer.is_empty() || inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a folder of sources has the name: an alias that only the bundler knows.
fn is_folder(map: &RepoMap, name: &str) -> bool {
    let (inner, start) = (format!("/{name}/"), format!("{name}/"));
    map.files.iter().any(|file| file.path.starts_with(&start) || file.path.contains(&inner))
}

fn finding(one: &Undeclared<'_>) -> Finding {
    let places = one.places();
    let (file, line, first, package) = places[0];
    let mut names: Vec<&str> = Vec::new();
    for (_, _, name, _) in &places {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let shown: Vec<String> = names.iter().take(MAX_NAMED).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let one_name = names.len() == 1;
    let mut draft = FindingDraft::at_lines(&DOC, file, line, line, "import")
        .title(match (one.users.len(), one_name) {
            (1, true) => format!("nothing lists `{first}`, which `{}` imports", package.name),
            (1, false) => format!("`{}` imports {} it does not list", package.name, count_of(names.len(), "package")),
            (users, _) => format!("{} import what they do not list", count_of(users, "package")),
        })
        .message(format!(
            "{}{more} {} listed in no `package.json` above the code that imports {}, and installed because something else needs {}: `{}` \
             says so. An upgrade of that changes or removes what this code runs.",
            shown.join(", "),
            if one_name { "is" } else { "are" },
            if one_name { "it" } else { "them" },
            if one_name { "it" } else { "them" },
            one.lockfile
        ))
        .impact(2)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::Med);
    for (file, line, ..) in places.iter().skip(1).take(MAX_PLACES) {
        draft = draft.and_lines(*file, *line, *line, "import");
    }
    draft.build()
}
