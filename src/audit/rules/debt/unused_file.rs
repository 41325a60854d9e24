//! `unused-file`: source files that nothing imports, starts, serves, tests or names.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::reach::conventions;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::debt::largest;
use crate::audit::text::{count_of, folder_of};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::facts::{ExportTarget, LanguageName};
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{FileId, FileRole, RepoMap};

mod orphans;

/// Files that are of no use.
pub struct UnusedFile;

static DOC: RuleDoc = RuleDoc {
    id: "unused-file",
    category: Category::TechDebt,
    what: "a source file that no import, `mod` declaration, script, page or configuration leads to",
    why: "it is read, searched, changed along and kept compiling, and the program would be the same without it",
    quiet_when: "a framework loads files of that name or folder, several files beside it are unused in the same way, any text of \
                 the repository names it, a pattern in settings (`entities: [\"src/entity/**\"]`) covers it, it exports nothing (a script), or it is a test, an example, a migration, generated, an \
                 entry point, an `index` of a published package that only hands on, put away (`_archive/`) or of a copied kit (shadcn's `components/ui`); a large share of the package looks unused, so that it must be started \
                 in a way that does not show",
    example: "// src/legacy-price.ts: nothing imports it\nexport function legacyPrice(order) { … }",
};

/// Findings reported, the largest files first.
const MAX_FINDINGS: usize = 20;
/// Percent of a package's files that may be unused before the package must be loaded in a way that does not show.
const MAX_SHARE: usize = 20;
/// That many are possible in any package.
const ALWAYS_POSSIBLE: usize = 2;
/// That many of one package are told each by itself.
const MAX_APART: usize = 2;
/// The role of a further unused file of the package.
const ALSO: &str = "unused too";
/// Further files named in a finding.
const MAX_NAMED: usize = 10;

impl Rule for UnusedFile {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let map = ground.map;
        let package =
            |path: &str| map.recon.package_in(path, false).map_or_else(String::new, |package| package.folder.clone());
        let mut found = folded(modules(ground), MAX_APART, &package);
        let orphans = orphans::orphans(ground).unwrap_or_default();
        let mut convincing = without_crowds(map, &orphans, &|file| orphans.binary_search(&file).is_ok());
        // `_archive/etag.rs`: put away on purpose.
        convincing
            .retain(|file| !is_put_away(&map.file(*file).path) && !is_kept_on_purpose(ground, &map.file(*file).path));
        let orphans = convincing.into_iter().map(|file| (map.file(file).lines, orphan_finding(map, file))).collect();
        // Those of one folder often name each other, and go together.
        found.extend(folded(orphans, 1, &|path| folder_of(path).to_owned()));
        largest(found, MAX_FINDINGS)
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding, context)
    }
}

/// A comment of the module above says so: `// watcher_old/ is kept as reference, but not compiled`. A declaration that is commented out says
/// nothing of the kind.
fn is_kept_on_purpose(ground: &Ground<'_>, path: &str) -> bool {
    const WORDS: &[&str] = &["kept", "keep", "reference", "compiled", "disabled until"];
    let mut folder = folder_of(path);
    let mut name = path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs")).unwrap_or_default();
    for _ in 0..3 {
        let says_so = |line: &str| {
            let comment = line.trim_start().strip_prefix("//").map(str::to_ascii_lowercase);
            comment.is_some_and(|text| place::has_word(&text, name) && WORDS.iter().any(|word| text.contains(word)))
        };
        let modules = ["mod.rs", "lib.rs", "main.rs"].map(|module| format!("{folder}/{module}"));
        if modules.iter().filter_map(|module| ground.tree.text(module)).any(|text| text.lines().any(says_so)) {
            return true;
        }
        let Some((above, last)) = folder.rsplit_once('/') else { return false };
        (folder, name) = (above, last);
    }
    false
}

/// `index.ts` that only hands on what others export: in a package that is published, somebody may import the folder.
fn is_index(map: &RepoMap, file: FileId) -> bool {
    let source = map.file(file);
    let name = source.path.rsplit('/').next().unwrap_or_default();
    name.starts_with("index.")
        && source.facts.symbols.is_empty()
        && source.facts.calls.is_empty()
        && !source.facts.exports.is_empty()
        && source.facts.exports.iter().all(|export| matches!(export.target, ExportTarget::From { .. }))
}

/// Whether a folder on the way says that its files are kept and not used.
fn is_put_away(path: &str) -> bool {
    const NAMES: &[&str] = &["archive", "archived", "attic", "graveyard", "disabled"];
    folder_of(path)
        .split('/')
        .any(|folder| NAMES.contains(&folder.trim_start_matches(['_', '.']).to_lowercase().as_str()))
}

