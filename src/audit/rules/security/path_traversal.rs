//! `path-traversal`: a file chosen by whoever sends the request.

use crate::audit::draft::{GateDraft, PlanDraft, ScopeDraft, StepDraft};
use crate::audit::rule::{RecipeContext, Rule, RuleDoc, Table};
use crate::audit::rules::security::tainted::{self, Group};
use crate::effects::Effects;
use crate::effects::taint::{Danger, Flow, Trust};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::RepoMap;
use crate::repo_map::expr::Expr;
use crate::repo_map::facts::LanguageName;
use crate::repo_map::recon::CommandPurpose;

/// A path built from a request and opened.
pub struct PathTraversal;

static DOC: RuleDoc = RuleDoc {
    id: "path-traversal",
    category: Category::Security,
    what: "a file path built from a request and opened, with nothing that keeps it inside a folder",
    why: "`../../etc/passwd` is a valid file name to a path join: any file the process can read is served, any it can write is lost",
    quiet_when: "the value is a number or an id with a form of its own, is cut to its base name or the last name of a path, passes an anchored pattern or a fixed \
                 list, its normalised path is compared with the folder, `sendFile` gets a `root`, or the window of a \
                 desktop program names the whole path; where the route asks who is calling and takes the whole path, it is told with low confidence",
    example: "app.get('/files/:name', (req, res) => res.sendFile(path.join(root, req.params.name)));",
};

impl Rule for PathTraversal {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn rests_on(&self) -> &'static [Table] {
        &[Table::Danger(Danger::Path)]
    }

    fn check(&self, map: &RepoMap, effects: &Effects) -> Vec<Finding> {
        let groups = tainted::groups(map, effects, &[Danger::Path]);
        let in_folder = groups.iter().filter(|group| !is_named_whole(map, group.worst));
        in_folder.map(|group| finding(map, effects, group)).collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let map = context.map;
        let group = tainted::group_at(map, context.effects, &[Danger::Path], finding)?;
        let flow = group.worst;
        let path = flow.place.0.clone();
        let function = tainted::function(map, flow);
        let (first, _) = tainted::lines(map, &group);
        let (shape, mark) = if map.file(flow.sink.file).language == LanguageName::Rust {
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
                    "In `{path}`, `{function}`, before line {first}: {shape}. Where names are flat, taking the base name is enough and \
                     simpler. Answer a refused path exactly as a missing file, so that nothing is told about what exists."
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

fn finding(map: &RepoMap, effects: &Effects, group: &Group<'_>) -> Finding {
    let flow = group.worst;
    let (function, name) = (tainted::function(map, flow), tainted::callee(map, flow));
    let keeps = match &flow.leak {
        Some(_) => tainted::leak(flow),
        None => " Nothing on the way keeps `..` from leaving the folder it is meant for.".to_owned(),
    };
    let message = match &flow.sibling {
        Some(sibling) => format!(
            "`{function}` checks `{sibling}` for path traversal, but not {}, which goes the same way to `{name}`.",
            tainted::value(flow)
        ),
        None => format!("`{function}` gives `{name}` a path built from {}.{keeps}", tainted::value(flow)),
    };
    let title = match &flow.sibling {
        Some(_) => format!("`{function}` leaves {} unchecked beside one it checks", tainted::whose(flow)),
        None => format!("`{function}` opens a file whose path holds {}", tainted::whose(flow)),
    };
    tainted::draft(&DOC, map, group, "file access")
        .title(title)
        .message(message)
        // A fixed extension leaves few files to reach.
        .impact(match flow.trust {
            _ if is_meant(map, effects, flow) => 3,
            _ if flow.doubtful && flow.sibling.is_none() => 3,
            Trust::Client => 5,
            _ => 4,
        })
        .effort(Effort::S)
        .risk(Risk::Low)
        .confidence(confidence(map, effects, flow))
        .build()
}

/// The window's own code, or who may write to a queue, names a whole path (`open(path)`, `path.join("meta.json")`): a person picked
/// that file, and there is no folder it has to stay in.
fn is_named_whole(map: &RepoMap, flow: &Flow) -> bool {
    flow.trust == Trust::Stored && is_whole(map, flow)
}

/// Whether a value is the path, rather than something put behind a folder.
fn is_whole(map: &RepoMap, flow: &Flow) -> bool {
    let places = flow.steps.iter().map(|step| (step.file.as_str(), step.line));
    let mut places = places.chain(std::iter::once((flow.place.0.as_str(), flow.place.1)));
    flow.sibling.is_none() && flow.context.before.is_empty() && !places.any(|(file, line)| is_joined(map, file, line))
}

/// Whether a line puts something that is no fixed text behind a path: `folder.join(name)`.
fn is_joined(map: &RepoMap, file: &str, line: u32) -> bool {
    map.file_by_path(file).is_some_and(|(_, source)| {
        source.facts.calls.iter().filter(|site| site.line == line).any(|site| {
            matches!(site.name.as_str(), "join" | "push" | "resolve")
                && site.arguments.iter().any(|argument| !matches!(argument.peeled(), Expr::Text(_)))
        })
    })
}

/// Who was let in to name a whole path was let in for that.
fn is_meant(map: &RepoMap, effects: &Effects, flow: &Flow) -> bool {
    is_whole(map, flow) && tainted::is_guarded(map, effects, flow)
}

/// `…/${slug}.mdx`: whatever the value is, only files of one kind are opened.
fn confidence(map: &RepoMap, effects: &Effects, flow: &Flow) -> Confidence {
    let end = flow.text.rsplit("{}").next().unwrap_or_default();
    let is_extension = |end: &str| end.len() > 1 && end.chars().all(char::is_alphanumeric);
    let of_one_kind = flow.doubtful && flow.sibling.is_none() && end.strip_prefix('.').is_some_and(is_extension);
    let is_doubtful = of_one_kind || is_meant(map, effects, flow);
    tainted::confidence(flow).min(if is_doubtful { Confidence::Low } else { Confidence::High })
}
