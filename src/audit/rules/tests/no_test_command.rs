//! `no-test-command`: a package with code that ships and nothing that checks it.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::debt::hotspot::is_tested_in_another_language;
use crate::audit::rules::deps::lockfile_of;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::LanguageName;
use crate::repo_map::name::Name;
use crate::repo_map::recon::{CommandPurpose, Package, PackageManager};
use crate::repo_map::{FileRole, RepoMap, SourceFile, SymbolId};

/// A package without tests and without a command to run any.
pub struct NoTestCommand;

static DOC: RuleDoc = RuleDoc {
    id: "no-test-command",
    category: Category::Tests,
    what: "a package with code that ships, no test and no command that would run one",
    why: "no change to it can be verified, neither by a person nor by an agent: every other plan here proves less than it could",
    quiet_when: "it has fewer than 1 500 lines, there is a test in it or of it somewhere, a runner's settings or a project file of Nx stands beside its manifest, or the repository holds end-to-end \
                 tests or tests in another language, which may reach it",
    example: "// package.json: \"scripts\": { \"dev\": \"next dev\", \"build\": \"next build\" }",
};

/// Lines from which a package should have a test. Our choice.
const MIN_LINES: u32 = 1_500;
/// Findings reported.
const MAX_FINDINGS: usize = 3;

impl Rule for NoTestCommand {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let has_tests =
            |file: &SourceFile| file.role == FileRole::Test || file.facts.symbols.iter().any(|symbol| symbol.test);
        if has_end_to_end_tests(map) || is_tested_in_another_language(map) {
            return Vec::new();
        }
        let mut found: Vec<(u32, bool, &Package)> = Vec::new();
        for package in &map.recon.packages {
            let own: Vec<&SourceFile> = files_of(map, package).collect();
            let lines = own.iter().filter(|file| file.role == FileRole::Production).map(|file| file.lines).sum();
            // A folder of tests beside the packages (`tests/`, `e2e/`) may be for any of them.
            let tested_outside = map.files.iter().any(|file| has_tests(file) && imports_from(map, file, package));
            let has_command = package.manager != PackageManager::Cargo
                && package.commands.iter().any(|command| command.purpose == CommandPurpose::Test);
            let nested = map.recon.packages.iter().any(|other| {
                !other.folder.is_empty() && other.folder != package.folder && encloses(&other.folder, &package.folder)
            });
            if lines >= MIN_LINES
                && !nested
                && !has_command
                && !has_runner(&package.folder, &|path| map.has_path(path))
                && !own.iter().any(|file| has_tests(file))
                && !tested_outside
            {
                // Markup is looked at rather than tested.
                let is_markup = |file: &&&SourceFile| [".tsx", ".jsx"].iter().any(|end| file.path.ends_with(end));
                let markup: u32 = own
                    .iter()
                    .filter(|file| file.role == FileRole::Production)
                    .filter(is_markup)
                    .map(|file| file.lines)
                    .sum();
                found.push((lines, markup * 2 > lines, package));
            }
        }
        found.sort_by_key(|(lines, _, package)| (std::cmp::Reverse(*lines), &package.folder));
        let whole = !map.files.iter().any(has_tests);
        found
            .into_iter()
            .take(if whole { 1 } else { MAX_FINDINGS })
            .map(|(lines, shows, package)| finding(package, lines, shows, whole))
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let package = map.recon.packages.iter().find(|package| package.manifest == finding.location().file)?;
        let target = first_target(context, package);
        let subject = target.map(|id| {
            let symbol = map.symbol(id);
            format!("`{}` in `{}` (line {})", symbol.qualified, map.file(id.file).path, symbol.name_line)
        });
        let subject =
            subject.unwrap_or_else(|| "the function with the most branches that needs no database".to_owned());
        let is_cargo = package.manager == PackageManager::Cargo;
        let mut steps = Vec::new();
        if !is_cargo {
            let has_jest = map.recon.frameworks.iter().any(|name| name == "jest");
            // `vitest` alone watches; what stands behind `jest` is a pattern.
            let (runner, script) = if has_jest { ("jest", "jest") } else { ("vitest", "vitest run") };
            steps.push(StepDraft {
                title: format!("Add a test runner to `{}`", package.manifest),
                instruction: format!(
                    "Add `{runner}` as a development dependency with `{}` (run in `{}`), so that manifest and lock file change \
                     together, and a script `\"test\": \"{script}\"` to `{}`. Use the configuration the other packages of \
                     this repository use, if one has tests.",
                    install(package.manager, runner),
                    if package.folder.is_empty() { "." } else { &package.folder },
                    package.manifest
                ),
                edits: Vec::new(),
                gates: vec![GateDraft::TextPresent { text: "\"test\":".to_owned(), file: package.manifest.clone() }],
            });
        }
        steps.push(StepDraft {
            title: "Write the first tests".to_owned(),
            instruction: format!(
                "Test {subject}: the common case, an empty or missing input, and an input it should refuse. {}",
                if is_cargo {
                    "Put them into a `#[cfg(test)] mod tests` at the end of that file."
                } else {
                    "Put them beside that file, named after it with `.test.ts`."
                }
            ),
            edits: Vec::new(),
            gates: vec![GateDraft::NewTests(3)],
        });
        let goals = if is_cargo {
            Vec::new()
        } else {
            vec![GateDraft::TextPresent { text: "\"test\":".to_owned(), file: package.manifest.clone() }]
        };
        Some(PlanDraft {
            title: format!("Give `{}` a test command and its first tests", package.name),
            why: format!("{} With a runner in place, later changes can bring their own proof.", finding.message),
            steps,
            in_scope: scope(map, package, target),
            out_of_scope: vec![("production code".to_owned(), "a baseline must describe the code as it is".to_owned())],
            tests: vec![format!("{subject}: the common case, an empty input, a refused input")],
            goals,
            stop_conditions: vec![
                format!(
                    "{subject} cannot be called without a database, a network or a browser: choose another function and say which"
                ),
                "installing the runner changes versions of other dependencies".to_owned(),
            ],
            maintenance: vec!["Run the command in continuous integration once it is green.".to_owned()],
            ..PlanDraft::default()
        })
    }
}