/// More than `apart` of one `home` (a package, a folder) are one piece of work, and one finding: a list of findings is not for reading a
/// list of files.
fn folded(found: Vec<(u32, Finding)>, apart: usize, home: &dyn Fn(&str) -> String) -> Vec<(u32, Finding)> {
    let mut homes: BTreeMap<(String, Confidence), Vec<(u32, Finding)>> = BTreeMap::new();
    for (lines, finding) in found {
        homes.entry((home(&finding.location().file), finding.confidence)).or_default().push((lines, finding));
    }
    let mut kept = Vec::new();
    for ((folder, _), mut own) in homes {
        if own.len() <= apart {
            kept.extend(own);
            continue;
        }
        own.sort_by(|(a_lines, a), (b_lines, b)| {
            b_lines.cmp(a_lines).then_with(|| a.location().file.cmp(&b.location().file))
        });
        let lines: u32 = own.iter().map(|(lines, _)| lines).sum();
        let count = own.len();
        let mut rest = own.into_iter().map(|(_, finding)| finding);
        let Some(mut first) = rest.next() else { continue };
        let place = if folder.is_empty() { "the package".to_owned() } else { format!("`{folder}`") };
        first.title = format!("nothing uses {} of {place}", count_of(count, "file"));
        first.message = format!(
            "{} {} of {place} {} unused in the same way, {} in all.",
            first.message,
            count_of(count - 1, "more file"),
            if count == 2 { "is" } else { "are" },
            count_of(lines as usize, "line")
        );
        first.impact = if lines >= 150 { 2 } else { 1 };
        first.effort = Effort::M;
        for mut other in rest {
            other.evidence[0].role = ALSO.to_owned();
            first.evidence.append(&mut other.evidence);
        }
        kept.push((lines, first));
    }
    kept
}

/// Unused TypeScript and JavaScript files with their lines.
fn modules(ground: &Ground<'_>) -> Vec<(u32, Finding)> {
    let map = ground.map;
    if !map.files.iter().any(|file| file.language.is_ecmascript()) {
        return Vec::new();
    }
    let Some(reach) = ground.reach() else { return Vec::new() };
    let dead = reach.dead();
    let crowded = crowded_packages(map, &dead);
    let aliased = aliased(map);
    let roots: Vec<FileId> = dead
        .iter()
        .copied()
        .filter(|file| reach.is_lonely(*file) && !is_named_by_alias(map, &aliased, *file))
        .collect();
    let roots = without_crowds(map, &roots, &|file| reach.is_lonely(file) && !reach.is_entry(file));
    let kept: Vec<FileId> = roots
        .into_iter()
        .filter(|file| {
            let path = &map.file(*file).path;
            let package = map.recon.package_in(path, false);
            package.is_some_and(|package| {
                let handed_on = package.publishable && is_index(map, *file);
                !handed_on && !crowded.contains(&package.folder.as_str()) && !is_of_kit(map, &package.folder, path)
            })
        })
        .collect();
    kept.into_iter()
        .map(|root| {
            let below = reach.below(root);
            let lines = std::iter::once(&root).chain(&below).map(|file| map.file(*file).lines).sum();
            (lines, module_finding(map, root, &below, lines))
        })
        .collect()
}

/// What imports behind an alias name, with the folder of the package that imports: `(packages/account, providers/theme)` of
/// `@/providers/theme`. Where an alias leads a bundler's settings may say otherwise than the compiler's.
fn aliased(map: &RepoMap) -> BTreeSet<(&str, &str)> {
    let mut found = BTreeSet::new();
    for (_, file) in map.files_with_ids().filter(|(_, file)| file.language.is_ecmascript()) {
        let Some(package) = map.recon.package_in(&file.path, false) else { continue };
        let behind =
            |source: &'static str| ["@/", "~/", "#/", "@@/", "~~/"].iter().find_map(|mark| source.strip_prefix(mark));
        found.extend(
            file.facts
                .imports
                .iter()
                .filter_map(|import| Some((package.folder.as_str(), behind(import.source.as_str())?))),
        );
    }
    found
}

fn is_named_by_alias(map: &RepoMap, aliased: &BTreeSet<(&str, &str)>, file: FileId) -> bool {
    let path = &map.file(file).path;
    let Some(package) = map.recon.package_in(path, false) else { return false };
    let bare = path.rsplit_once('.').map_or(path.as_str(), |(bare, _)| bare);
    let bare = bare.strip_suffix("/index").unwrap_or(bare);
    bare.match_indices('/').any(|(at, _)| aliased.contains(&(package.folder.as_str(), &bare[at + 1..])))
}

