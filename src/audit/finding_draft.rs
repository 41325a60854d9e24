//! `FindingDraft`: the short way for a rule to say where and what; the engine quotes, fingerprints and ranks.

use crate::audit::rule::RuleDoc;
use crate::finding::{Confidence, Effort, Evidence, Finding, Hop, Risk};
use crate::repo_map::facts::{RegionIndex, SymbolIndex};
use crate::repo_map::{CallId, FileId, RepoMap, SymbolId};

/// A finding in the making. Starts as impact 3, effort S, risk LOW, confidence MED.
#[derive(Debug, Clone)]
pub struct FindingDraft {
    finding: Finding,
}

impl FindingDraft {
    /// A finding about lines of any file of the tree, source or not.
    pub fn at_lines(
        doc: &RuleDoc,
        file: impl Into<String>,
        start_line: u32,
        end_line: u32,
        role: &str,
    ) -> FindingDraft {
        FindingDraft {
            finding: Finding {
                fingerprint: String::new(),
                rule: doc.id.to_owned(),
                category: doc.category,
                title: String::new(),
                message: String::new(),
                impact: 3,
                effort: Effort::S,
                risk: Risk::Low,
                confidence: Confidence::Med,
                leverage: 0.0,
                state: None,
                evidence: vec![Evidence::new(file, start_line, end_line, role)],
                call_path: Vec::new(),
                mechanical: false,
                symbol: String::new(),
                origin: None,
            },
        }
    }

    /// A finding about a line of a source file, inside a definition or not.
    pub fn at_line(
        doc: &RuleDoc,
        map: &RepoMap,
        file: FileId,
        line: u32,
        symbol: Option<SymbolIndex>,
        role: &str,
    ) -> FindingDraft {
        FindingDraft::at_lines(doc, &map.file(file).path, line, line, role).within(map, file, symbol)
    }

    /// A finding about a call. Its name must stand on the quoted line.
    pub fn at_call(doc: &RuleDoc, map: &RepoMap, call: CallId, role: &str) -> FindingDraft {
        let site = map.call(call);
        let mut draft = FindingDraft::at_line(doc, map, call.file, site.line, site.caller, role);
        draft.finding.evidence[0].quote.clone_from(&site.name.to_string());
        draft
    }

    /// A finding about a definition: its signature line, or all of it up to `lines` lines.
    pub fn at_symbol(doc: &RuleDoc, map: &RepoMap, id: SymbolId, lines: u32, role: &str) -> FindingDraft {
        let symbol = map.symbol(id);
        let end = symbol.lines.end.min(symbol.name_line + lines.saturating_sub(1));
        let mut draft = FindingDraft::at_lines(doc, &map.file(id.file).path, symbol.name_line, end, role);
        draft.finding.symbol.clone_from(&symbol.qualified.to_string());
        draft.finding.evidence[0].quote.clone_from(&symbol.name.to_string());
        draft
    }

    /// The definition it stands in: part of the fingerprint.
    pub fn within(mut self, map: &RepoMap, file: FileId, symbol: Option<SymbolIndex>) -> FindingDraft {
        self.finding.symbol =
            symbol.map(|index| map.symbol(SymbolId { file, index }).qualified).unwrap_or_default().to_string();
        self
    }

    /// Text the first quoted lines must contain, else the finding is dropped.
    pub fn expecting(mut self, text: &str) -> FindingDraft {
        text.clone_into(&mut self.finding.evidence[0].quote);
        self
    }

    /// What is wrong, short enough for a table: no full stop.
    pub fn title(mut self, title: impl Into<String>) -> FindingDraft {
        self.finding.title = title.into();
        self
    }

    /// What is wrong and what it costs, in one or two sentences.
    pub fn message(mut self, message: impl Into<String>) -> FindingDraft {
        self.finding.message = message.into();
        self
    }

    /// 1 polish … 5 data loss, breach or outage.
    pub fn impact(mut self, impact: u8) -> FindingDraft {
        self.finding.impact = impact.clamp(1, 5);
        self
    }

    /// What the change takes.
    pub fn effort(mut self, effort: Effort) -> FindingDraft {
        self.finding.effort = effort;
        self
    }

    /// What the change may break.
    pub fn risk(mut self, risk: Risk) -> FindingDraft {
        self.finding.risk = risk;
        self
    }

    /// How sure the rule is.
    pub fn confidence(mut self, confidence: Confidence) -> FindingDraft {
        self.finding.confidence = confidence;
        self
    }

    /// A further place: lines of any file.
    pub fn and_lines(mut self, file: impl Into<String>, start_line: u32, end_line: u32, role: &str) -> FindingDraft {
        let evidence = Evidence::new(file, start_line, end_line, role);
        let known = self.finding.evidence.iter().any(|other| {
            other.file == evidence.file
                && other.start_line == evidence.start_line
                && other.end_line == evidence.end_line
        });
        if !known {
            self.finding.evidence.push(evidence);
        }
        self
    }

    /// A further place: a call.
    pub fn and_call(self, map: &RepoMap, call: CallId, role: &str) -> FindingDraft {
        let line = map.call(call).line;
        self.and_lines(&map.file(call.file).path, line, line, role)
    }

    /// A further place: the head of a region (`for (…)`).
    pub fn and_region(self, map: &RepoMap, file: FileId, region: RegionIndex, role: &str) -> FindingDraft {
        let line = map.file(file).facts.regions[region as usize].lines.start;
        self.and_lines(&map.file(file).path, line, line, role)
    }

    /// A further place: the line of a definition's name.
    pub fn and_symbol(self, map: &RepoMap, id: SymbolId, role: &str) -> FindingDraft {
        let line = map.symbol(id).name_line;
        self.and_lines(&map.file(id.file).path, line, line, role)
    }

    /// From the place that is wrong to where it bites.
    pub fn path(mut self, hops: Vec<Hop>) -> FindingDraft {
        self.finding.call_path = hops;
        self
    }

    /// The finding, ready for the engine.
    pub fn build(self) -> Finding {
        self.finding
    }
}
