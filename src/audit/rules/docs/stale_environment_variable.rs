//! `stale-environment-variable`: a document or `.env.example` names a variable that nothing reads.

use std::collections::BTreeSet;

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::audit::rules::docs::mentions::mentioned;
use crate::audit::text::count_of;
use crate::audit::variables::{self, NamedVariable, is_foreign};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::nearest::nearest;
use crate::repo_map::RepoMap;
use crate::repo_map::name::words;

/// A variable that sets nothing.
pub struct StaleEnvironmentVariable;

static DOC: RuleDoc = RuleDoc {
    id: "stale-environment-variable",
    category: Category::Docs,
    what: "an environment variable that `.env.example` or a page lists and that no code, configuration or script names",
    why: "whoever sets it believes that something changed; where it was renamed, the program runs with a default nobody chose",
    quiet_when: "its name stands anywhere outside of prose, a part of it does where names are put together or read by a prefix, a library \
                 or the platform reads it, no variable that the code reads begins with the same word, or the text lists fewer than four variables that the code does read",
    example: "MAIL_SERVER=smtp.example.com   # .env.example; the code reads MAIL_HOST since spring",
};

/// Variables of a text that are read, from which it is a text about this code.
const HABIT: usize = 4;
/// Variables named in a message.
const SHOWN: usize = 6;
/// Libraries that read variables by a prefix or by the shape of a type.
const BY_SHAPE: [&str; 14] = [
    "config",
    "figment",
    "envy",
    "twelf",
    "serde-env",
    "serde_env",
    "confique",
    "nconf",
    "convict",
    "rc",
    "dotenvx",
    "c12",
    "pydantic-settings",
    "nestjs-config",
];

impl Rule for StaleEnvironmentVariable {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let texts = ground.texts();
        let templates: Vec<(&str, &str)> = texts
            .files
            .iter()
            .filter(|(path, _)| variables::is_template(path))
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        let documented = variables::documented(ground.pages(), &templates);
        if documented.is_empty() || texts.incomplete {
            return Vec::new();
        }
        let read: BTreeSet<String> = ground.variables().readings.iter().map(|reading| reading.name.clone()).collect();
        let by_shape = is_read_by_shape(ground);
        // A variable like no other of the program's is most likely a library's.
        let family = |name: &str| name.split('_').next().unwrap_or(name).to_owned();
        let families: BTreeSet<String> = read.iter().map(|name| family(name)).collect();
        let is_own = |name: &str| !is_foreign(name) && families.contains(&family(name));
        let candidates: Vec<&NamedVariable> =
            documented.values().flatten().filter(|one| !read.contains(&one.name) && is_own(&one.name)).collect();
        let forms: Vec<Vec<String>> = candidates.iter().map(|one| forms(&one.name, by_shape)).collect();
        let needles: Vec<String> = forms.iter().flatten().cloned().collect();
        // A template speaks of variables itself: only what others say counts.
        let others = |path: &str| !variables::is_template(path);
        let named = mentioned(ground.map, ground.tree, texts, &needles, &others);
        let mut at = 0;
        let mut stale: BTreeSet<&str> = BTreeSet::new();
        for (one, forms) in candidates.iter().zip(&forms) {
            if (at..at + forms.len()).all(|at| !named.contains(&at)) {
                stale.insert(&one.name);
            }
            at += forms.len();
        }
        documented
            .iter()
            .filter_map(|(path, listed)| {
                let gone: Vec<&NamedVariable> = listed.iter().filter(|one| stale.contains(one.name.as_str())).collect();
                let known = listed.iter().filter(|one| read.contains(&one.name)).count();
                (!gone.is_empty() && known >= HABIT && gone.len() * 3 <= known)
                    .then(|| finding(path, &gone, listed, &read))
            })
            .collect()
    }

    fn recipe(&self, finding: &Finding, _context: &RecipeContext<'_>) -> Option<PlanDraft> {
        recipe(finding)
    }
}

/// Whether variables may be read by names that stand nowhere.
fn is_read_by_shape(ground: &Ground<'_>) -> bool {
    let map: &RepoMap = ground.map;
    map.recon
        .packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .any(|dependency| BY_SHAPE.contains(&dependency.name.as_str()) || dependency.name == "@nestjs/config")
        || ground.variables().are_computed
}