/// `components/ui/skeleton.tsx` beside shadcn's `components.json`: a kit that is copied in whole.
pub fn is_of_kit(map: &RepoMap, folder: &str, path: &str) -> bool {
    let settings = if folder.is_empty() { "components.json".to_owned() } else { format!("{folder}/components.json") };
    let inside = path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/');
    (inside.starts_with("components/ui/") || inside.contains("/components/ui/")) && map.has_path(&settings)
}

/// Folders of packages of which so much looks unused that they must be loaded in some other way.
fn crowded_packages<'a>(map: &'a RepoMap, dead: &[FileId]) -> Vec<&'a str> {
    let folder =
        |file: FileId| map.recon.package_in(&map.file(file).path, false).map_or("", |package| package.folder.as_str());
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (id, _) in
        map.files_with_ids().filter(|(_, file)| file.language.is_ecmascript() && file.role == FileRole::Production)
    {
        let (all, unused) = counts.entry(folder(id)).or_default();
        *all += 1;
        *unused += usize::from(dead.binary_search(&id).is_ok());
    }
    counts
        .into_iter()
        .filter(|(_, (all, unused))| *unused > ALWAYS_POSSIBLE && unused * 100 > all * MAX_SHARE)
        .map(|(folder, _)| folder)
        .collect()
}

/// Leaves out files whose neighbours are unused in the same way: then something loads them all, by folder, by name or by ending.
fn without_crowds(map: &RepoMap, files: &[FileId], is_unused: &dyn Fn(FileId) -> bool) -> Vec<FileId> {
    type Key = fn(&str) -> Option<String>;
    let by: [Key; 3] = [
        |path| Some(folder_of(path).to_owned()),
        // `orders/handler.ts`, `users/handler.ts`.
        |path| {
            let (folder, name) = path.rsplit_once('/')?;
            Some(format!("{}/*/{name}", folder_of(folder)))
        },
        // `order.entity.ts`, `user.entity.ts`.
        |path| {
            let name = path.rsplit('/').next()?;
            let (_, ending) = name.split_once('.')?;
            ending.contains('.').then(|| format!("*.{ending}"))
        },
    ];
    let mut crowds: Vec<BTreeMap<String, (usize, usize)>> = vec![BTreeMap::new(); by.len()];
    for (id, file) in map.files_with_ids().filter(|(_, file)| file.role == FileRole::Production) {
        for (key, crowd) in by.iter().zip(&mut crowds) {
            if let Some(key) = key(&file.path) {
                let (all, unused) = crowd.entry(key).or_default();
                *all += 1;
                *unused += usize::from(is_unused(id));
            }
        }
    }
    let is_crowd = |(all, unused): (usize, usize)| unused >= 2 && unused * 2 >= all;
    let convinces = |file: &FileId| {
        let path = &map.file(*file).path;
        let folder = folder_of(path).rsplit('/').next().unwrap_or_default().to_lowercase();
        let alone = crowds[0].get(folder_of(path)).is_some_and(|(all, unused)| all == unused);
        let crowded = by
            .iter()
            .zip(&crowds)
            .any(|(key, crowd)| key(path).and_then(|key| crowd.get(&key)).is_some_and(|count| is_crowd(*count)));
        let loaded = alone && conventions::LOADED.contains(&folder.as_str());
        !crowded && !loaded
    };
    files.iter().copied().filter(convinces).collect()
}

