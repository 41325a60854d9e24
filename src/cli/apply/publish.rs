//! `--pr`: the branch of each verified plan is pushed, and a pull request opened for it.

use std::time::Duration;

use improve::finding::Category;
use improve::forge::push::{push, remote, target};
use improve::forge::remote::shown;
use improve::forge::token::token;
use improve::forge::{Forge, ForgeError, NewPullRequest, RemoteName};
use improve::http::{Http, Timeouts};
use improve::plan::Plan;
use improve::receipt::{Outcome, Receipt};
use improve::report::pull_request::{body, title};
use improve::worktree::Place;

use super::super::Context;
use super::super::failure::Failure;
use super::super::models::variable;

/// How long a forge may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Opens pull requests for plans that are verified.
pub struct Publisher<'a> {
    place: &'a Place,
    context: &'a Context,
    http: Http,
    remote: improve::forge::push::Remote,
    name: RemoteName,
    default_branch: String,
    is_public: bool,
    /// Plans about security may be published.
    allow_security: bool,
    token: improve::http::Hidden,
}

impl<'a> Publisher<'a> {
    /// Everything a pull request needs, asked before any work is begun: a token that is missing is better known first.
    pub fn new(place: &'a Place, allow_security: bool, context: &'a Context) -> Result<Publisher<'a>, Failure> {
        let remote = remote(place)?;
        let unknown = || ForgeError::Unknown { url: shown(&remote.url) };
        let name = RemoteName::parse(&remote.url).ok_or_else(unknown)?;
        let token = token(&name, &variable, place.root(), &context.cancel)?;
        let timeouts = Timeouts { first_byte: PATIENCE, total: PATIENCE, ..Timeouts::default() };
        let http = Http::new(timeouts).map_err(ForgeError::from)?;
        let mut publisher = Publisher {
            place,
            context,
            http,
            remote,
            name,
            default_branch: String::new(),
            is_public: true,
            allow_security,
            token,
        };
        let facts = publisher.forge().facts()?;
        publisher.default_branch = facts.default_branch;
        publisher.is_public = !facts.private;
        Ok(publisher)
    }

    fn forge(&self) -> Forge<'_> {
        Forge {
            transport: &self.http,
            // Set by GitHub for its own runners, also those of an enterprise.
            api: variable("GITHUB_API_URL").unwrap_or_else(|| self.name.api()),
            name: self.name.clone(),
            token: self.token.clone(),
            cancel: self.context.cancel.clone(),
        }
    }

    /// Whether a plan may be published at all.
    pub fn check(&self, plan: &Plan) -> Result<(), ForgeError> {
        let is_security = plan.status.category == Some(Category::Security);
        if is_security && self.is_public && !self.allow_security {
            let repository = format!("{}/{}", self.name.owner, self.name.name);
            return Err(ForgeError::PublicSecurity { repository });
        }
        Ok(())
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
            None => target(self.place, &self.remote, &self.default_branch, &receipt.base)?,
        };
        push(self.place, &self.remote, branch, &self.context.cancel)?;
        let (title, body) = (title(plan), body(plan, receipt));
        let new = NewPullRequest { head: branch, base: &base, title: &title, body: &body };
        let (opened, is_new) = self.forge().open(&new)?;
        let word = if is_new { "opened" } else { "is open already, and has the new commits" };
        self.context.console.note(&format!("{}: pull request {word}: {}", receipt.plan.path, opened.url));
        Ok(Some(opened.url))
    }
}