/// Forms in which code may name a variable: as it is, and as the field it ends up in; parts of it where names are put together.
fn forms(name: &str, by_shape: bool) -> Vec<String> {
    let mut found = vec![name.to_owned()];
    let parts: Vec<String> = words(&name.to_lowercase());
    let shortest = if by_shape { 1 } else { 2 };
    for start in 0..parts.len() {
        let rest = &parts[start..];
        if start > 0 && (rest.len() < shortest || rest.iter().map(String::len).sum::<usize>() < 4) {
            break;
        }
        let camel: String = rest
            .iter()
            .enumerate()
            .map(|(at, part)| match part.split_at_checked(1) {
                Some((head, tail)) if at > 0 => format!("{}{tail}", head.to_uppercase()),
                _ => part.clone(),
            })
            .collect();
        let upper = rest.join("_").to_uppercase();
        // `${prefix}_URL`
        found.extend((start > 0).then(|| format!("_{upper}")));
        found.extend([upper, rest.join("_"), rest.join("-"), camel]);
    }
    found
}

fn finding(path: &str, gone: &[&NamedVariable], listed: &[NamedVariable], read: &BTreeSet<String>) -> Finding {
    let unlisted: Vec<&str> =
        read.iter().map(String::as_str).filter(|name| listed.iter().all(|one| one.name != *name)).collect();
    let said: Vec<String> = gone
        .iter()
        .take(SHOWN)
        .map(|one| match nearest(&one.name, unlisted.iter().copied()) {
            Some(near) => format!("`{}` (the code reads `{near}`)", one.name),
            None => format!("`{}`", one.name),
        })
        .collect();
    let more = gone.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let title = match gone {
        [one] => format!("`{path}` names `{}`, which nothing reads", one.name),
        many => format!("`{path}` names {} that nothing reads", count_of(many.len(), "environment variable")),
    };
    let first = gone[0];
    let mut draft = FindingDraft::at_lines(&DOC, path, first.line, first.line, &format!("names {}", first.name))
        .expecting(&first.name)
        .title(title)
        .message(format!(
            "`{path}` lists {}{more}, and no code, configuration or script of the repository names {}: setting it changes nothing.",
            said.join(", "),
            if gone.len() == 1 { "it" } else { "them" },
        ))
        .impact(2)
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(Confidence::Med);
    for one in &gone[1..] {
        draft = draft.and_lines(path, one.line, one.line, &format!("names {}", one.name));
    }
    draft.build()
}

fn recipe(finding: &Finding) -> Option<PlanDraft> {
    let path = &finding.location().file;
    let names: Vec<&str> =
        finding.evidence.iter().map(|place| place.role.strip_prefix("names ").unwrap_or(&place.role)).collect();
    let gates: Vec<GateDraft> =
        names.iter().map(|name| GateDraft::TextGone { text: (*name).to_owned(), file: path.clone() }).collect();
    let subject = if let [one] = names.as_slice() { format!("`{one}`") } else { count_of(names.len(), "variable") };
    let listed: Vec<String> = finding
        .evidence
        .iter()
        .zip(&names)
        .map(|(place, name)| format!("- line {}: `{name}`", place.start_line))
        .collect();
    Some(PlanDraft {
        title: format!("Take {subject} that nothing reads out of `{path}`"),
        why: finding.message.clone(),
        steps: vec![StepDraft {
            title: format!("Remove {subject}, or write the name that is read today"),
            instruction: format!(
                "In `{path}`:\n\n{}\n\n`git log -S'NAME' --oneline` says when the last read went away and whether another name took \
                 its place. Where one did, write that name; else remove the entry with what is said about it.",
                listed.join("\n")
            ),
            edits: Vec::new(),
            gates: gates.clone(),
        }],
        in_scope: vec![ScopeDraft { path: path.clone(), remark: "the entries and what is said about them".to_owned() }],
        out_of_scope: vec![("the code".to_owned(), "that it reads another name today is not in question".to_owned())],
        goals: gates,
        stop_conditions: vec![format!("a library or an image of another repository reads {subject}")],
        ..PlanDraft::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_known_by_the_field_it_fills() {
        let known = forms("SHOP_HTTP_ADDR", true);
        for form in ["SHOP_HTTP_ADDR", "http_addr", "httpAddr", "shopHttpAddr", "addr"] {
            assert!(known.iter().any(|own| own == form), "{form} in {known:?}");
        }
        assert!(!forms("SHOP_HTTP_ADDR", false).contains(&"addr".to_owned()));
    }
}
