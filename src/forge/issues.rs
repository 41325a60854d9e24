//! Issues: a plan where people discuss what is to be done. One that is there for a plan is found again by a mark nobody sees.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Forge, ForgeError};
use crate::http::Method;
use crate::secrets::mask;

/// Issues and labels of one answer, at most: <https://docs.github.com/en/rest/issues/issues#list-repository-issues>.
const PAGE: usize = 100;

/// An issue that is there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Its page.
    #[serde(rename = "html_url")]
    pub url: String,
    /// Its text.
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    state: String,
    /// Set where it is a pull request: the API lists both.
    #[serde(default)]
    pull_request: Option<Value>,
}

/// An issue that speaks of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIssue {
    /// What tells it from all others; it stands in the text.
    pub marker: String,
    /// Its title.
    pub title: String,
    /// Its text, markdown.
    pub body: String,
    /// Labels it would have; those that do not exist are left out.
    pub labels: Vec<&'static str>,
}

/// What became of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is new.
    Opened,
    /// It was there and says now what the plan says.
    Updated,
    /// It was there, and open or closed says what it should.
    There,
}

/// The issues of a repository that speak of plans, and the labels it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    issues: Vec<Issue>,
    labels: Vec<String>,
}

impl Forge<'_> {
    /// Reads every issue and label. All of them: a search does not find what is new, nor what is in comments of HTML.
    pub fn board(&self) -> Result<Board, ForgeError> {
        let issues: Vec<Issue> = self.pages("list issues", "/issues?state=all&sort=created&direction=desc")?;
        let issues = issues.into_iter().filter(|issue| issue.pull_request.is_none()).collect();
        let labels: Vec<Label> = self.pages("list labels", "/labels?")?;
        Ok(Board { issues, labels: labels.into_iter().map(|label| label.name).collect() })
    }

    /// Opens the issue, or has the one that is there say the same. One that was closed stays as it is.
    pub fn publish(&self, new: &NewIssue, board: &mut Board) -> Result<(Issue, Published), ForgeError> {
        let body = mask(&new.body);
        if let Some(there) = board.issues.iter_mut().find(|issue| issue.speaks_of(&new.marker)) {
            if there.state == "closed" || there.says(&body) {
                return Ok((there.clone(), Published::There));
            }
            let path = format!("/issues/{}", there.number);
            *there = self.ask("change an issue", Method::Patch, &path, Some(&json!({ "body": body })))?;
            return Ok((there.clone(), Published::Updated));
        }
        let known = |label: &&&str| board.labels.iter().any(|there| there.eq_ignore_ascii_case(label));
        let labels: Vec<&&str> = new.labels.iter().filter(known).collect();
        let issue = json!({ "title": mask(&new.title), "body": body, "labels": labels });
        let opened: Issue = self.ask("open an issue", Method::Post, "/issues", Some(&issue))?;
        board.issues.push(opened.clone());
        Ok((opened, Published::Opened))
    }

    fn pages<T: for<'de> Deserialize<'de>>(&self, what: &'static str, query: &str) -> Result<Vec<T>, ForgeError> {
        let mut all = Vec::new();
        for page in 1.. {
            let query = format!("{query}{}per_page={PAGE}&page={page}", if query.ends_with('?') { "" } else { "&" });
            let next: Vec<T> = self.ask(what, Method::Get, &query, None)?;
            let is_last = next.len() < PAGE;
            all.extend(next);
            if is_last {
                break;
            }
        }
        Ok(all)
    }
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

impl Issue {
    fn speaks_of(&self, marker: &str) -> bool {
        self.body.as_deref().is_some_and(|body| body.contains(marker))
    }

    /// GitHub keeps line ends as they come, and its editor writes others.
    fn says(&self, body: &str) -> bool {
        let plain = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
        self.body.as_deref().is_some_and(|there| plain(there) == plain(body))
    }
}
