//! `tls-verification-disabled`: connections that trust any certificate.

use crate::audit::draft::{EditDraft, GateDraft, PlanDraft, StepDraft};
use crate::audit::finding_draft::FindingDraft;
use crate::audit::place;
use crate::audit::rule::{Ground, RecipeContext, Rule, RuleDoc};
use crate::finding::{Category, Confidence, Effort, Finding, Risk};
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::{FileFacts, LanguageName, RegionIndex, RegionKind, Span, SymbolIndex};
use crate::repo_map::name::words;
use crate::repo_map::recon::CommandPurpose;
use crate::repo_map::{FileId, FileRole, RepoMap, SymbolId};

/// Certificate checks switched off.
pub struct TlsVerificationDisabled;

static DOC: RuleDoc = RuleDoc {
    id: "tls-verification-disabled",
    category: Category::Security,
    what: "certificate verification switched off by a constant",
    why: "anybody between the two ends can read and change the traffic, passwords and tokens included",
    quiet_when: "the value comes from configuration, the connection is a health check or goes to the own machine, or the code does not ship (debug builds alone have it); where somebody has to ask for it, or a comment right above says that certificates are self-signed, confidence is low",
    example: "new https.Agent({ rejectUnauthorized: false });",
};

/// Rust builder methods that switch verification off when given `true`.
const RUST_SWITCHES: &[&str] =
    &["danger_accept_invalid_certs", "danger_accept_invalid_hostnames", "tls_danger_accept_invalid_certs"];

/// Lines above a place that are looked at for a block that only debug builds have. Our choice.
const LINES_ABOVE: usize = 40;

/// `#[cfg(debug_assertions)]` stands over the statement or over a block around it: what ships does not have it.
fn is_of_debug_builds(ground: &Ground<'_>, site: &Site) -> bool {
    let source = ground.map.file(site.file);
    if source.language != LanguageName::Rust {
        return false;
    }
    let Some(text) = ground.tree.text(&source.path) else { return false };
    let above: Vec<&str> = text.lines().take(site.line as usize - 1).collect();
    // Blocks that are closed on the way up are none around the place.
    let mut closed = 0_i32;
    let mut is_opener = true;
    for line in above.iter().rev().take(LINES_ABOVE) {
        let line = line.trim();
        if is_opener && line.starts_with("#[cfg(") && line.contains("debug_assertions") && !line.contains("not(") {
            return true;
        }
        closed += line.matches('}').count() as i32 - line.matches('{').count() as i32;
        is_opener = closed < 0 || (is_opener && line.starts_with(['#', '/', '.']));
        closed = closed.max(0);
    }
    false
}

/// Words of functions that say what they give up.
const GIVES_UP: &[&str] = &["insecure", "insecurely", "danger", "dangerous", "unsafe", "untrusted", "unverified"];

/// A place that switches verification off.
/// Whether a comment right above says that certificates are self-signed there: a decision on record, to be looked at and not undone.
fn says_self_signed(ground: &Ground<'_>, site: &Site) -> bool {
    const NEAR: usize = 4;
    let Some(text) = ground.tree.text(&ground.map.file(site.file).path) else { return false };
    let line = site.line as usize;
    text.lines().skip(line.saturating_sub(NEAR)).take(NEAR.min(line)).any(|own| {
        let own = own.to_ascii_lowercase();
        let comment = own.find("//").or_else(|| own.trim_start().starts_with(['*', '/']).then_some(0));
        comment.is_some_and(|at| own[at..].contains("self-signed") || own[at..].contains("self signed"))
    })
}

struct Site {
    file: FileId,
    symbol: Option<SymbolIndex>,
    region: Option<RegionIndex>,
    span: Span,
    line: u32,
    /// It is one of several values, as in `trusted ? {} : { rejectUnauthorized: false }`: somebody can set it.
    is_optional: bool,
    /// What stands there, as a pattern of words.
    key: &'static str,
}

