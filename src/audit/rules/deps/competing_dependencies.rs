//! `competing-dependencies`: one package that does one job with several libraries.

use std::collections::BTreeMap;

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::deps::lockfile_of;
use crate::audit::text::count_of;
use crate::effects::Effects;
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::recon::{CommandPurpose, Dependency, DependencyKind, Package, PackageManager};
use crate::repo_map::{FileRole, RepoMap};

/// Several libraries for one job.
pub struct CompetingDependencies;

static DOC: RuleDoc = RuleDoc {
    id: "competing-dependencies",
    category: Category::Migration,
    what: "a package that ships and imports two or more libraries for the same job: dates, HTTP requests, utility functions, \
           class names",
    why: "each comes with its own types, its own faults and its own weight, and every reader has to know them all",
    quiet_when: "only one of them is imported by code that ships, or the package is a library, whose users may bring either",
    example: "import moment from 'moment';       // invoices.ts\nimport { format } from 'date-fns'; // orders.ts",
};

/// Jobs, and libraries that do them.
const JOBS: &[(&str, &[&str])] = &[
    ("dates", &["moment", "moment-timezone", "dayjs", "date-fns", "luxon"]),
    ("HTTP requests", &["axios", "got", "node-fetch", "request", "superagent", "ky", "needle", "cross-fetch"]),
    ("utility functions", &["lodash", "lodash-es", "underscore", "ramda"]),
    ("class names", &["classnames", "clsx", "classcat"]),
    ("form state", &["formik", "react-hook-form", "react-final-form", "redux-form"]),
];
/// Pairs that go together: one is made of the other, or they differ in what they are for.
const TOGETHER: &[&[&str]] = &[&["moment", "moment-timezone"], &["lodash", "lodash-es"]];

impl Rule for CompetingDependencies {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let packages = map.recon.packages.iter().filter(|own| own.manager != PackageManager::Cargo && !own.publishable);
        packages.flat_map(|package| JOBS.iter().filter_map(|job| finding(map, package, job))).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let place = finding.location();
        let package = map.recon.packages.iter().find(|package| package.manifest == place.file)?;
        let job = JOBS.iter().find(|(job, _)| finding.title.ends_with(&format!("for {job}")))?;
        let used = used(map, package, job.1);
        let (keep, _) = used.first()?;
        let name = keep.listed_name();
        let steps: Vec<StepDraft> = used
            .iter()
            .skip(1)
            .map(|(own, files)| {
                let shown: Vec<String> = files.iter().take(12).map(|(path, _)| format!("`{path}`")).collect();
                let more = files.len().saturating_sub(12);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let entry = format!("\"{}\":", own.listed_name());
                let once = context.tree.text(&place.file).is_some_and(|text| text.matches(&entry).count() == 1);
                let gone = GateDraft::TextGone { text: entry, file: place.file.clone() };
                StepDraft {
                    title: format!("Move `{}` over to `{name}`", own.listed_name()),
                    instruction: format!(
                        "Replace every use of `{}` in {}{more} by `{name}`, one file at a time, then remove it from `{}` and bring the lock file up \
                         to date.",
                        own.listed_name(),
                        shown.join(", "),
                        place.file
                    ),
                    edits: Vec::new(),
                    gates: once
                        .then_some(gone)
                        .into_iter()
                        .chain([CommandPurpose::Typecheck, CommandPurpose::Test].map(GateDraft::Project))
                        .collect(),
                }
            })
            .collect();
        let mut in_scope = vec![ScopeDraft { path: place.file.clone(), remark: "the entries that go".to_owned() }];
        in_scope.extend(
            lockfile_of(map, package)
                .map(|path| ScopeDraft { path, remark: "as the package manager writes it".to_owned() }),
        );
        let files = used.iter().skip(1).flat_map(|(_, files)| files).take(40);
        in_scope.extend(files.map(|(path, _)| ScopeDraft { path: path.clone(), remark: "calls".to_owned() }));
        in_scope.dedup_by(|a, b| a.path == b.path);
        Some(PlanDraft {
            title: format!("Use `{name}` alone for {} in `{}`", job.0, package.name),
            why: format!("{} One library is less to know, to ship and to upgrade.", finding.message),
            steps,
            in_scope,
            out_of_scope: vec![("other packages of the repository".to_owned(), "one package at a time".to_owned())],
            goals: vec![GateDraft::Project(CommandPurpose::Test)],
            stop_conditions: vec![
                format!("a use has no counterpart in `{name}`: report it and leave that file as it is"),
                "no test covers a file that changes: write one for today's behaviour first".to_owned(),
            ],
            ..PlanDraft::default()
        })
    }
}

/// Files that import a library, each with the line.
type Users = Vec<(String, u32)>;

/// Libraries of one job that shipped code of the package imports, the most used first.
fn used<'a>(map: &RepoMap, package: &'a Package, names: &[&str]) -> Vec<(&'a Dependency, Users)> {
    let mut found: Vec<(&Dependency, Users)> = package
        .dependencies
        .iter()
        .filter(|own| own.kind == DependencyKind::Normal && names.contains(&own.listed_name()))
        .map(|own| (own, users(map, package, own.listed_name())))
        .filter(|(_, files)| !files.is_empty())
        .collect();
    found.sort_by_key(|(own, files)| (std::cmp::Reverse(files.len()), own.line));
    found
}

fn users(map: &RepoMap, package: &Package, name: &str) -> Users {
    let mut found = BTreeMap::new();
    for file in map.files.iter().filter(|file| file.language.is_ecmascript() && file.role == FileRole::Production) {
        if map.recon.package_in(&file.path, false).is_none_or(|own| own.manifest != package.manifest) {
            continue;
        }
        let import = file.facts.imports.iter().find(|import| {
            let source = import.source.as_str();
            !import.type_only && (source == name || source.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
        });
        if let Some(import) = import {
            found.insert(file.path.clone(), import.line);
        }
    }
    found.into_iter().collect()
}

fn finding(map: &RepoMap, package: &Package, (job, names): &(&str, &[&str])) -> Option<Finding> {
    let used = used(map, package, names);
    let distinct = used
        .iter()
        .filter(|(own, _)| {
            !TOGETHER.iter().any(|pair| {
                pair.iter().skip(1).any(|second| *second == own.listed_name())
                    && used.iter().any(|(other, _)| other.listed_name() == pair[0])
            })
        })
        .count();
    if distinct < 2 {
        return None;
    }
    let told: Vec<String> = used
        .iter()
        .map(|(own, files)| format!("`{}` ({})", own.listed_name(), count_of(files.len(), "file")))
        .collect();
    let (first, _) = &used[0];
    let mut draft = FindingDraft::at_lines(&DOC, &package.manifest, first.line, first.line, "dependency")
        .expecting(first.listed_name())
        .title(format!("`{}` has {} for {job}", package.name, count_of(used.len(), "library")))
        .message(format!(
            "`{}` imports {} for {job}: each with its own types, faults and weight, and a reader has to know them all.",
            package.name,
            told.join(", ")
        ))
        .impact(1)
        .effort(if used.iter().skip(1).map(|(_, files)| files.len()).sum::<usize>() <= 5 {
            Effort::S
        } else {
            Effort::M
        })
        .risk(Risk::Med)
        .confidence(Confidence::Med);
    for (own, files) in &used {
        draft = draft.and_lines(&package.manifest, own.line, own.line, "dependency");
        if let Some((path, line)) = files.first() {
            draft = draft.and_lines(path, *line, *line, "import");
        }
    }
    Some(draft.build())
}
