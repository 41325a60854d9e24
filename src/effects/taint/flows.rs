//! Flows: every sink with what reaches it.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::effects::Effects;
use crate::effects::taint::names::{Meaning, Spot};
use crate::effects::taint::repository::Taint;
use crate::effects::taint::sinks::{DECLARED, Site};
use crate::effects::taint::text::{Pasted, Statement};
use crate::effects::taint::trace::Walk;
use crate::effects::taint::{Context, Danger, Flow, Trust};
use crate::repo_map::RepoMap;
use crate::repo_map::expr::{Expr, TemplatePart};
use crate::repo_map::facts::CallKind;

/// Values that somebody outside chose, on their ways to sinks; in order of the sinks.
pub fn flows(map: &RepoMap, effects: &Effects) -> Vec<Flow> {
    let taint = Taint::new(map, effects);
    let sites = taint.sinks();
    let found: Vec<Vec<Flow>> = sites.par_iter().map(|site| taint.flows_of(site)).collect();
    let mut flows: Vec<Flow> = found.into_iter().flatten().collect();
    // What reaches a file is said by its way; the rest by what is checked beside it.
    let known: BTreeSet<(&str, u32)> =
        flows.iter().flat_map(|flow| &flow.steps).map(|step| (step.file.as_str(), step.line)).collect();
    let siblings: Vec<Flow> = taint
        .unchecked_siblings()
        .into_iter()
        .filter(|flow| flow.steps.iter().all(|step| !known.contains(&(step.file.as_str(), step.line))))
        .collect();
    flows.extend(siblings);
    flows.sort_by(|a, b| {
        (a.sink, a.danger, &a.place, &a.value, &a.source).cmp(&(b.sink, b.danger, &b.place, &b.value, &b.source))
    });
    flows.dedup();
    flows
}

