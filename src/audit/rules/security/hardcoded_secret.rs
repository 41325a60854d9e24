//! `hardcoded-secret`: a credential in the source.

use std::collections::BTreeSet;

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::effects::{Effects, chain};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::{FileFacts, LanguageName, SecretLiteral};
use crate::repo_map::name::Name;
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{FileRole, RepoMap};

/// A credential written into the source.
pub struct HardcodedSecret;

static DOC: RuleDoc = RuleDoc {
    id: "hardcoded-secret",
    category: Category::Security,
    what: "a string with the form of a credential in code that ships",
    why: "everybody who can read the repository, its history or the built program can use it; taking it out later does not take it back",
    quiet_when: "it is a placeholder, an example or, by its name or its file's, the public key of telemetry, names a Firebase project to its pages, stands in test code, in a file that serves developers (`server-dev.ts`, `seed.ts`), or among samples of many kinds; an `apiKey` without the form of its issuer is told with low confidence",
    example: "const stripe = new Stripe('sk_live_…');",
};

impl Rule for HardcodedSecret {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, _effects: &Effects) -> Vec<Finding> {
        let mut found = Vec::new();
        for (file, source) in map.files_with_ids().filter(|(_, source)| source.role != FileRole::Test) {
            if is_sample_list(&source.facts.secrets) || serves_developers(&source.path) {
                continue;
            }
            for secret in source
                .facts
                .secrets
                .iter()
                .filter(|secret| !secret.test && !is_sample(secret) && !is_shown_as_sample(&source.facts, secret))
                .filter(|secret| !is_public_by_design(&source.path, secret) && !is_of_web_client(&source.facts, secret))
            {
                let symbol = (0..)
                    .zip(&source.facts.symbols)
                    .filter(|(_, symbol)| symbol.span.contains(secret.span))
                    .max_by_key(|(_, symbol)| symbol.span.start)
                    .map(|(index, _)| index);
                let name = secret.name.as_deref().map(|name| format!(" in `{name}`")).unwrap_or_default();
                found.push(
                    FindingDraft::at_line(&DOC, map, file, secret.line, symbol, "credential")
                        .title(format!("credential ({}){name} stands in the source", kind_text(secret)))
                        .message(format!(
                            "Line {} holds a credential ({}){name}: whoever reads the repository or its history can use it.",
                            secret.line,
                            kind_text(secret)
                        ))
                        .impact(match () {
                            () if is_search_key(secret) => 2,
                            () if is_application_key(secret) => 3,
                            () => 5,
                        })
                        .effort(Effort::S)
                        .risk(Risk::Med)
                        .confidence(if is_generic(secret) || is_search_key(secret) || is_application_key(secret) {
                            Confidence::Low
                        } else {
                            Confidence::Med
                        })
                        .build(),
                );
            }
        }
        found
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let (_, source) = context.map.file_by_path(&place.file)?;
        let secret = source.facts.secrets.iter().find(|secret| secret.line == place.start_line)?;
        let variable = environment_name(secret);
        let read = if source.language == LanguageName::Rust {
            format!("`std::env::var(\"{variable}\")`")
        } else {
            format!("`process.env.{variable}`")
        };
        let goal = GateDraft::TextPresent { text: variable.clone(), file: place.file.clone() };
        Some(PlanDraft {
            title: format!("Take the {} out of `{}`", kind_text(secret), place.file),
            why: finding.message.clone(),
            context: vec!["The value is masked everywhere in this plan and must not be copied into it.".to_owned()],
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: format!("Read the value from `{variable}`"),
                instruction: format!(
                    "In `{}`, line {}: read the value with {read} (or with the configuration module the neighbouring files use) and fail \
                     at start-up with a message that names the variable when it is missing. Add the variable, without a value, to the \
                     example environment file if the repository has one.",
                    place.file, place.start_line
                ),
                edits: Vec::new(),
                gates: vec![
                    GateDraft::Project(CommandPurpose::Typecheck),
                    GateDraft::Project(CommandPurpose::Test),
                    goal.clone(),
                ],
            }],
            in_scope: vec![ScopeDraft { path: place.file.clone(), remark: "the credential".to_owned() }],
            out_of_scope: vec![(
                "rewriting history".to_owned(),
                "a person decides that; a revoked credential needs no rewriting".to_owned(),
            )],
            tests: vec![format!("without `{variable}` the program says which variable is missing")],
            edge_cases: vec![
                "tests and local set-ups that relied on the value need their own, harmless one".to_owned(),
            ],
            prerequisites: vec![
                "A person revokes the credential and issues a new one: it has to be taken as known.".to_owned(),
            ],
            goals: vec![goal],
            stop_conditions: vec![
                "the value is public by design (a publishable key, a test key from documentation)".to_owned(),
                "the program has no way to read configuration where the value is needed".to_owned(),
            ],
            maintenance: vec!["A secret scan in continuous integration keeps the next one out.".to_owned()],
            risk: None,
        })
    }
}

