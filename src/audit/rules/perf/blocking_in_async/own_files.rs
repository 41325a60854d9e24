//! Files that ship with the program: a template or a page beside the code, always the same and as small as somebody wrote it.

use crate::audit::place;
use crate::repo_map::expr::{Expr, TemplatePart, holes};
use crate::repo_map::facts::{CallIndex, CallSite, FileFacts, SymbolIndex};
use crate::repo_map::{CallId, RepoMap};

/// Names followed from one to the next.
const MAX_DEPTH: usize = 6;

/// Folders of texts that somebody wrote, so that a file chosen among them is as small as the others.
const TEXTS: &[&str] =
    &["templates", "template", "emails", "email", "mails", "views", "locales", "translations", "i18n", "partials"];

/// `readFileSync(path.join(__dirname, "templates", "welcome.html"))`: a path from where the code lies, and nothing a request chose.
pub fn reads_own_file(map: &RepoMap, call: CallId) -> bool {
    let facts = &map.file(call.file).facts;
    let site = map.call(call);
    if !matches!(site.name.as_str(), "readFileSync" | "readdirSync") {
        return false;
    }
    let Some(path) = site.arguments.first() else { return false };
    let mut parts = Parts { anchored: false, literals: Vec::new(), chosen: 0, unknown: false };
    parts.add(facts, site.caller, path, 0);
    let among_texts = || {
        parts.literals.iter().flat_map(|text| text.split('/')).any(|part| TEXTS.contains(&part))
            && (parts.anchored || parts.literals.first().is_some_and(|text| is_relative(text)))
    };
    let is_fixed = || {
        let of_the_repository = parts.literals.first().is_some_and(|text| parts.anchored || is_relative(text));
        of_the_repository
            && parts.literals.iter().any(|text| text.contains('.') && !text.trim_matches(['.', '/']).is_empty())
    };
    let is_own = if parts.chosen == 0 { is_fixed() } else { among_texts() || is_settings(&parts) };
    !parts.unknown && is_own && !is_written(facts, site)
}

/// `path.join(CONFIG_FOLDER, "docker.yaml")`: settings that somebody wrote by hand.
fn is_settings(parts: &Parts) -> bool {
    const FORMS: &[&str] = &[".yaml", ".yml", ".toml", ".ini", ".conf", ".env"];
    parts.chosen == 1 && parts.literals.last().is_some_and(|text| FORMS.iter().any(|form| text.ends_with(form)))
}

fn is_relative(text: &str) -> bool {
    !text.starts_with('/') && !text.contains(':')
}

/// Another call of the file writes: the text may be data that grows.
fn is_written(facts: &FileFacts, site: &CallSite) -> bool {
    let writes = ["writeFileSync", "writeFile", "appendFileSync", "appendFile"];
    facts
        .calls
        .iter()
        .any(|other| writes.contains(&other.name.as_str()) && other.arguments.first() == site.arguments.first())
}

/// What a path is put together from.
struct Parts {
    /// It starts where the code or the program lies.
    anchored: bool,
    literals: Vec<String>,
    /// Names that something else decides.
    chosen: usize,
    unknown: bool,
}

impl Parts {
    fn add(&mut self, facts: &FileFacts, owner: Option<SymbolIndex>, expr: &Expr, depth: usize) {
        if depth > MAX_DEPTH {
            self.unknown = true;
            return;
        }
        match expr.peeled() {
            Expr::Text(text) => self.literals.push(text.to_string()),
            Expr::Name(name) if matches!(name.as_str(), "__dirname" | "__filename") => self.anchored = true,
            Expr::Name(name) if name == "import.meta" => self.anchored = true,
            Expr::Member(object, _) if matches!(object.peeled(), Expr::Name(name) if name == "import.meta") => {
                self.anchored = true;
            }
            Expr::Name(name) => match place::initialiser(facts, owner, name) {
                Some(value) => self.add(facts, owner, value, depth + 1),
                None => self.chosen += 1,
            },
            Expr::Template(parts) => {
                for part in parts {
                    if let TemplatePart::Text(text) = part {
                        self.literals.push(text.to_string());
                    }
                }
                holes(parts).for_each(|hole| self.add(facts, owner, hole, depth + 1));
            }
            Expr::Binary(operator, left, right) if operator == "+" => {
                self.add(facts, owner, left, depth + 1);
                self.add(facts, owner, right, depth + 1);
            }
            Expr::Call(call) => self.add_call(facts, owner, *call, depth),
            Expr::Member(..) => self.chosen += 1,
            _ => self.unknown = true,
        }
    }

    fn add_call(&mut self, facts: &FileFacts, owner: Option<SymbolIndex>, call: CallIndex, depth: usize) {
        let site = facts.call(call);
        match site.name.as_str() {
            "cwd" => self.anchored = true,
            "join" | "resolve" | "dirname" | "normalize" | "fileURLToPath" | "URL" => {
                for argument in &site.arguments {
                    self.add(facts, owner, argument, depth + 1);
                }
            }
            _ => self.unknown = true,
        }
    }
}