impl<'a> Taint<'a> {
    /// What reaches one sink.
    fn flows_of(&self, site: &Site<'a>) -> Vec<Flow> {
        let spot = Spot::of_call(site.call.file, self.map.call(site.call));
        let statement = self.statement(spot, site.expr, &site.keys, site.danger);
        match site.danger {
            Danger::Sql if !self.is_sql(site, &statement) => Vec::new(),
            Danger::Html if !is_markup(site, &statement) => Vec::new(),
            Danger::Url | Danger::Redirect => self.hosts(site, spot, &statement),
            Danger::Sql
            | Danger::Shell
            | Danger::Option
            | Danger::Path
            | Danger::Regex
            | Danger::Html
            | Danger::Backtracking => {
                let wanted = |pasted: &&Pasted<'a>| match site.danger {
                    Danger::Option => pasted.first,
                    // By its name alone a call is one that runs SQL only when the value stands in quotes of a statement.
                    Danger::Sql if site.library.is_empty() => pasted.context.quote == Some('\''),
                    _ => true,
                };
                statement
                    .holes
                    .iter()
                    .filter(wanted)
                    .filter_map(|pasted| self.flow(site, &statement, pasted, false))
                    .collect()
            }
        }
    }

    fn is_sql(&self, site: &Site<'_>, statement: &Statement<'_>) -> bool {
        let name = self.map.call(site.call).name;
        let is_any = name.ends_with("Raw") && name != "raw" || site.fragment || site.library == DECLARED;
        is_any || looks_like_sql(&statement.text) || (statement.text == "{}" && !site.library.is_empty())
    }

    /// Of an address, the holes that decide its host.
    fn hosts(&self, site: &Site<'a>, at: Spot, statement: &Statement<'a>) -> Vec<Flow> {
        // `router.push({ pathname, query })`: a page of this site.
        if site.danger == Danger::Redirect && is_location_object(site.expr) {
            return Vec::new();
        }
        let Some((own, address, has_base)) = self.address(at, site.expr) else {
            return self.host_holes(site, statement, false);
        };
        if site.keys.is_empty() {
            let inner = self.statement(own, address, &[], site.danger);
            self.host_holes(site, &inner, has_base)
        } else {
            self.host_holes(site, statement, false)
        }
    }

    fn host_holes(&self, site: &Site<'a>, statement: &Statement<'a>, has_base: bool) -> Vec<Flow> {
        let mut found = Vec::new();
        for pasted in &statement.holes {
            let before = pasted.context.before.as_str();
            let decides = if before.contains(Context::HOLE) {
                None
            } else if let Some((_, host)) = before.split_once("://") {
                (!host.contains('/')).then_some(false)
            } else if before.is_empty() {
                Some(false)
            } else if before == "/" && (has_base || site.danger == Danger::Redirect) {
                // `//host`: a second slash makes the rest a host.
                Some(true)
            } else {
                None
            };
            if let Some(doubtful) = decides {
                found.extend(self.flow(site, statement, pasted, doubtful));
            }
        }
        found
    }

    /// The first argument of the `new URL(address, base)` that `expr` stands for, and whether there is a base; `None` for
    /// anything else, and for a URL whose host was asked about.
    fn address(&self, spot: Spot, expr: &'a Expr) -> Option<(Spot, &'a Expr, bool)> {
        let facts = &self.map.file(spot.file).facts;
        let mut own = spot;
        let mut expr = expr.peeled();
        for _ in 0..6 {
            match expr {
                Expr::Name(name) => match self.index(spot.file).meaning(facts, name, own.at) {
                    Meaning::Variable(binding) if binding.taken.is_none() && !self.host_is_asked(own, name) => {
                        own = Spot::of_binding(own.file, binding);
                        expr = binding.value.as_ref()?.peeled();
                    }
                    _ => return None,
                },
                Expr::Member(object, name) if name == "href" => expr = object.peeled(),
                Expr::Call(index) => {
                    let site = facts.call(*index);
                    if site.kind == CallKind::New && site.name == "URL" {
                        let own = Spot::of_call(own.file, site);
                        return Some((own, site.arguments.first()?, site.arguments.len() > 1));
                    }
                    match site.callee.peeled() {
                        Expr::Member(object, _) if site.name == "toString" => expr = object.peeled(),
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
        None
    }

    fn flow(&self, site: &Site<'a>, statement: &Statement<'a>, pasted: &Pasted<'a>, doubtful: bool) -> Option<Flow> {
        let value = pasted.hole.expr.dotted();
        if site.danger == Danger::Sql && self.is_placeholder(value.as_deref()) {
            return None;
        }
        let hole = &pasted.hole;
        let mut walk = Walk::new(self, site.danger, &pasted.context);
        let mut found = walk.origin(hole.spot, hole.expr, &hole.keys, &hole.stack);
        if found.trust == Trust::Client
            && let Some(source) = found.steps.first()
            && let Some((file, _)) = self.map.file_by_path(&source.file)
            && (self.asks_for_secret(file, source.line) || self.is_replaced_header(file, source.line))
        {
            found = found.at_most(Trust::Unknown);
        }
        // What a link makes a browser send is an address, not a header.
        let follows_a_link = matches!(site.danger, Danger::Html | Danger::Redirect);
        if follows_a_link && found.source.split(['.', '(']).any(|part| matches!(part, "headers" | "header")) {
            found = found.at_most(Trust::Unknown);
        }
        let least = match site.danger {
            // Conditions are put together from aliases and names of columns everywhere.
            Danger::Sql if site.fragment && pasted.context.quote != Some('\'') => Trust::Stored,
            Danger::Sql | Danger::Shell if pasted.context.pasted => Trust::Unknown,
            Danger::Sql | Danger::Shell => Trust::Page,
            Danger::Path | Danger::Url | Danger::Regex | Danger::Option => Trust::Stored,
            Danger::Redirect | Danger::Html => Trust::Page,
            // Who may write to the store may stop the service in simpler ways.
            Danger::Backtracking => Trust::Client,
        };
        // The page's own address is no message to a server.
        if found.trust < least
            || (found.trust == Trust::Page && !matches!(site.danger, Danger::Redirect | Danger::Html))
        {
            return None;
        }
        let own = self.map.call(site.call);
        let spot = Spot::of_call(site.call.file, own);
        let inside = hole.spot.file == site.call.file && (own.line..=own.end_line).contains(&hole.spot.line);
        let line = if inside { own.line } else { hole.spot.line };
        let mut text = statement.text.clone();
        text.truncate(text.char_indices().nth(300).map_or(text.len(), |(at, _)| at));
        Some(Flow {
            danger: site.danger,
            sink: site.call,
            reaches: site.reaches.clone(),
            api: site.api.clone(),
            library: site.library,
            place: (self.map.file(hole.spot.file).path.clone(), line),
            context: pasted.context.clone(),
            trust: found.trust,
            source: found.source,
            value,
            steps: found.steps,
            leak: found.leak,
            sibling: None,
            doubtful: found.doubtful || doubtful || (site.danger == Danger::Path && self.ends_fixed(spot, site.expr)),
            text,
        })
    }
}

impl Taint<'_> {
    /// Whether a path ends in a fixed name or extension: what can be opened by it is little.
    fn ends_fixed(&self, spot: Spot, expr: &Expr) -> bool {
        let facts = &self.map.file(spot.file).facts;
        let mut spot = spot;
        let mut expr = expr.peeled();
        for _ in 0..4 {
            expr = match expr {
                Expr::Template(parts) => return matches!(parts.last(), Some(TemplatePart::Text(text)) if is_end(text)),
                Expr::Text(text) => return is_end(text),
                Expr::Binary(operator, _, right) if operator == "+" => right.peeled(),
                Expr::Call(index) if matches!(facts.call(*index).name.as_str(), "join" | "resolve") => {
                    match facts.call(*index).arguments.last() {
                        Some(last) => last.peeled(),
                        None => return false,
                    }
                }
                Expr::Name(name) => match self.meaning(spot, *name) {
                    Meaning::Variable(binding) if binding.taken.is_none() => {
                        spot = Spot::of_binding(spot.file, binding);
                        match &binding.value {
                            Some(value) => value.peeled(),
                            None => return false,
                        }
                    }
                    _ => return false,
                },
                _ => return false,
            };
        }
        false
    }
}

/// `theme.json`, `.info.yml`: an end that names a kind of file, with no way up in it.
fn is_end(text: &str) -> bool {
    let last = text.rsplit('/').next().unwrap_or(text);
    !text.contains("..") && last.rsplit_once('.').is_some_and(|(_, extension)| extension.len() > 1)
}

/// Whether fixed text is an SQL statement.
fn looks_like_sql(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let has = |word: &str| words.contains(&word);
    (has("select") && has("from"))
        || (has("insert") && has("into"))
        || (has("update") && has("set"))
        || (has("delete") && has("from"))
        || (has("alter") && has("table"))
}

/// Whether what a call gets is markup: of a call that sends anything, text with a tag in it.
fn is_markup(site: &Site<'_>, statement: &Statement<'_>) -> bool {
    let sends =
        site.api.rsplit('.').next().is_some_and(|last| matches!(last, "send" | "end" | "write" | "Response" | "body"));
    let has_tag = || {
        let mut after = statement.text.split('<').skip(1);
        after.any(|rest| rest.starts_with(|letter: char| letter.is_ascii_alphabetic() || matches!(letter, '!' | '/')))
    };
    !sends || has_tag()
}

/// An object in the place of an address, whichever of several.
fn is_location_object(expr: &Expr) -> bool {
    match expr.peeled() {
        Expr::Object(_) => true,
        Expr::Either(arms) => arms.iter().all(is_location_object),
        _ => false,
    }
}
