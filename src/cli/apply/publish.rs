//! `--pr`: the branch of each verified plan is pushed, and a pull request opened for it.

use improve::forge::push::{Remote, push, remote, target};
use improve::forge::{ForgeError, NewPullRequest};
use improve::plan::Plan;
use improve::receipt::{Outcome, Receipt};
use improve::report::pull_request::{body, title};
use improve::worktree::Place;

use super::super::Context;
use super::super::connection::Connection;
use super::super::failure::Failure;

/// Opens pull requests for plans that are verified.
pub struct Publisher<'a> {
    place: &'a Place,
    context: &'a Context,
    remote: Remote,
    at: Connection,
}

impl<'a> Publisher<'a> {
    /// Everything a pull request needs, asked before any work is begun: a token that is missing is better known first.
    pub fn new(place: &'a Place, allow_security: bool, context: &'a Context) -> Result<Publisher<'a>, Failure> {
        let remote = remote(place)?;
        let at = Connection::open(&remote, place.root(), allow_security, context)?;
        Ok(Publisher { place, context, remote, at })
    }

    /// Whether a plan may be published at all.
    pub fn check(&self, plan: &Plan) -> Result<(), ForgeError> {
        self.at.check(plan)
    }

    /// Pushes the branch of a verified plan and opens its pull request, or finds the one that is open. `built_on` is the branch it
    /// starts from, where that is another plan's and not merged.
    pub fn publish(
        &self,
        plan: &Plan,
        receipt: &Receipt,
        built_on: Option<&str>,
    ) -> Result<Option<String>, ForgeError> {
        let Some(branch) = receipt.branch.as_deref().filter(|_| receipt.outcome == Outcome::Verified) else {
            return Ok(None);
        };
        self.check(plan)?;
        let base = match built_on {
            Some(other) => {
                push(self.place, &self.remote, other, &self.context.cancel)?;
                other.to_owned()
            }
            None => target(self.place, &self.remote, &self.at.default_branch, &receipt.base)?,
        };
        push(self.place, &self.remote, branch, &self.context.cancel)?;
        let (title, body) = (title(plan), body(plan, receipt));
        let new = NewPullRequest { head: branch, base: &base, title: &title, body: &body };
        let (opened, is_new) = self.at.forge().open(&new)?;
        let word = if is_new { "opened" } else { "is open already, and has the new commits" };
        self.context.console.note(&format!("{}: pull request {word}: {}", receipt.plan.path, opened.url));
        Ok(Some(opened.url))
    }
}
