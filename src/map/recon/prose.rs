//! Text of a Markdown document → the links and commands in it.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::repo_map::recon::prose::{DocumentCommand, DocumentLink};

/// What a document claims about the repository.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Prose {
    /// Links without a scheme.
    pub links: Vec<DocumentLink>,
    /// Commands to type.
    pub commands: Vec<DocumentCommand>,
}

/// Programs whose commands in running text are worth checking: they name tasks of the repository.
const TASK_PROGRAMS: [&str; 8] = ["npm", "pnpm", "yarn", "bun", "make", "just", "cargo", "turbo"];

/// Words after which a command is not to be run: "Remove `npm run release` from the workflow".
const TAKES_AWAY: [&str; 8] =
    ["remove", "delete", "drop", "instead of", "rather than", "no longer", "replace", "without"];

/// Reads a document.
pub fn read(text: &str) -> Prose {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n').map(|(_, next)| next))
        .collect();
    let line_of = |offset: usize| starts.partition_point(|&start| start <= offset) as u32;
    let mut prose = Prose::default();
    let mut fence: Option<Fence> = None;
    let mut fences = 0;
    // What stands in front of a piece of code, within its paragraph.
    let mut said = String::new();
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                push_link(&mut prose.links, &dest_url, line_of(range.start), false)
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                push_link(&mut prose.links, &dest_url, line_of(range.start), true)
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                fence = shell_form(&info).map(|prompted| Fence { number: fences, prompted, lines: Vec::new() });
                fences += 1;
            }
            Event::Text(content) => {
                if let Some(fence) = &mut fence {
                    let first = line_of(range.start);
                    fence.lines.extend((first..).zip(content.lines()).map(|(line, text)| (line, text.to_owned())));
                }
                said = content.to_lowercase();
            }
            Event::End(TagEnd::CodeBlock) => prose.commands.extend(fence.take().into_iter().flat_map(Fence::commands)),
            Event::Code(code) => {
                let program = code.split_whitespace().next().unwrap_or_default();
                let is_told_to_go = TAKES_AWAY.iter().any(|word| said.trim_end().ends_with(word));
                if TASK_PROGRAMS.contains(&program) && code.split_whitespace().count() > 1 && !is_told_to_go {
                    let text = code.split_whitespace().collect::<Vec<_>>().join(" ");
                    prose.commands.push(DocumentCommand { text, line: line_of(range.start), fence: None });
                }
            }
            Event::Start(Tag::Paragraph | Tag::Item) => said.clear(),
            _ => {}
        }
    }
    prose
}

fn push_link(links: &mut Vec<DocumentLink>, target: &str, line: u32, image: bool) {
    let has_scheme = target.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if !target.is_empty() && !has_scheme && !target.starts_with('#') && !target.starts_with("//") {
        links.push(DocumentLink { target: target.to_owned(), line, image });
    }
}

/// Whether a fence with this info string holds commands, and whether only its prompted lines are commands.
fn shell_form(info: &str) -> Option<bool> {
    let language = info.split([' ', ',', '{']).next().unwrap_or_default().to_ascii_lowercase();
    match language.as_str() {
        "sh" | "bash" | "shell" | "zsh" => Some(false),
        "console" | "shell-session" | "shellsession" | "terminal" => Some(true),
        _ => None,
    }
}

struct Fence {
    number: u32,
    /// Lines without a prompt are output.
    prompted: bool,
    lines: Vec<(u32, String)>,
}

impl Fence {
    fn commands(self) -> Vec<DocumentCommand> {
        let has_prompt = |line: &str| line.starts_with("$ ") || line.starts_with("> ") || line.starts_with("% ");
        let prompted = self.prompted || self.lines.iter().any(|(_, line)| line.trim_start().starts_with("$ "));
        let mut commands: Vec<DocumentCommand> = Vec::new();
        let mut continued = false;
        let mut here_document: Option<String> = None;
        for (line, raw) in self.lines {
            let trimmed = raw.trim();
            if let Some(end) = &here_document {
                if trimmed == end {
                    here_document = None;
                }
                continue;
            }
            let is_prompted = has_prompt(trimmed);
            let text = if is_prompted { trimmed[2..].trim_start() } else { trimmed };
            let continues = text.ends_with('\\');
            let text = text.trim_end_matches('\\').trim_end();
            if continued {
                if let Some(last) = commands.last_mut() {
                    last.text = format!("{} {text}", last.text);
                }
            } else if !text.is_empty() && !text.starts_with('#') && (is_prompted || !prompted) {
                here_document = text.split_once("<<").and_then(|(_, end)| {
                    let word = end.trim_start_matches('-').split_whitespace().next()?;
                    Some(word.trim_matches(['\'', '"']).to_owned())
                });
                commands.push(DocumentCommand { text: text.to_owned(), line, fence: Some(self.number) });
            } else {
                continue;
            }
            continued = continues;
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str, line: u32, fence: Option<u32>) -> DocumentCommand {
        DocumentCommand { text: text.to_owned(), line, fence }
    }

    #[test]
    fn fences_give_commands_without_prompt_comment_and_output() {
        let text = "# T\n\n```sh\n# build\nnpm ci \\\n  --silent\nnpm run build\n```\n\n```console\n$ make all\ndone\n```\n\n```json\n{}\n```\n";
        let expected = vec![
            command("npm ci --silent", 5, Some(0)),
            command("npm run build", 7, Some(0)),
            command("make all", 11, Some(1)),
        ];
        assert_eq!(read(text).commands, expected);
    }

    #[test]
    fn running_text_gives_commands_of_task_runners_alone() {
        let text = "Run `npm run dev`, not `npm`, in\nthe `src/app` folder, then `just  test`.\n";
        assert_eq!(read(text).commands, [command("npm run dev", 1, None), command("just test", 2, None)]);
    }

    #[test]
    fn what_is_to_be_taken_away_is_no_command() {
        let prose = read("- Remove `npm run release` from the workflow\n- Run `npm test` instead of `npm run check`");
        assert_eq!(prose.commands, [command("npm test", 2, None)]);
    }

    #[test]
    fn links_with_a_scheme_and_fragments_are_left_out() {
        let text =
            "[a](docs/a.md#x) [b](https://x.y) [c](#top) ![d](./d.png)\n\n[e][ref] <mailto:a@b.c>\n\n[ref]: ../e.md\n";
        let expected = vec![
            DocumentLink { target: "docs/a.md#x".to_owned(), line: 1, image: false },
            DocumentLink { target: "./d.png".to_owned(), line: 1, image: true },
            DocumentLink { target: "../e.md".to_owned(), line: 3, image: false },
        ];
        assert_eq!(read(text).links, expected);
    }

    #[test]
    fn here_documents_are_no_commands() {
        let text = "```bash\ncat <<'EOF' > .env\nnpm run nothing\nEOF\nnpm start\n```\n";
        assert_eq!(read(text).commands, [command("cat <<'EOF' > .env", 2, Some(0)), command("npm start", 5, Some(0))]);
    }
}