impl Rule for TlsVerificationDisabled {
    fn doc(&self) -> &'static RuleDoc {
        &DOC
    }

    fn check_tree(&self, ground: &Ground<'_>) -> Vec<Finding> {
        let map = ground.map;
        sites(map)
            .into_iter()
            .filter(|site| !is_towards_itself(map, site) && !is_of_debug_builds(ground, site))
            .map(|site| {
                let facts = &map.file(site.file).facts;
                let conditional = site.is_optional
                    || is_asked_for(map, &site)
                    || says_self_signed(ground, &site)
                    || facts.enclosing_regions(site.region).any(|(_, region)| matches!(region.kind, RegionKind::Branch));
                FindingDraft::at_line(&DOC, map, site.file, site.line, site.symbol, "switch")
                    .title(format!("`{}` switches certificate verification off", site.key))
                    .message(format!(
                        "`{}` makes this connection accept any certificate: whoever sits between the two ends can read and change the \
                         traffic.",
                        site.key
                    ))
                    // Somebody has to ask for it.
                    .impact(if conditional { 3 } else { 4 })
                    .effort(Effort::S)
                    .risk(Risk::Med)
                    .confidence(if conditional { Confidence::Low } else { Confidence::High })
                    .build()
            })
            .collect()
    }

    fn recipe(&self, finding: &Finding, context: &RecipeContext<'_>) -> Option<PlanDraft> {
        let place = finding.location();
        let (file, source) = context.map.file_by_path(&place.file)?;
        let site = sites(context.map).into_iter().find(|site| site.file == file && site.line == place.start_line)?;
        let edits: Vec<EditDraft> = edit(context, &source.path, &site).into_iter().collect();
        let goal = place::unique_line(context.tree, &place.file, place.start_line, place.end_line, &|line| {
            line.contains(site.key)
        })
        .map(|text| GateDraft::TextGone { text, file: place.file.clone() });
        let mut gates = vec![GateDraft::Project(CommandPurpose::Typecheck), GateDraft::Project(CommandPurpose::Test)];
        gates.extend(goal.clone());
        Some(PlanDraft {
            title: format!("Verify certificates again in `{}`", place.file),
            why: finding.message.clone(),
            context: Vec::new(),
            excerpts: Vec::new(),
            steps: vec![StepDraft {
                title: format!("Switch `{}` back", site.key),
                instruction: format!(
                    "In `{}`, line {}: let the connection verify certificates. Where the other end has a certificate of a private \
                     authority, give that authority's certificate to the client (`ca` in Node.js, `add_root_certificate` in reqwest), \
                     read from configuration.",
                    place.file, place.start_line
                ),
                edits,
                gates,
            }],
            in_scope: Vec::new(),
            out_of_scope: vec![("how the other end is configured".to_owned(), "its certificate is somebody else's to renew".to_owned())],
            tests: Vec::new(),
            edge_cases: vec![
                "managed databases often use a private authority, whose certificate has to be given to the client".to_owned(),
                "a host name that is not in the certificate fails even with the right authority".to_owned(),
            ],
            prerequisites: vec!["The other end has a certificate that a known authority signed, or its authority's certificate is at hand.".to_owned()],
            goals: goal.into_iter().collect(),
            stop_conditions: vec![
                "the connection only ever goes to the same machine".to_owned(),
                "no authority's certificate can be had for the other end: then a person has to decide".to_owned(),
            ],
            maintenance: Vec::new(),
            risk: None,
        })
    }
}

/// A health check of the own listener, an address of the own machine: nobody sits between the two ends.
fn is_towards_itself(map: &RepoMap, site: &Site) -> bool {
    const CHECKS: &[&str] = &["health", "healthcheck", "healthz", "liveness", "readiness", "probe"];
    let source = map.file(site.file);
    let facts = &source.facts;
    let stem = source.path.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
    let is_check = |name: &str| words(name).iter().any(|word| CHECKS.contains(&word.as_str()));
    let Some(symbol) = site.symbol else { return is_check(stem) };
    let arguments = facts.calls.iter().filter(|call| call.caller == Some(symbol)).flat_map(|call| &call.arguments);
    let values = facts.bindings.iter().filter(|own| own.owner == Some(symbol)).filter_map(|own| own.value.as_ref());
    is_check(stem) || is_check(&facts.symbols[symbol as usize].name) || arguments.chain(values).any(is_own_machine)
}

/// `'https://localhost:8443'`, also in an object; `host ?? 'localhost'` is whatever was configured.
fn is_own_machine(expr: &Expr) -> bool {
    const HERE: &[&str] = &["localhost", "127.0.0.1", "[::1]"];
    let is_here = |text: &str| {
        let host = text.split_once("://").map_or(text, |(_, host)| host);
        HERE.iter().any(|here| host.starts_with(here))
    };
    if let Expr::Object(entries) = expr.peeled() {
        return entries.iter().any(|(_, value)| is_own_machine(value));
    }
    match expr.peeled() {
        Expr::Text(text) => is_here(text),
        Expr::Template(parts) => matches!(parts.first(), Some(TemplatePart::Text(text)) if is_here(text)),
        _ => false,
    }
}

/// Whether what holds it is named for what it gives up (`this.insecureAgent`), or the function around it is: somebody has to ask for
/// it.
fn is_asked_for(map: &RepoMap, site: &Site) -> bool {
    let facts = &map.file(site.file).facts;
    let gives_up = |name: &str| words(name).iter().any(|word| GIVES_UP.contains(&word.as_str()));
    let assigned = facts.assignments.iter().filter(|assignment| assignment.span.contains(site.span));
    let bound = facts.bindings.iter().filter(|binding| binding.span.contains(site.span));
    if assigned.filter_map(|assignment| assignment.target.last_name()).any(gives_up)
        || bound.map(|binding| binding.name.as_str()).any(gives_up)
    {
        return true;
    }
    site.symbol.is_some_and(|index| gives_up(&map.symbol(SymbolId { file: site.file, index }).name))
}