/// Many kinds in one file are samples: a scanner's patterns, documentation, a table of formats.
fn is_sample_list(secrets: &[SecretLiteral]) -> bool {
    let kinds: BTreeSet<&str> = secrets.iter().map(|secret| secret.kind.as_str()).collect();
    kinds.len() > 3
}

/// `server-dev.ts`, `prisma/populate.ts`: what fills or runs a database on a developer's machine.
fn serves_developers(path: &str) -> bool {
    const WORDS: &[&str] =
        &["dev", "seed", "seeds", "seeder", "populate", "playground", "demo", "sample", "samples", "mock", "mocks"];
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    place::words(stem).iter().any(|word| WORDS.contains(&word.as_str()))
}

/// A name that says it is shown, not used.
fn is_sample(secret: &SecretLiteral) -> bool {
    const WORDS: &[&str] = &[
        "placeholder",
        "holder",
        "example",
        "examples",
        "sample",
        "samples",
        "dummy",
        "fake",
        "mock",
        "mocks",
        "test",
        "demo",
        "fixture",
        "fixtures",
    ];
    secret.name.as_deref().is_some_and(|name| place::words(name).iter().any(|word| WORDS.contains(&word.as_str())))
}

/// Keys that are shipped to whoever runs the program, so that it can report how it is used: they only let in.
fn is_public_by_design(path: &str, secret: &SecretLiteral) -> bool {
    const WORDS: &[&str] =
        &["analytics", "telemetry", "posthog", "sentry", "mixpanel", "amplitude", "segment", "publishable", "dsn"];
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    [Some(stem), secret.name.as_deref()]
        .into_iter()
        .flatten()
        .any(|name| place::words(name).iter().any(|word| WORDS.contains(&word.as_str())))
}

/// `apiKey` beside `authDomain` and `messagingSenderId`: what names a Firebase project to its pages, which its rules protect
/// (<https://firebase.google.com/docs/projects/api-keys>).
fn is_of_web_client(facts: &FileFacts, secret: &SecretLiteral) -> bool {
    let names = |name: &str| facts.references.binary_search(&Name::from(name)).is_ok();
    secret.kind == "google-api-key" && (names("authDomain") || names("messagingSenderId"))
}

/// `schema.insert("example", "whsec_…")`: what is documented, not used.
fn is_shown_as_sample(facts: &FileFacts, secret: &SecretLiteral) -> bool {
    let says_so = |expr: &Expr| {
        let mut found = false;
        chain::walk_deep(facts, expr, &mut |inner| {
            found |= matches!(inner, Expr::Text(text)
                if matches!(text.as_str(), "example" | "examples" | "sample" | "placeholder"));
        });
        found
    };
    facts.calls.iter().any(|site| site.span.contains(secret.span) && site.arguments.iter().any(says_so))
}

/// Search-only keys of Algolia are made to stand in pages.
fn is_search_key(secret: &SecretLiteral) -> bool {
    let words = secret.name.as_deref().map(place::words).unwrap_or_default();
    words.iter().any(|word| word == "search" || word == "searchonly" || word == "docsearch" || word == "algolia")
        && !words.iter().any(|word| matches!(word.as_str(), "admin" | "write" | "secret"))
}

/// Known by the name it is bound to rather than by its own form.
fn is_generic(secret: &SecretLiteral) -> bool {
    matches!(secret.kind.as_str(), "password" | "secret" | "token" | "credential")
}

/// An `api_key` without its issuer's form: often what tells one program from another and ships with each copy of it.
fn is_application_key(secret: &SecretLiteral) -> bool {
    secret.kind == "api-key"
        && secret.name.is_none_or(|name| place::words(&name).iter().any(|word| word == "api" || word == "apikey"))
}

fn kind_text(secret: &SecretLiteral) -> String {
    secret.kind.replace('-', " ")
}

fn environment_name(secret: &SecretLiteral) -> String {
    let name = secret.name.as_deref().unwrap_or(&secret.kind);
    place::words(name).join("_").to_uppercase()
}
