//! Filing a plan under the next number. The backlog is locked for the moment this takes, not while a model writes.

use improve::backlog::{Backlog, BacklogError};
use improve::plan::Plan;
use improve::planner::built_in::numbered;

/// What became of a plan.
pub enum Filed {
    /// It has a number and a file: the path, relative to the repository.
    Written(String),
    /// Another run filed one for the same finding meanwhile: that one's path.
    There(String),
}

/// Files `plan` under the number that is free now, whatever number it was written under.
pub fn file(backlog: &Backlog, plan: Plan) -> Result<Filed, BacklogError> {
    let lock = backlog.lock()?;
    if let Some(path) = plan.status.finding.as_deref().and_then(|finding| backlog.plan_of_finding(finding)) {
        return Ok(Filed::There(path.to_string_lossy().into_owned()));
    }
    let plan = numbered(plan, Some(backlog.next_number()?));
    let path = backlog.write_plan(&lock, &plan)?;
    Ok(Filed::Written(path.to_string_lossy().into_owned()))
}
