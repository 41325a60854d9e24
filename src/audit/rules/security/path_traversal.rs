//! `path-traversal`: a file chosen by whoever sends the request.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{RecipeContext, Rule, RuleDoc};
use crate::audit::rules::security::checks::check_before;
use crate::audit::rules::security::origin::{Origin, origin_behind};
use crate::effects::{Effect, Effects};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::LanguageName;
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{CallId, FileRole, RepoMap};

/// A path built from a request and opened.
pub struct PathTraversal;

static DOC: RuleDoc = RuleDoc {
    id: "path-traversal",
    category: Category::Security,
    what: "a file path built from a request and opened, with nothing that keeps it inside a folder",
    why: "`../../etc/passwd` is a valid file name to a path join: any file the process can read is served, any it can write is lost",
    quiet_when: "the function takes the base name, compares the normalised path with its folder, or calls something named safe, \
                 sanitize or valid",
    example: "app.get('/files/:name', (req, res) => res.sendFile(path.join(root, req.params.name)));",
};

/// Calls that show somebody thought of it.
const GUARDS: &[&str] = &[
    "basename",
    "startsWith",
    "starts_with",
    "file_name",
    "canonicalize",
    "realpath",
    "realpathSync",
    "strip_prefix",
    "relative",
    "components",
    "is_relative",
];

impl Rule for PathTraversal {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        map.calls()
            .filter(|(call, _)| opens_request_path(map, effects, *call))
            .map(|(call, _)| {
                let name = place::callee_text(map, call);
                let function = place::function_name(map, call);
                FindingDraft::at_call(&DOC, map, call, "file access")
                    .title(format!("`{function}` opens a file whose path comes from the request"))
                    .message(format!(
                        "`{function}` gives `{name}` a path built from the request; nothing in the function keeps `..` from leaving the \
                         folder it is meant for."
                    ))
                    .impact(5)
                    .effort(Effort::S)
                    .risk(Risk::Low)
                    .confidence(Confidence::Med)
                    .build()
            })
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let call =
            place::calls_at(map, finding.location()).find(|call| opens_request_path(map, context.effects, *call))?;
        let path = map.file(call.file).path.clone();
        let function = place::function_name(map, call);
        let site = map.call(call);
        let (shape, mark) = if map.file(call.file).language == LanguageName::Rust {
            (
                "join the folder and the value, `canonicalize()` the result and refuse with the 404 of this file unless it \
                 `starts_with` the canonical folder",
                "starts_with",
            )
        } else {
            (
                "compute `const target = path.resolve(root, value)` and refuse with the 404 of this file unless \
                 `target.startsWith(path.resolve(root) + path.sep)`; open `target`, not the value",
                "startsWith(",
            )
        };
        let goal = GateDraft::TextPresent { text: mark.to_owned(), file: path.clone() };
        Some(PlanDraft {
            title: format!("Keep the file path of `{function}` inside its folder"),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: "Refuse paths that leave the folder".to_owned(),
                instruction: format!(
                    "In `{path}`, `{function}`, before line {}: {shape}. Where names are flat, taking the base name is enough and \
                     simpler. Answer a refused path exactly as a missing file, so that nothing is told about what exists.",
                    site.line
                ),
                edits: Vec::new(),
                gates: vec![
                    GateDraft::Project(CommandPurpose::Typecheck),
                    GateDraft::Project(CommandPurpose::Test),
                    goal.clone(),
                ],
            }],
            in_scope: vec![ScopeDraft { path: path.clone(), remark: format!("`{function}`") }],
            out_of_scope: vec![("where files are stored".to_owned(), "existing paths must keep working".to_owned())],
            tests: vec![
                format!("`{function}` with an existing name gives the file"),
                "`../secret`, an absolute path and `%2e%2e%2fsecret` are all answered like a missing file".to_owned(),
            ],
            edge_cases: vec![
                "the prefix check needs the separator at its end: `/data/files-old` starts with `/data/files`"
                    .to_owned(),
                "percent-encoded dots are decoded by the router before the handler sees them".to_owned(),
                "a symbolic link inside the folder may point out of it".to_owned(),
            ],
            prerequisites: Vec::new(),
            goals: vec![goal],
            stop_conditions: vec![
                "the value is checked before it reaches this function, by a schema or a guard of the route".to_owned(),
            ],
            maintenance: Vec::new(),
            risk: None,
        })
    }
}

fn opens_request_path(map: &RepoMap, effects: &Effects, call: CallId) -> bool {
    let source = map.file(call.file);
    let site = map.call(call);
    if source.role != FileRole::Production || place::in_test(map, call) {
        return false;
    }
    let served = matches!(site.name.as_str(), "sendFile" | "createReadStream" | "createWriteStream")
        || matches!(site.callee.peeled(), Expr::Path(segments) if segments.ends_with(&["NamedFile".into(), "open".into()]));
    let opens = served || effects.direct(call).iter().any(|direct| direct.effect == Effect::Fs);
    let Some(path) = site.arguments.first() else { return false };
    let facts = &source.facts;
    if !opens || origin_behind(facts, site.caller, &|name| check_before(map, call, name), path) != Origin::Request {
        return false;
    }
    !facts.calls.iter().filter(|other| other.caller == site.caller).any(|other| {
        GUARDS.contains(&other.name.as_str())
            || place::words(&other.name).iter().any(|word| {
                word.starts_with("safe")
                    || word.starts_with("sanit")
                    || word.starts_with("valid")
                    || word == "assert"
                    || word == "uuid"
            })
    })
}
