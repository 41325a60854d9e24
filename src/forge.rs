//! The forge: where a repository's pull requests are. GitHub and GitHub Enterprise, by their REST API.
//!
//! What leaves the machine is a branch of ours and the text given here; secrets are masked in it. A token is taken from the
//! environment or from `gh`, sent to its own host alone and never printed.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::cancel::Cancel;
use crate::http::{Call, Hidden, Method, Transport, TransportFault};
use crate::secrets::mask;

pub mod issues;
pub mod push;
pub mod remote;
pub mod token;

pub use remote::RemoteName;

/// The version of the API whose documentation this is written by: <https://docs.github.com/en/rest/about-the-rest-api/api-versions>.
const API_VERSION: &str = "2022-11-28";

/// Something that a forge refused, or that could not be asked of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// The repository has no remote.
    #[error("the repository has no remote to open pull requests at")]
    NoRemote,
    /// The remote is not on a forge that is known here.
    #[error("{url}: not the address of a repository on GitHub")]
    Unknown {
        /// Its address, without a password.
        url: String,
    },
    /// No token is known.
    #[error("no token for {host}")]
    NoToken {
        /// The host.
        host: String,
    },
    /// The forge said no.
    #[error("{host} refused to {what}: {message} ({status})")]
    Refused {
        /// The host.
        host: String,
        /// What was asked of it.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// What it said.
        message: String,
    },
    /// Nothing that could be understood came back.
    #[error("{host}: {message}")]
    Unreadable {
        /// The host.
        host: String,
        /// What is wrong with the answer.
        message: String,
    },
    /// The forge could not be reached.
    #[error(transparent)]
    Transport(#[from] TransportFault),
    /// git did not push the branch.
    #[error("git could not push {branch} to {remote}: {said}")]
    Push {
        /// The branch.
        branch: String,
        /// The remote.
        remote: String,
        /// What git said.
        said: String,
    },
    /// What the branch starts from is not at the forge.
    #[error("the work starts from commit {commit}, which is on no branch of {remote}")]
    BaseNotPushed {
        /// The commit.
        commit: String,
        /// The remote.
        remote: String,
    },
    /// A pull request or an issue about a weakness would tell everybody of it.
    #[error("{repository} is public, and the plan is about security: it would publish the weakness with its mend")]
    PublicSecurity {
        /// `owner/name`.
        repository: String,
    },
}

impl ForgeError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            ForgeError::NoRemote => "add one: git remote add origin URL".to_owned(),
            ForgeError::Unknown { .. } => "push the branch, and open the pull request by hand".to_owned(),
            ForgeError::NoToken { host } if host == remote::GITHUB => {
                "run `gh auth login`, or set GH_TOKEN to a token that may write pull requests".to_owned()
            }
            ForgeError::NoToken { host } => {
                format!("run `gh auth login --hostname {host}`, or set GH_ENTERPRISE_TOKEN")
            }
            ForgeError::Refused { status: 401, .. } => "the token is wrong or has expired: set a new one".to_owned(),
            ForgeError::Refused { status: 403 | 404, .. } => {
                "the token must be allowed to write contents, pull requests and issues of this repository".to_owned()
            }
            ForgeError::Push { .. } => "push it by hand, then run the same command again".to_owned(),
            ForgeError::BaseNotPushed { .. } => "push your branch first, then run the same command again".to_owned(),
            ForgeError::PublicSecurity { .. } => {
                "mend it in a private fork of a security advisory, or add --allow-public-security".to_owned()
            }
            ForgeError::Refused { .. } | ForgeError::Unreadable { .. } | ForgeError::Transport(_) => return None,
        })
    }
}

/// A repository at its forge.
pub struct Forge<'a> {
    /// Sends requests.
    pub transport: &'a dyn Transport,
    /// Where its API is, without a slash at the end.
    pub api: String,
    /// Its name there.
    pub name: RemoteName,
    /// Who asks.
    pub token: Hidden,
    /// Raised by ctrl-C.
    pub cancel: Cancel,
}

/// What a forge says of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RepositoryFacts {
    /// The branch that others are merged into.
    pub default_branch: String,
    /// Only those who are invited see it.
    #[serde(default)]
    pub private: bool,
}

/// A pull request that is there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its page.
    #[serde(rename = "html_url")]
    pub url: String,
}

/// A pull request to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPullRequest<'a> {
    /// The branch with the work.
    pub head: &'a str,
    /// The branch it is to be merged into.
    pub base: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Its text, markdown.
    pub body: &'a str,
}

