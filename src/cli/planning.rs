//! What commands have a planner do: look through lenses, judge findings; the question before money is spent, what came of it.

use improve::audit::engine::suppressions;
use improve::audit::shard::Parts;
use improve::audit::suppression::Suppressions;
use improve::audit::{AuditOptions, NotAudited};
use improve::finding::{Category, Finding};
use improve::model::cost::Cost;
use improve::model::session::Session;
use improve::model::{ModelError, NanoDollars, Role};
use improve::planner::asking::Desk;
use improve::planner::pack::{PACK_TOKENS, pack};
use improve::planner::{lens, vet};
use improve::report::audit_document::AuditDocument;
use improve::report::map_outline::CHARACTERS_PER_TOKEN;
use improve::settings::AuditEffort;
use improve::survey::Survey;

use super::Context;
use super::failure::Failure;
use super::globals::Workspace;
use super::models::{Foreseen, Line, ModelArgs, agents, agreed, batcher, budget, foretell, reading_copy};

/// How much of what was asked for was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// All of it.
    Whole,
    /// A rule or a question failed.
    Partly,
    /// A model could not be asked at all, as it is set up.
    Misconfigured,
}

/// How a model is asked.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Requests are shown and not sent.
    pub dry_run: bool,
    /// Questions go together, and may wait.
    pub batch: bool,
}

impl Manner {
    /// What questions cost that cost `whole` when each is asked at once. Both vendors take half for what may wait.
    pub fn price(self, whole: NanoDollars) -> NanoDollars {
        if self.batch { NanoDollars(whole.0.div_ceil(2)) } else { whole }
    }
}

/// What is asked of a planner.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// Who is asked.
    pub models: &'a ModelArgs,
    /// How.
    pub manner: Manner,
    /// It looks for what rules cannot see, too, and does not only judge what they found.
    pub looks: bool,
}

/// What an effort is worth in questions.
struct Breadth {
    lenses: &'static [Category],
    judged: usize,
}

fn breadth(effort: AuditEffort) -> Breadth {
    use Category::{Bug, Perf, Security, TechDebt, Tests};
    match effort {
        AuditEffort::Quick => Breadth { lenses: &[Security, Bug], judged: 10 },
        AuditEffort::Standard => Breadth { lenses: &[Security, Bug, Perf, Tests, TechDebt], judged: 25 },
        AuditEffort::Deep => Breadth { lenses: &Category::ALL, judged: 60 },
    }
}

