//! Intent documents in part: how a project says what it wants, and what it decided.

use serde::Serialize;

use super::{cut, fence};
use crate::audit::decisions::is_withdrawn;
use crate::plan::markdown::code_span;
use crate::repo_map::RepoMap;
use crate::repo_map::recon::{Document, DocumentKind};
use crate::report::map_outline::weight;
use crate::report::sanitize;
use crate::secrets::of_files;
use crate::tree::Tree;

/// Share of the room, in hundredths, that decision records get when there are any.
const DECISIONS: usize = 40;
/// Below this much room, in characters, a quote would say nothing.
const LEAST: usize = 120;
/// Documents named that are not quoted.
const MAX_LEFT_OUT: usize = 30;
/// Paragraphs quoted of each telling section of a decision record.
const PARAGRAPHS_OF_SECTION: usize = 2;

/// A document, quoted.
#[derive(Serialize)]
pub(super) struct Quote {
    place: String,
    kind: String,
    fence: String,
}

/// Quotes that weigh at most `room`, and the documents that are only named, a line each.
pub(super) fn quotes(map: &RepoMap, tree: &dyn Tree, room: usize) -> (Vec<Quote>, String) {
    let mut documents: Vec<&Document> = map.recon.documents.iter().filter(|one| most(one.kind) > 0).collect();
    documents.sort_by_key(|one| (order(one.kind), one.path.matches('/').count(), is_translation(&one.path), &one.path));
    let (records, others): (Vec<&Document>, Vec<&Document>) =
        documents.into_iter().partition(|one| one.kind == DocumentKind::Decision);
    let for_records = if records.is_empty() { 0 } else { room / 100 * DECISIONS };
    let mut left = room.saturating_sub(for_records);
    let mut quotes = Vec::new();
    let mut left_out = Vec::new();
    for list in [others, records] {
        for document in list {
            match quote(document, tree, left) {
                Some((quote, weight)) => {
                    left = left.saturating_sub(weight);
                    quotes.push(quote);
                }
                None => left_out.push(document),
            }
        }
        left += for_records;
    }
    left_out.extend(map.recon.documents.iter().filter(|one| most(one.kind) == 0));
    let mut named: Vec<String> = left_out.iter().take(MAX_LEFT_OUT).map(|one| named(one)).collect();
    if left_out.len() > MAX_LEFT_OUT {
        named.push(format!("and {} more", left_out.len() - MAX_LEFT_OUT));
    }
    (quotes, named.join("\n"))
}

fn named(document: &Document) -> String {
    let title = document.title.as_deref().map_or(String::new(), |title| format!(": {title}"));
    sanitize::line(&format!("{}{title}", document.path)).into_owned()
}

fn quote(document: &Document, tree: &dyn Tree, room: usize) -> Option<(Quote, usize)> {
    let place = code_span(&sanitize::line(&document.path));
    let kind = kind(document.kind).to_owned();
    let around = weight(&place) + weight(&kind) + 40;
    let room = room.checked_sub(around)?.min(most(document.kind));
    if room < LEAST {
        return None;
    }
    let text = of_files::read(tree, &document.path).ok()?;
    let paragraphs = paragraphs(&text);
    let chosen = match document.kind {
        DocumentKind::Decision => decided(&text, &paragraphs),
        _ => paragraphs,
    };
    let body = first(&chosen, room);
    if body.is_empty() {
        return None;
    }
    let fence = fence(&body);
    let weight = around + weight(&fence);
    Some((Quote { place, kind, fence }, weight))
}

/// Characters quoted of one document of the kind; 0 is not at all.
fn most(kind: DocumentKind) -> usize {
    match kind {
        DocumentKind::Agents => 4_000,
        DocumentKind::Readme => 1_500,
        DocumentKind::Contributing => 2_000,
        DocumentKind::Design => 3_000,
        DocumentKind::Decision => 1_200,
        DocumentKind::Changelog | DocumentKind::Docs => 0,
    }
}