fn module_finding(map: &RepoMap, root: FileId, below: &[FileId], lines: u32) -> Finding {
    let path = &map.file(root).path;
    let along = match below {
        [] => String::new(),
        [one] => format!(", those of `{}` included, which only it imports", map.file(*one).path),
        more => format!(", those of {} included that only it imports", count_of(more.len(), "file")),
    };
    let title = match below {
        [] => format!("nothing uses `{path}`"),
        more => format!("nothing uses `{path}`, nor {} it alone imports", count_of(more.len(), "file")),
    };
    let mut draft = at_first_line(map, root)
        .title(title)
        .message(format!(
            "No file of the repository imports `{path}`, no script, page or configuration names it, and no framework in use loads a \
             file of this name or place: nothing runs its {}{along}.",
            count_of(lines as usize, "line")
        ))
        .impact(if lines >= 150 { 2 } else { 1 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(confidence(map, root));
    for file in below.iter().take(MAX_NAMED) {
        let path = &map.file(*file).path;
        draft = draft.and_lines(path, 1, 1, "only imported by it");
    }
    draft.build()
}

/// What nobody has touched for months is not work that is under way.
fn confidence(map: &RepoMap, file: FileId) -> Confidence {
    let source = map.file(file);
    let package = map.recon.package_in(&source.path, false);
    // The same name in another file of the package, not imported there: something may put it together in a way that does not show.
    let is_named_elsewhere = || {
        let exported = source.facts.symbols.iter().filter(|symbol| symbol.exported && symbol.container.is_none());
        let names: Vec<_> = exported.map(|symbol| symbol.name).collect();
        map.files_with_ids().any(|(id, other)| {
            id != file
                && other.language.is_ecmascript()
                && map.recon.package_in(&other.path, false).map(|own| &own.folder) == package.map(|own| &own.folder)
                && names.iter().any(|name| {
                    other.facts.references.binary_search(name).is_ok()
                        && !other.facts.imports.iter().any(|import| import.local == *name)
                        && !other.facts.symbols.iter().any(|symbol| symbol.name == *name)
                })
        })
    };
    let is_application = package.is_some_and(|package| !package.publishable);
    if is_application && map.commit.is_some() && source.history.churn_90d == 0 && !is_named_elsewhere() {
        Confidence::High
    } else {
        Confidence::Med
    }
}

fn orphan_finding(map: &RepoMap, file: FileId) -> Finding {
    let source = map.file(file);
    at_first_line(map, file)
        .title(format!("no module declares `{}`", source.path))
        .message(format!(
            "No `mod` declaration and no `include!` leads to `{}`: the compiler never sees its {}, so they may not even compile.",
            source.path,
            count_of(source.lines as usize, "line")
        ))
        .impact(if source.lines >= 150 { 2 } else { 1 })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::High)
        .build()
}

/// At the first definition, which says what the file was for; else at its first line.
fn at_first_line(map: &RepoMap, file: FileId) -> FindingDraft {
    let source = map.file(file);
    let line =
        source.facts.symbols.iter().find(|symbol| symbol.container.is_none()).map_or(1, |symbol| symbol.name_line);
    FindingDraft::at_lines(&DOC, &source.path, line, line, "unused file")
}

fn recipe(finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
    let map = context.map;
    let path = &finding.location().file;
    let (_, source) = map.file_by_path(path)?;
    let below: Vec<&str> = finding.evidence.iter().skip(1).map(|evidence| evidence.file.as_str()).collect();
    let is_folded = finding.evidence.iter().any(|evidence| evidence.role == ALSO);
    let is_rust = source.language == LanguageName::Rust;
    let all: Vec<&str> = std::iter::once(path.as_str()).chain(below.iter().copied()).collect();
    let names: Vec<String> = all.iter().map(|path| format!("`{path}`")).collect();
    Some(PlanDraft {
        title: match below.len() {
            0 => format!("Delete `{path}`"),
            more if is_folded => format!("Delete `{path}` and {} that nothing uses", count_of(more, "more file")),
            more => format!("Delete `{path}` and {} it alone imports", count_of(more, "file")),
        },
        why: format!("{} What is gone need not be read, kept compiling or moved along.", finding.message),
        steps: vec![StepDraft {
            title: format!("Delete {}", count_of(all.len(), "file")),
            instruction: format!(
                "Delete {}. If the build misses one of them, something loads it in a way that does not show in the code: put all back \
                 and stop.",
                names.join(", ")
            ),
            edits: all.iter().map(|path| EditDraft::Delete { file: (*path).to_owned() }).collect(),
            gates: vec![
                GateDraft::Project(CommandPurpose::Typecheck),
                GateDraft::Project(CommandPurpose::Build),
                GateDraft::Project(CommandPurpose::Test),
            ],
        }],
        in_scope: all.iter().map(|path| ScopeDraft { path: (*path).to_owned(), remark: "delete".to_owned() }).collect(),
        out_of_scope: vec![(
            "dependencies that only these files used".to_owned(),
            "removing them changes the lock file and is reviewed on its own".to_owned(),
        )],
        stop_conditions: vec![
            if is_rust {
                format!("a build script, a macro or another repository includes `{path}`")
            } else {
                format!(
                    "something loads `{path}` by a name that is put together at run time, or from outside this repository"
                )
            },
            format!("`{path}` was added for work that is under way: ask its author (`git log -1 -- {path}`)"),
        ],
        maintenance: vec!["git keeps what was deleted: `git log --diff-filter=D --summary` finds it.".to_owned()],
        ..PlanDraft::default()
    })
}
