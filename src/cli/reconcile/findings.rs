//! Findings now, and where plans were written.

use std::collections::BTreeMap;

use improve::finding::Finding;
use improve::reconcile::FindingNow;
use improve::survey::Survey;

use super::super::Context;
use super::super::failure::Failure;
use super::super::findings::{all_findings, all_findings_at};
use super::super::globals::Workspace;

/// Findings at HEAD and, once somebody asked, at commits where plans were written.
pub struct Findings<'a> {
    now: Vec<Finding>,
    then: BTreeMap<String, Vec<Finding>>,
    survey: &'a Survey,
    workspace: &'a Workspace,
    context: &'a Context,
}

impl<'a> Findings<'a> {
    /// What is found now. Uncommitted changes may hide a finding and not bring one about: what is found at HEAD counts too.
    pub fn new(survey: &'a Survey, workspace: &'a Workspace, context: &'a Context) -> Result<Findings<'a>, Failure> {
        let now = all_findings(None, workspace, survey)?;
        let mut findings = Findings { now, then: BTreeMap::new(), survey, workspace, context };
        if let (true, Some(head)) = (survey.dirty, &survey.map.commit) {
            let committed = findings.at(head)?.to_vec();
            findings.now.extend(committed);
        }
        Ok(findings)
    }

    fn now(&self, fingerprint: &str) -> Option<&Finding> {
        self.now.iter().find(|finding| finding.fingerprint == fingerprint)
    }

    /// The finding for which a plan was written at the commit `planned_at`, as it is now: by its fingerprint, else the only one like it.
    pub fn find(&mut self, fingerprint: &str, planned_at: Option<&str>) -> Result<Option<Finding>, Failure> {
        if let Some(finding) = self.now(fingerprint) {
            return Ok(Some(finding.clone()));
        }
        let Some(then) = self.then(fingerprint, planned_at)? else { return Ok(None) };
        let mut like = self.now.iter().filter(|finding| is_like(finding, &then));
        let first = like.next().cloned();
        Ok(first.filter(|_| like.next().is_none()))
    }

    fn then(&mut self, fingerprint: &str, planned_at: Option<&str>) -> Result<Option<Finding>, Failure> {
        let Some(planned_at) = planned_at else { return Ok(None) };
        Ok(self.at(planned_at)?.iter().find(|finding| finding.fingerprint == fingerprint).cloned())
    }

    /// What became of a finding for which a plan was written at the commit `planned_at`.
    ///
    /// A finding whose line was changed has another fingerprint: one of the same rule in the same function or file counts as the
    /// same that is still there, since nobody can tell the two apart.
    pub fn state(&mut self, fingerprint: &str, planned_at: Option<&str>) -> Result<FindingNow, Failure> {
        if self.now(fingerprint).is_some() {
            return Ok(FindingNow::There);
        }
        let (Some(then), Some(planned_at)) = (self.then(fingerprint, planned_at)?, planned_at) else {
            return Ok(FindingNow::Unknown);
        };
        let before = self.at(planned_at)?.iter().filter(|finding| is_like(finding, &then)).count();
        let now = self.now.iter().filter(|finding| is_like(finding, &then)).count();
        Ok(if now < before { FindingNow::Gone } else { FindingNow::There })
    }

    /// What was found at a commit; nothing where there is no such commit any more.
    fn at(&mut self, commit: &str) -> Result<&[Finding], Failure> {
        if !self.then.contains_key(commit) {
            let findings = self.audit(commit)?;
            self.then.insert(commit.to_owned(), findings);
        }
        Ok(&self.then[commit])
    }

    fn audit(&self, commit: &str) -> Result<Vec<Finding>, Failure> {
        let Some(git) = &self.survey.git else { return Ok(Vec::new()) };
        let Ok(id) = git.resolve(commit) else { return Ok(Vec::new()) };
        all_findings_at(&id, "planned", git, self.workspace, self.context)
    }
}

/// Whether two findings may be the same one, whose line was changed.
fn is_like(finding: &Finding, other: &Finding) -> bool {
    let same_file = finding.location().file == other.location().file;
    let same_symbol = !other.symbol.is_empty() && finding.symbol == other.symbol;
    finding.rule == other.rule && (same_file || same_symbol)
}
