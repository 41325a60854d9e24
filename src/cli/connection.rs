//! The forge of a repository, as commands that publish something meet it.

use std::path::Path;
use std::time::Duration;

use improve::cancel::Cancel;
use improve::finding::Category;
use improve::forge::push::Remote;
use improve::forge::remote::shown;
use improve::forge::token::token;
use improve::forge::{Forge, ForgeError, RemoteName};
use improve::http::{Hidden, Http, Timeouts};
use improve::plan::Plan;

use super::Context;
use super::failure::Failure;
use super::models::variable;

/// How long a forge may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A repository at its forge, and what may be published there.
pub struct Connection {
    http: Http,
    name: RemoteName,
    token: Hidden,
    cancel: Cancel,
    /// The branch that others are merged into.
    pub default_branch: String,
    is_public: bool,
    /// Plans about security may be published.
    allow_security: bool,
}

impl Connection {
    /// Finds a token and asks what the repository is.
    pub fn open(remote: &Remote, root: &Path, allow_security: bool, context: &Context) -> Result<Connection, Failure> {
        let unknown = || ForgeError::Unknown { url: shown(&remote.url) };
        let name = RemoteName::parse(&remote.url).ok_or_else(unknown)?;
        let token = token(&name, &variable, root, &context.cancel)?;
        let timeouts = Timeouts { first_byte: PATIENCE, total: PATIENCE, ..Timeouts::default() };
        let http = Http::new(timeouts).map_err(ForgeError::from)?;
        let cancel = context.cancel.clone();
        let connection =
            Connection { http, name, token, cancel, default_branch: String::new(), is_public: true, allow_security };
        let facts = connection.forge().facts()?;
        Ok(Connection { default_branch: facts.default_branch, is_public: !facts.private, ..connection })
    }

    /// The forge.
    pub fn forge(&self) -> Forge<'_> {
        Forge {
            transport: &self.http,
            // Set by GitHub for its own runners, also those of an enterprise.
            api: variable("GITHUB_API_URL").unwrap_or_else(|| self.name.api()),
            name: self.name.clone(),
            token: self.token.clone(),
            cancel: self.cancel.clone(),
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
}