/// Whether a file beside the manifest says what runs tests: targets of Nx stand there or are made of what stands there.
fn has_runner(folder: &str, has_path: &dyn Fn(&str) -> bool) -> bool {
    let beside = |name: &str| has_path(&if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") });
    let is_nx = has_path("nx.json") && beside("project.json");
    let configured = ["vitest.config", "jest.config", ".mocharc"]
        .iter()
        .any(|name| [".ts", ".mts", ".js", ".mjs", ".cjs", ".json"].iter().any(|end| beside(&format!("{name}{end}"))));
    is_nx || configured
}

/// Whether tests stand apart from what they test: in a package or folder of their own, or through a browser.
fn has_end_to_end_tests(map: &RepoMap) -> bool {
    const RUNNERS: [&str; 10] = [
        "@playwright/test",
        "playwright",
        "cypress",
        "webdriverio",
        "puppeteer",
        "supertest",
        "nightwatch",
        "newman",
        "k6",
        "artillery",
    ];
    let says_test = |name: &str| {
        let lower = name.to_ascii_lowercase();
        lower.split(['/', '-', '_', '@']).any(|word| matches!(word, "e2e" | "test" | "tests" | "spec" | "integration"))
    };
    map.recon.packages.iter().any(|package| {
        says_test(&package.folder) || package.dependencies.iter().any(|own| RUNNERS.contains(&own.name.as_str()))
    }) || map.other_files.iter().any(|path| path.ends_with(".hurl") || path.ends_with(".bats"))
}

fn files_of<'a>(map: &'a RepoMap, package: &'a Package) -> impl Iterator<Item = &'a SourceFile> {
    let is_rust = package.manager == PackageManager::Cargo;
    map.files.iter().filter(move |file| {
        let owner = map
            .recon
            .packages
            .iter()
            .filter(|other| (other.manager == PackageManager::Cargo) == is_rust && encloses(&other.folder, &file.path))
            .max_by_key(|other| other.folder.len());
        file.language.is_ecmascript() != is_rust && owner.is_some_and(|owner| owner.manifest == package.manifest)
    })
}

fn encloses(folder: &str, path: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a file imports or names the package, by name or by path.
fn imports_from(map: &RepoMap, file: &SourceFile, package: &Package) -> bool {
    let Some((id, _)) = map.file_by_path(&file.path) else { return false };
    let crate_name = package.name.replace('-', "_");
    // `backend::due()` needs no import.
    let names_crate = || file.facts.references.binary_search(&Name::from(crate_name.as_str())).is_ok();
    if package.manager == PackageManager::Cargo && file.language == LanguageName::Rust && names_crate() {
        return true;
    }
    file.facts.imports.iter().zip(&map.import_targets[id as usize]).any(|(import, target)| match target {
        crate::repo_map::ImportTarget::File(to) => {
            map.recon.package_of(&map.file(*to).path).is_some_and(|owner| owner.manifest == package.manifest)
        }
        crate::repo_map::ImportTarget::External(_) | crate::repo_map::ImportTarget::Unresolved => {
            import.source == package.name || import.source.replace('-', "_").starts_with(&format!("{crate_name}::"))
        }
    })
}

fn finding(package: &Package, lines: u32, shows: bool, whole: bool) -> Finding {
    let what =
        if whole { "This repository has no test at all".to_owned() } else { format!("`{}` has no test", package.name) };
    FindingDraft::at_lines(&DOC, &package.manifest, 1, 1, "manifest")
        .title(if whole {
            "nothing here is tested".to_owned()
        } else {
            format!("nothing in `{}` is tested", package.name)
        })
        .message(format!("{what} and no command that would run one, for {lines} lines of code that ship."))
        .impact(if whole { 4 } else { 3 })
        .effort(Effort::M)
        .risk(Risk::Low)
        .confidence(if shows { Confidence::Med } else { Confidence::High })
        .build()
}

/// The function to test first: called from many places, with branches, and without effects on the outside.
fn first_target(context: &RecipeContext<'_>, package: &Package) -> Option<SymbolId> {
    let map = context.map;
    map.symbols()
        .filter(|(id, symbol)| {
            let file = map.file(id.file);
            symbol.kind.is_callable()
                && symbol.has_body
                && symbol.exported
                && file.role == FileRole::Production
                && (3..=20).contains(&symbol.complexity)
                && encloses(&package.folder, &file.path)
                && !file.path.ends_with(".tsx")
                && !context.effects.functions.contains_key(id)
        })
        .max_by_key(|(id, symbol)| {
            (map.callers(*id).len().min(20) * symbol.complexity as usize, std::cmp::Reverse(*id))
        })
        .map(|(id, _)| id)
}

/// What the plan may touch: where the runner is named, and where the tests go.
fn scope(map: &RepoMap, package: &Package, target: Option<SymbolId>) -> Vec<ScopeDraft> {
    let scope = |path: String, remark: &str| ScopeDraft { path, remark: remark.to_owned() };
    let is_cargo = package.manager == PackageManager::Cargo;
    let folder = if package.folder.is_empty() { String::new() } else { format!("{}/", package.folder) };
    let tests = match target.map(|id| map.file(id.file).path.as_str()) {
        Some(path) if is_cargo => scope(path.to_owned(), "its tests, at its end"),
        Some(path) => {
            let (start, name) = path.split_at(path.rfind('/').map_or(0, |slash| slash + 1));
            let stem = name.split('.').next().unwrap_or(name);
            scope(format!("{start}{stem}.test.ts"), "the new tests")
        }
        None if is_cargo => scope(format!("{folder}**/*.rs"), "tests, at the end of the file they are of"),
        None => scope(format!("{folder}**/*.test.ts"), "the new tests"),
    };
    let manifest = scope(package.manifest.clone(), "script and development dependency");
    let lock = || Some(scope(lockfile_of(map, package)?, "as the package manager writes it"));
    if is_cargo { vec![tests] } else { std::iter::once(manifest).chain(lock()).chain([tests]).collect() }
}

fn install(manager: PackageManager, name: &str) -> String {
    match manager {
        PackageManager::Cargo => format!("cargo add --dev {name}"),
        PackageManager::Npm => format!("npm install --save-dev {name}"),
        PackageManager::Pnpm => format!("pnpm add --save-dev {name}"),
        PackageManager::Yarn => format!("yarn add --dev {name}"),
        PackageManager::Bun => format!("bun add --dev {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_runner_and_projects_of_nx_run_tests() {
        let runs = |folder: &str, paths: &[&str]| has_runner(folder, &|path| paths.contains(&path));
        assert!(runs("", &["vitest.config.mts"]));
        assert!(runs("packages/cart", &["packages/cart/.mocharc.json"]));
        assert!(!runs("packages/cart", &["vitest.config.ts"]), "that of another package");
        assert!(runs("packages/cart", &["nx.json", "packages/cart/project.json"]));
        assert!(!runs("packages/cart", &["packages/cart/project.json"]), "`project.json` is of Nx where `nx.json` is");
    }
}