fn order(kind: DocumentKind) -> u8 {
    match kind {
        DocumentKind::Agents => 0,
        DocumentKind::Readme => 1,
        DocumentKind::Contributing => 2,
        DocumentKind::Design => 3,
        DocumentKind::Decision => 4,
        DocumentKind::Docs => 5,
        DocumentKind::Changelog => 6,
    }
}

fn kind(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Agents => "rules for agents",
        DocumentKind::Decision => "a decision on record",
        DocumentKind::Design => "design",
        DocumentKind::Readme | DocumentKind::Contributing | DocumentKind::Docs | DocumentKind::Changelog => "",
    }
}

/// `README.zh-Hans.md`.
fn is_translation(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.starts_with("readme") && name.split(['.', '_', '-']).count() > 2
}

/// Paragraphs and headings in order, without front matter, comments, badges and bare HTML.
fn paragraphs(text: &str) -> Vec<String> {
    let text = text.replace('\r', "");
    let text = match text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")) {
        Some((_, body)) => body,
        None => &text,
    };
    let mut paragraphs: Vec<String> = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let mut in_comment = false;
    for line in text.lines().chain([""]) {
        let trimmed = line.trim();
        if in_comment || trimmed.starts_with("<!--") {
            in_comment = !trimmed.contains("-->");
            continue;
        }
        let is_heading = trimmed.starts_with('#');
        if (trimmed.is_empty() || is_heading) && !open.is_empty() {
            if !open.iter().all(|line| is_noise(line)) {
                paragraphs.push(open.join("\n"));
            }
            open.clear();
        }
        if is_heading {
            paragraphs.push(line.to_owned());
        } else if !trimmed.is_empty() {
            open.push(line);
        }
    }
    paragraphs
}

/// A badge, an image or a tag.
fn is_noise(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("[![") || line.starts_with("![") || (line.starts_with('<') && line.ends_with('>'))
}

/// Of a decision record: its title, its status, and what was decided and accepted with it. Of one that no longer holds, that.
fn decided(text: &str, paragraphs: &[String]) -> Vec<String> {
    let title = paragraphs.first().filter(|first| first.starts_with('#')).cloned();
    if is_withdrawn(text) {
        let said = "(superseded, deprecated or rejected: it no longer holds)".to_owned();
        return title.into_iter().chain([said]).collect();
    }
    let telling = ["status", "decision", "outcome", "consequence", "trade", "rationale"];
    let mut chosen: Vec<String> = Vec::new();
    let mut left = 0;
    for paragraph in paragraphs {
        let lower = paragraph.to_lowercase();
        if paragraph.starts_with('#') {
            left = 0;
            let is_title = chosen.is_empty() && Some(paragraph) == title.as_ref();
            if is_title || telling.iter().any(|word| lower.contains(word)) {
                left = if is_title { 0 } else { PARAGRAPHS_OF_SECTION };
                chosen.push(paragraph.clone());
            }
        } else if left > 0 {
            left -= 1;
            chosen.push(paragraph.clone());
        } else if lower.starts_with("status:") || lower.starts_with("decision:") {
            chosen.push(paragraph.clone());
        }
    }
    // A record in a form of its own.
    if chosen.len() < 3 { paragraphs.to_vec() } else { chosen }
}

/// The first paragraphs that weigh at most `room`; the first one cut where it alone is too long.
fn first(paragraphs: &[String], room: usize) -> String {
    let mut body = String::new();
    let mut left = room;
    for paragraph in paragraphs {
        match left.checked_sub(weight(paragraph) + 2) {
            Some(rest) => {
                if !body.is_empty() {
                    body.push_str("\n\n");
                }
                body.push_str(paragraph);
                left = rest;
            }
            // A list without blank lines is one paragraph, and its first items are worth having.
            None if left >= LEAST => {
                let part = cut(paragraph, left.saturating_sub(2));
                if !part.is_empty() {
                    if !body.is_empty() {
                        body.push_str("\n\n");
                    }
                    body.push_str(&part);
                }
                break;
            }
            None => break,
        }
    }
    // A heading at the end announces nothing.
    while let Some((before, last)) = body.rsplit_once('\n') {
        if !(last.starts_with('#') || last.is_empty()) {
            break;
        }
        body = before.to_owned();
    }
    body
}