impl Forge<'_> {
    /// What the forge says of the repository.
    pub fn facts(&self) -> Result<RepositoryFacts, ForgeError> {
        self.ask("read the repository", Method::Get, "", None)
    }

    /// The open pull request of a branch.
    pub fn pull_request_of(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        let head = format!("{}:{branch}", self.name.owner);
        let query = format!("/pulls?state=open&head={}", encoded(&head));
        let found: Vec<PullRequest> = self.ask("list pull requests", Method::Get, &query, None)?;
        Ok(found.into_iter().next())
    }

    /// Opens a pull request; one that is open for the branch already is left as it is. Whether it is new comes with it.
    pub fn open(&self, new: &NewPullRequest<'_>) -> Result<(PullRequest, bool), ForgeError> {
        if let Some(there) = self.pull_request_of(new.head)? {
            return Ok((there, false));
        }
        let body = json!({ "title": mask(new.title), "body": mask(new.body), "head": new.head, "base": new.base });
        Ok((self.ask("open a pull request", Method::Post, "/pulls", Some(&body))?, true))
    }

    fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        what: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, ForgeError> {
        let RemoteName { host, owner, name } = &self.name;
        let url = format!("{}/repos/{}/{}{path}", self.api, encoded(owner), encoded(name));
        let headers = [
            ("accept", "application/vnd.github+json".to_owned()),
            ("x-github-api-version", API_VERSION.to_owned()),
            ("authorization", format!("Bearer {}", self.token.0)),
        ];
        let headers: Vec<(String, Hidden)> =
            headers.into_iter().map(|(name, value)| (name.to_owned(), Hidden(value))).collect();
        let body = body.map(|body| serde_json::to_vec(body).expect("plain values are JSON"));
        let call = Call { method, url: &url, headers: &headers, body: body.as_deref() };
        let answer = self.transport.send(&call, &mut |_, _| {}, &self.cancel)?;
        if !(200..300).contains(&answer.status) {
            let message = message_of(&answer.body);
            return Err(ForgeError::Refused { host: host.clone(), what, status: answer.status, message });
        }
        serde_json::from_slice(&answer.body)
            .map_err(|error| ForgeError::Unreadable { host: host.clone(), message: error.to_string() })
    }
}

/// What an error of the API says: its message and, where there are any, those of its parts.
fn message_of(body: &[u8]) -> String {
    let said: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let message = said["message"].as_str().unwrap_or("no reason given").to_owned();
    let parts = said["errors"].as_array().into_iter().flatten().filter_map(|error| error["message"].as_str());
    std::iter::once(message.as_str()).chain(parts).collect::<Vec<_>>().join(": ")
}

/// A part of an address: everything but what RFC 3986 calls unreserved is escaped.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::http::{Answer, Listener};

    /// Answers in order, and remembers what it was asked.
    struct Scripted {
        answers: Mutex<Vec<(u16, Value)>>,
        asked: Mutex<Vec<(Method, String, String)>>,
    }

    impl Transport for Scripted {
        fn send(&self, call: &Call<'_>, _: &mut Listener<'_>, _: &Cancel) -> Result<Answer, TransportFault> {
            let body = String::from_utf8_lossy(call.body.unwrap_or_default()).into_owned();
            self.asked.lock().unwrap().push((call.method, call.url.to_owned(), body));
            let (status, body) = self.answers.lock().unwrap().remove(0);
            Ok(Answer { status, body: body.to_string().into_bytes(), ..Answer::default() })
        }
    }

    fn scripted(answers: &[(u16, Value)]) -> Scripted {
        Scripted { answers: Mutex::new(answers.to_vec()), asked: Mutex::default() }
    }

    fn forge(transport: &Scripted) -> Forge<'_> {
        let name = RemoteName { host: "github.com".into(), owner: "me".into(), name: "shop".into() };
        let (token, cancel) = (Hidden("hush".into()), Cancel::default());
        Forge { transport, api: "https://api.github.com".into(), name, token, cancel }
    }

    const NEW: NewPullRequest<'static> =
        NewPullRequest { head: "improve/001-a", base: "main", title: "Mend it", body: "Because." };

    #[test]
    fn a_pull_request_is_opened_once() {
        let there = json!({ "number": 7, "html_url": "https://github.com/me/shop/pull/7" });
        let transport = scripted(&[(200, json!([])), (201, there.clone()), (200, json!([there]))]);
        let forge = forge(&transport);
        let (new, is_new) = forge.open(&NEW).unwrap();
        assert_eq!((new.number, is_new), (7, true));
        assert_eq!(forge.open(&NEW).unwrap(), (new, false));
        let asked = transport.asked.lock().unwrap();
        assert_eq!(asked[0].1, "https://api.github.com/repos/me/shop/pulls?state=open&head=me%3Aimprove%2F001-a");
        assert_eq!(asked.iter().filter(|(method, ..)| *method == Method::Post).count(), 1);
        let sent: Value = serde_json::from_str(&asked[1].2).unwrap();
        assert_eq!(sent, json!({"title": "Mend it", "body": "Because.", "head": "improve/001-a", "base": "main"}));
    }

    #[test]
    fn a_refusal_says_what_the_forge_said() {
        let said = json!({"message": "Validation Failed", "errors": [{"message": "No commits between main and x"}]});
        let transport = scripted(&[(200, json!([])), (422, said)]);
        let error = forge(&transport).open(&NEW).unwrap_err();
        let expected =
            "github.com refused to open a pull request: Validation Failed: No commits between main and x (422)";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_answer_that_is_none_is_told_from_a_refusal() {
        let transport = scripted(&[(200, json!({"no": "list"}))]);
        assert!(matches!(forge(&transport).pull_request_of("a"), Err(ForgeError::Unreadable { .. })));
    }
}