fn sites(map: &RepoMap) -> Vec<Site> {
    let mut found: Vec<Site> = Vec::new();
    for (file, source) in map.files_with_ids().filter(|(_, source)| source.role == FileRole::Production) {
        let facts = &source.facts;
        if source.language == LanguageName::Rust {
            for site in facts.calls.iter().filter(|site| site.arguments.first() == Some(&Expr::Bool(true))) {
                if let Some(key) = RUST_SWITCHES.iter().find(|key| **key == site.name) {
                    found.push(Site {
                        file,
                        symbol: site.caller,
                        region: site.region,
                        span: site.span,
                        line: site.line,
                        is_optional: false,
                        key,
                    });
                }
            }
        } else {
            of_ecmascript(facts, file, &mut found);
        }
    }
    found.retain(|site| !map.is_test(site.file, site.symbol));
    found.sort_by_key(|site| (site.file, site.span.end.saturating_sub(site.span.start)));
    // An object literal is part of a call that is part of a declaration: the smallest span that holds it counts.
    let mut kept: Vec<Site> = Vec::new();
    for site in found {
        if !kept.iter().any(|other| other.file == site.file && site.span.contains(other.span)) {
            kept.push(site);
        }
    }
    kept.sort_by_key(|site| (site.file, site.span));
    kept
}

const KEY: &str = "rejectUnauthorized";

fn of_ecmascript(facts: &FileFacts, file: FileId, found: &mut Vec<Site>) {
    for site in &facts.calls {
        let off = || site.arguments.iter().filter(|argument| switches_off(argument));
        if off().next().is_some() {
            found.push(Site {
                file,
                symbol: site.caller,
                region: site.region,
                span: site.span,
                line: site.line,
                // `_.defaults(this, given, { rejectUnauthorized: false })`: whoever gives another value has it.
                is_optional: matches!(site.name.as_str(), "defaults" | "defaultsDeep") || off().all(is_one_of_several),
                key: KEY,
            });
        }
    }
    for binding in &facts.bindings {
        let Some(value) = binding.value.as_ref().filter(|value| switches_off(value)) else { continue };
        found.push(Site {
            file,
            symbol: binding.owner,
            region: binding.region,
            span: binding.span,
            line: binding.line,
            is_optional: is_one_of_several(value),
            key: KEY,
        });
    }
    for assignment in &facts.assignments {
        let of_process = assignment.target.last_name() == Some("NODE_TLS_REJECT_UNAUTHORIZED")
            && matches!(&assignment.value, Expr::Text(value) if value == "0");
        let key = if of_process { "NODE_TLS_REJECT_UNAUTHORIZED" } else { KEY };
        let direct = assignment.target.last_name() == Some(KEY) && assignment.value == Expr::Bool(false);
        if of_process || direct || switches_off(&assignment.value) {
            found.push(Site {
                file,
                symbol: assignment.symbol,
                region: assignment.region,
                span: assignment.span,
                line: assignment.line,
                is_optional: !of_process && !direct && is_one_of_several(&assignment.value),
                key,
            });
        }
    }
}

fn switches_off(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |inner| {
        if let Expr::Object(entries) = inner {
            found |= entries.iter().any(|(key, value)| key == KEY && *value == Expr::Bool(false));
        }
    });
    found
}

/// Whether every switch in a value stands in an arm of a choice.
fn is_one_of_several(expr: &Expr) -> bool {
    let count = |expr: &Expr| {
        let (mut all, mut chosen) = (0, 0);
        expr.walk(&mut |inner| match inner {
            Expr::Object(entries) => {
                all += entries.iter().filter(|(key, value)| key == KEY && *value == Expr::Bool(false)).count();
            }
            Expr::Either(arms) => chosen += arms.iter().filter(|arm| switches_off(arm)).count(),
            _ => {}
        });
        (all, chosen)
    };
    let (all, chosen) = count(expr);
    all > 0 && chosen >= all
}

/// `rejectUnauthorized: false` → `true`; `danger_accept_invalid_certs(true)` → `(false)`.
fn edit(context: &RecipeContext<'_>, path: &str, site: &Site) -> Option<EditDraft> {
    let text = context.tree.text(path)?;
    let written = text.get(site.span.start as usize..site.span.end as usize)?;
    let at = written.rfind(site.key)?;
    let (old, new) = if site.key == KEY { ("false", "true") } else { ("true", "false") };
    let after = &written[at + site.key.len()..];
    let value = after.find(old)?;
    // Nothing but punctuation may stand between the key and its value.
    if after[..value].contains(|c: char| c.is_alphanumeric()) || written.matches(site.key).count() != 1 {
        return None;
    }
    let start = site.span.start + (at + site.key.len() + value) as u32;
    Some(EditDraft::Replace {
        file: path.to_owned(),
        span: Span { start, end: start + old.len() as u32 },
        text: new.to_owned(),
    })
}
