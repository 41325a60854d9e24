//! `undocumented-environment-variable`: the code needs a variable that nothing names, where the others are documented.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::text::count_of;
use crate::audit::variables::{self, Need, Reading, is_foreign};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};

/// A variable nobody can know of.
pub struct UndocumentedEnvironmentVariable;

static DOC: RuleDoc = RuleDoc {
    id: "undocumented-environment-variable",
    category: Category::Docs,
    what: "code that ships and reads an environment variable without a default, while `.env.example`, the documents and every other \
           text name most of its siblings and not this one",
    why: "whoever sets the program up by its documents misses it, and learns of it when the code that needs it runs",
    quiet_when: "any read of it has a default or asks whether it is set, any configuration, script or document of the repository names \
                 it, the system, a host or a library sets or reads it, or the package documents fewer than four in five of its variables",
    example: "const key = process.env.MAIL_API_KEY!;   // .env.example lists the other six",
};

/// Variables of a package from which its documentation is a habit.
const HABIT: usize = 4;
/// Variables named in a message.
const SHOWN: usize = 6;

/// Variables of a package that nothing names, with where they are read first.
struct Undocumented {
    /// The text that names most of the package's variables.
    home: String,
    /// How many of the package's variables are documented.
    documented: usize,
    missing: Vec<Reading>,
}

impl Rule for UndocumentedEnvironmentVariable {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        undocumented(ground).iter().map(finding).collect()
    }

    fn recipe(&self, finding: &Finding, _context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let (home, places) = finding.evidence.split_last()?;
        let names: Vec<&str> =
            places.iter().map(|place| place.role.strip_prefix("reads ").unwrap_or(&place.role)).collect();
        let listed: Vec<String> = places
            .iter()
            .zip(&names)
            .map(|(place, name)| format!("- `{name}`, read in `{}` line {}", place.file, place.start_line))
            .collect();
        let gates: Vec<GateDraft> = names
            .iter()
            .map(|name| GateDraft::TextPresent { text: (*name).to_owned(), file: home.file.clone() })
            .collect();
        let subject = if let [one] = names.as_slice() {
            format!("`{one}`")
        } else {
            count_of(names.len(), "environment variable")
        };
        Some(PlanDraft {
            title: format!("Document {subject} in `{}`", home.file),
            why: finding.message.clone(),
            steps: vec![StepDraft {
                title: format!("Add {subject} beside the others"),
                instruction: format!(
                    "In `{}`, in the form the other variables have there, add the ones below: what each is for, what an example \
                     value looks like, and whether the program runs without it. Read the code around each place first; a secret \
                     gets an empty value.\n\n{}",
                    home.file,
                    listed.join("\n")
                ),
                edits: Vec::new(),
                gates: gates.clone(),
            }],
            in_scope: vec![ScopeDraft { path: home.file.clone(), remark: "the new entries".to_owned() }],
            out_of_scope: vec![(
                "the code that reads them".to_owned(),
                "defaults are a decision of their own".to_owned(),
            )],
            goals: gates,
            stop_conditions: vec![format!(
                "a variable is set by the platform and not by whoever runs the program, or is left over: `git log -S'{}'` says why it is read",
                names.first()?
            )],
            ..PlanDraft::default()
        })
    }
}

fn undocumented(ground: &Ground<'_>) -> Vec<Undocumented> {
    let (map, texts) = (ground.map, ground.texts());
    if texts.incomplete {
        return Vec::new();
    }
    let templates: Vec<(&str, &str)> = texts
        .files
        .iter()
        .filter(|(path, _)| variables::is_template(path))
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let documented = variables::documented(ground.pages(), &templates);
    if documented.is_empty() {
        return Vec::new();
    }
    let mut by_package: BTreeMap<&str, BTreeMap<String, Vec<Reading>>> = BTreeMap::new();
    for reading in ground.variables().readings.iter().filter(|reading| !is_foreign(&reading.name)).cloned() {
        let package = map.recon.package_of(&reading.file).map_or("", |package| package.folder.as_str());
        by_package.entry(package).or_default().entry(reading.name.clone()).or_default().push(reading);
    }
    let listed: BTreeSet<&str> = documented.values().flatten().map(|one| one.name.as_str()).collect();
    // What any text names is known to whoever runs the program from it.
    let is_named = |name: &str| {
        ground.pages().iter().any(|page| page.text.text.contains(name))
            || texts.files.iter().any(|(_, text)| text.contains(name))
    };
    let mut found = Vec::new();
    for variables in by_package.into_values() {
        let known = variables.keys().filter(|name| listed.contains(name.as_str())).count();
        if known < HABIT || known * 5 < variables.len() * 4 {
            continue;
        }
        let missing: Vec<Reading> = variables
            .iter()
            .filter(|(_, readings)| readings.iter().all(|reading| reading.need != Need::Optional))
            .filter(|(name, _)| !is_named(name))
            .filter_map(|(_, readings)| readings.iter().max_by_key(|reading| reading.need).cloned())
            .collect();
        let share =
            |named: &[variables::NamedVariable]| named.iter().filter(|one| variables.contains_key(&one.name)).count();
        let home = documented.iter().max_by_key(|(path, named)| (share(named), variables::is_template(path)));
        if let Some((home, _)) = home.filter(|_| !missing.is_empty()) {
            found.push(Undocumented { home: home.clone(), documented: known, missing });
        }
    }
    found
}

fn finding(undocumented: &Undocumented) -> Finding {
    let Undocumented { home, documented, missing } = undocumented;
    let names: Vec<String> = missing.iter().take(SHOWN).map(|reading| format!("`{}`", reading.name)).collect();
    let more = missing.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let title = match missing.as_slice() {
        [one] => format!("`{}` must be set and is documented nowhere", one.name),
        many => format!("{} must be set and are documented nowhere", count_of(many.len(), "environment variable")),
    };
    let must = missing.iter().any(|reading| reading.need == Need::Must);
    let first = &missing[0];
    let mut draft = FindingDraft::at_lines(&DOC, &first.file, first.line, first.line, &format!("reads {}", first.name))
        .expecting(&first.name)
        .title(title)
        .message(format!(
            "The code reads {}{more} without a default, and no document or configuration names {}, while `{home}` and others document \
             {documented} of its siblings. Whoever sets the program up learns of it when the code that needs it fails.",
            names.join(", "),
            if missing.len() == 1 { "it" } else { "them" },
        ))
        .impact(2)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(if must { Confidence::High } else { Confidence::Med });
    for reading in &missing[1..] {
        draft = draft.and_lines(&reading.file, reading.line, reading.line, &format!("reads {}", reading.name));
    }
    draft.and_lines(home, 1, 1, "documents its siblings").build()
}
