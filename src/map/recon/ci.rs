//! Commands of GitHub workflows: the `run:` lines, each with its place.
//!
//! Read line by line, not as YAML: what counts is the line, and a workflow that does not parse still shows its commands.

use super::{Ground, resolve};

/// A command that continuous integration runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CiCommand {
    /// The command, without variables and shell constructs: those that have any are left out.
    pub command: String,
    /// Folder it runs in, `""` for the root.
    pub folder: String,
    /// `.github/workflows/ci.yml:31`.
    pub source: String,
}

/// Commands of all workflows, by file and line.
pub(super) fn read(ground: &Ground<'_>) -> Vec<CiCommand> {
    ground
        .files
        .iter()
        .filter(|path| path.starts_with(".github/workflows/") && (path.ends_with(".yml") || path.ends_with(".yaml")))
        .filter_map(|path| Some((path, ground.tree.text(path)?)))
        .flat_map(|(path, text)| commands(path, &text))
        .collect()
}

/// Commands of one workflow.
fn commands(path: &str, text: &str) -> Vec<CiCommand> {
    let mut found = Vec::new();
    let mut defaults = Defaults::default();
    let mut step = Step::default();
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        at += 1;
        let Some((mut indent, mut rest)) = content(line) else { continue };
        if let Some(item) = rest.strip_prefix("- ") {
            step.finish(&defaults, path, &mut found);
            step = Step { indent: Some(indent), ..Step::default() };
            indent += 2 + (item.len() - item.trim_start().len());
            rest = item.trim_start();
        } else if step.indent.is_some_and(|own| indent <= own) {
            step.finish(&defaults, path, &mut found);
            step = Step::default();
        }
        let in_step = step.indent.is_some();
        if indent == 2 && !in_step && rest.ends_with(':') {
            defaults.job = None;
        }
        let Some((key, value)) = rest.split_once(':') else { continue };
        let value = value.trim();
        match key {
            "working-directory" if in_step => step.folder = Some(unquote(value).to_owned()),
            "working-directory" if indent <= 4 => defaults.file = Some(unquote(value).to_owned()),
            "working-directory" => defaults.job = Some(unquote(value).to_owned()),
            "run" if in_step => match value.chars().next() {
                Some(style @ ('|' | '>')) => {
                    let first = at;
                    while at < lines.len() && content(lines[at]).is_none_or(|(own, _)| own > indent) {
                        at += 1;
                    }
                    step.commands.extend(block(&lines[first..at], first as u32 + 1, style == '>'));
                }
                Some(_) => step.commands.push((at as u32, unquote(value).to_owned())),
                None => {}
            },
            _ => {}
        }
    }
    step.finish(&defaults, path, &mut found);
    found
}

/// Where steps run that do not say it themselves.
#[derive(Default)]
struct Defaults {
    file: Option<String>,
    job: Option<String>,
}

#[derive(Default)]
struct Step {
    indent: Option<usize>,
    folder: Option<String>,
    commands: Vec<(u32, String)>,
}

impl Step {
    fn finish(&mut self, defaults: &Defaults, path: &str, found: &mut Vec<CiCommand>) {
        let folder = self.folder.take().or_else(|| defaults.job.clone()).or_else(|| defaults.file.clone());
        let Some(folder) = resolve("", folder.as_deref().unwrap_or("")) else { return };
        for (line, script) in self.commands.drain(..) {
            found.extend(script.split("&&").map(str::trim).filter(|part| is_plain(part)).map(|part| CiCommand {
                command: part.to_owned(),
                folder: folder.clone(),
                source: format!("{path}:{line}"),
            }));
        }
    }
}

/// Indentation and text of a line that is neither blank nor a comment.
fn content(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start();
    (!text.is_empty() && !text.starts_with('#')).then(|| (line.len() - text.len(), text.trim_end()))
}

/// The commands of a block scalar with their lines, continued lines joined.
fn block(lines: &[&str], first: u32, folded: bool) -> Vec<(u32, String)> {
    let mut found: Vec<(u32, String)> = Vec::new();
    let mut open = false;
    for (line, text) in (first..).zip(lines) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            open = open && folded;
            continue;
        }
        let (text, continues) = match text.strip_suffix('\\') {
            Some(text) => (text.trim_end(), true),
            None => (text, folded),
        };
        match found.last_mut() {
            Some((_, command)) if open => {
                command.push(' ');
                command.push_str(text);
            }
            _ => found.push((line, text.to_owned())),
        }
        open = continues;
    }
    found
}

/// A command and its arguments: no variables, pipes, redirections or control flow.
fn is_plain(command: &str) -> bool {
    !command.is_empty()
        && !command.contains(['$', '|', ';', '<', '>', '`', '(', '{', '*', '&'])
        && !["if ", "for ", "while ", "case ", "fi", "done", "else", "then"]
            .iter()
            .any(|word| command.starts_with(word))
}

fn unquote(value: &str) -> &str {
    let inner = |quote| value.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_lines_are_read_with_their_place_and_folder() {
        let text = "\
on: push
jobs:
  test:
    defaults:
      run:
        working-directory: web
    steps:
      - uses: actions/checkout@v4
      - run: npm ci
      - name: Test
        run: |
          # a comment
          cargo test \\
            --workspace
          echo ${{ matrix.os }}
          npm run lint && npm test
        working-directory: ./api
  other:
    steps:
      - run: \"make check\"
";
        let found: Vec<(String, String, String)> =
            commands("ci.yml", text).into_iter().map(|c| (c.command, c.folder, c.source)).collect();
        let expected = [
            ("npm ci", "web", "ci.yml:9"),
            ("cargo test --workspace", "api", "ci.yml:13"),
            ("npm run lint", "api", "ci.yml:16"),
            ("npm test", "api", "ci.yml:16"),
            ("make check", "", "ci.yml:20"),
        ];
        assert_eq!(found, expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned())));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(?s)[- :|>a\nru\\\\'\"é]{0,80}") {
            commands("ci.yml", &text);
        }
    }
}