/// Has a planner, where one is bound, look for what rules cannot see and judge the first findings. What the rules found is there
/// whatever becomes of that.
pub fn consult(
    asking: Asking<'_>,
    options: &AuditOptions,
    document: &mut AuditDocument,
    survey: &Survey,
    workspace: &Workspace,
    context: &Context,
) -> Result<Extent, Failure> {
    let Asking { models, manner, looks } = asking;
    let Some(bound) = models.bound(Role::Planner, &workspace.settings)? else { return Ok(Extent::Whole) };
    if survey.map.files.is_empty() || (!looks && document.findings.is_empty()) {
        return Ok(Extent::Whole);
    }
    let Manner { dry_run, batch } = manner;
    let breadth = breadth(workspace.settings.effort.value);
    let lenses: Vec<Category> = match (looks, options.focus.is_empty()) {
        (false, _) => Vec::new(),
        (true, true) => breadth.lenses.to_vec(),
        (true, false) => options.focus.clone(),
    };
    let pack = pack(&survey.map, survey.effects(), &survey.tree, PACK_TOKENS);
    let pack_tokens = (pack.len() / CHARACTERS_PER_TOKEN) as u64;
    let judged = document.findings.len().min(breadth.judged);
    let to_judge = count(judged, "finding to judge", "findings to judge");
    let what = if looks { format!("{} and {to_judge}", count(lenses.len(), "lens", "lenses")) } else { to_judge };
    let estimate = lens::estimate(lenses.len(), pack_tokens, &bound)
        .zip(vet::estimate(judged, pack_tokens, &bound))
        .map(|(looking, judging): (NanoDollars, NanoDollars)| looking + judging)
        .map(|whole| manner.price(whole));
    if dry_run {
        foretell(&bound, &what, estimate, Foreseen::FirstRound, &workspace.settings, &context.console);
    } else if !agreed(&bound, &what, estimate, &workspace.settings, &context.console)? {
        return Ok(Extent::Whole);
    }
    let line = Line::open(&context.console, context.cancel.clone(), dry_run)?;
    let copy = reading_copy(survey, workspace);
    let agents = agents(&copy, workspace);
    let session = Session {
        batcher: batch.then(|| batcher(workspace)).flatten(),
        ..line.session(&agents, workspace, &budget(&[&bound], workspace, NanoDollars::ZERO), dry_run, context)
    };
    let desk = Desk { session: &session, bound: &bound, map: &survey.map, tree: &survey.tree, pack: &pack };
    let heard = |count: usize| line.voice.tick(count as u64);

    let mut extent = Extent::Whole;
    if looks {
        line.voice.phase("reading", lenses.len());
        let parts = options.shard.map(|shard| (shard, Parts::of(&survey.map, shard.of)));
        let within = parts.as_ref().map(|(shard, parts)| parts.in_words(*shard, &survey.map));
        let mut seen = lens::look(&lenses, within.as_deref(), &document.findings, &desk, &heard);
        if let (Some((shard, parts)), Ok(seen)) = (&parts, &mut seen) {
            seen.findings.retain(|finding| parts.holds(*shard, &finding.location().file));
        }
        if !dry_run {
            extent = match seen {
                Ok(seen) => take(seen, options, &suppressions(&survey.map), document),
                Err(error) => failed(error, "lenses of a model", document, context)?,
            };
            document.not_audited.extend(left_out(&lenses, options, document.findings.len(), breadth.judged));
        }
    }
    if extent != Extent::Misconfigured {
        let findings: Vec<Finding> = document.findings.iter().take(breadth.judged).cloned().collect();
        line.voice.phase("judging", findings.len());
        match vet::vet(&findings, &desk, &heard) {
            _ if dry_run => {}
            Ok(vetted) => {
                if vetted.iter().any(|vetted| matches!(vetted.outcome, vet::Outcome::Unanswered(_))) {
                    extent = extent.max(Extent::Partly);
                }
                document.vet(&bound.name(), vetted);
            }
            Err(error) => {
                let end = failed(error, "judging of the findings by a model", document, context)?;
                extent = extent.max(end);
            }
        }
    }
    document.cost = Cost::from(session.summary());
    if context.cancel.is_cancelled() {
        return Err(Failure::interrupted());
    }
    Ok(extent)
}

/// Takes what the lenses saw into the document.
fn take(seen: lens::Seen, options: &AuditOptions, silenced: &Suppressions, document: &mut AuditDocument) -> Extent {
    let extent = if seen.failed.is_empty() { Extent::Whole } else { Extent::Partly };
    for (lens, why) in seen.failed {
        document
            .not_audited
            .push(NotAudited { what: format!("what a model sees through the lens {}", lens.label()), why });
    }
    if seen.unfounded > 0 {
        document.not_audited.push(NotAudited {
            what: count(seen.unfounded, "finding of the model", "findings of the model"),
            why: "dropped: what it quotes does not stand in the files".to_owned(),
        });
    }
    document.add(seen.findings, options, silenced);
    extent
}

/// What the effort leaves out: lenses, and findings that no model judges.
fn left_out(lenses: &[Category], options: &AuditOptions, findings: usize, judged: usize) -> Vec<NotAudited> {
    let mut left_out = Vec::new();
    let unused: Vec<&str> =
        Category::ALL.iter().filter(|lens| !lenses.contains(lens)).map(|lens| lens.label()).collect();
    // Who names a focus left the rest out himself.
    if options.focus.is_empty() && !unused.is_empty() {
        left_out.push(NotAudited {
            what: format!("what a model sees through the lenses {}", unused.join(", ")),
            why: "left out at this effort; `--effort deep` looks through all".to_owned(),
        });
    }
    if findings > judged {
        left_out.push(NotAudited {
            what: format!("judging of {} by a model", count(findings - judged, "finding", "findings")),
            why: format!("left out at this effort, which judges the first {judged}"),
        });
    }
    left_out
}

/// Says that the model could not be asked; the audit goes on without it.
fn failed(error: ModelError, what: &str, document: &mut AuditDocument, context: &Context) -> Result<Extent, Failure> {
    if error == ModelError::Cancelled {
        return Err(Failure::interrupted());
    }
    document.not_audited.push(NotAudited { what: what.to_owned(), why: error.to_string() });
    let extent = if error.is_setup() { Extent::Misconfigured } else { Extent::Partly };
    context.console.fail(&Failure::from(error));
    Ok(extent)
}

/// `1 lens`, `3 lenses`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
