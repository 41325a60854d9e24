//! Excerpts: the lines of the evidence with a few around them, secrets masked.

use serde::Serialize;

use crate::audit::draft::PlanDraft;
use crate::finding::Finding;
use crate::plan::markdown::{code_span, fence_for};
use crate::plan::parse::edits::quoted;
use crate::tree::Tree;

/// Lines before and after what is quoted: enough to recognise the place.
const CONTEXT: u32 = 3;
/// Lines of one excerpt; more are cut in the middle.
const MAX_LINES: usize = 60;
/// Excerpts of one plan; further places are only named.
const MAX_EXCERPTS: usize = 12;

/// An excerpt as the template sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ExcerptView {
    place: String,
    role: String,
    fence: String,
}

struct Range {
    file: String,
    start: u32,
    end: u32,
    roles: Vec<String>,
}

/// The excerpts of a plan: evidence first, then what the recipe adds; overlapping ones are one.
pub(super) fn excerpts(finding: &Finding, draft: &PlanDraft, tree: &dyn Tree) -> Vec<ExcerptView> {
    let mut ranges: Vec<Range> = Vec::new();
    let evidence = finding.evidence.iter().map(|place| (&place.file, place.start_line, place.end_line, &place.role));
    let added = draft.excerpts.iter().map(|place| (&place.file, place.start_line, place.end_line, &place.role));
    for (file, start, end, role) in evidence.chain(added) {
        let (start, end) = (start.saturating_sub(CONTEXT).max(1), end.saturating_add(CONTEXT));
        let near =
            ranges.iter_mut().find(|range| range.file == *file && range.start <= end + 1 && start <= range.end + 1);
        match near {
            Some(range) => {
                range.start = range.start.min(start);
                range.end = range.end.max(end);
                if !range.roles.contains(role) {
                    range.roles.push(role.clone());
                }
            }
            None => ranges.push(Range { file: file.clone(), start, end, roles: vec![role.clone()] }),
        }
    }
    ranges.iter().take(MAX_EXCERPTS).filter_map(|range| view(range, tree)).collect()
}

fn view(range: &Range, tree: &dyn Tree) -> Option<ExcerptView> {
    let text = tree.text(&range.file)?.replace('\r', "");
    let all: Vec<&str> = text.lines().collect();
    let mut start = (range.start as usize - 1).min(all.len());
    let mut end = (range.end as usize).min(all.len());
    while start < end && all[start].trim().is_empty() {
        start += 1;
    }
    while end > start && all[end - 1].trim().is_empty() {
        end -= 1;
    }
    if start == end {
        return None;
    }
    let lines = &all[start..end];
    let cut = lines.len() > MAX_LINES;
    let shown: Vec<&str> = if cut {
        let half = MAX_LINES / 2;
        lines[..half].iter().copied().chain(["…"]).chain(lines[lines.len() - half..].iter().copied()).collect()
    } else {
        lines.to_vec()
    };
    let body = crate::secrets::mask(&shown.join("\n"));
    let fence = fence_for(&body);
    let extension = range.file.rsplit_once('.').map_or("", |(_, extension)| extension);
    let language = if extension.chars().all(|c| c.is_ascii_alphanumeric()) { extension } else { "" };
    let file = &range.file;
    Some(ExcerptView {
        place: if start + 1 == end {
            format!("{} (line {end})", code_span(file))
        } else {
            format!("{} (lines {}-{end})", code_span(file), start + 1)
        },
        role: if range.roles.iter().all(String::is_empty) { "evidence".to_owned() } else { range.roles.join(", ") },
        fence: format!("{fence}{language} file={} lines={}-{end}\n{body}\n{fence}", quoted(file), start + 1),
    })
}
