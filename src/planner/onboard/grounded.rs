//! Whether a sentence names only what is there: paths, lines of files, symbols, commands.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::plan::markdown::fence_for;
use crate::repo_map::RepoMap;
use crate::tree::Tree;

/// What sentences are held against.
pub(super) struct Ground<'a> {
    map: &'a RepoMap,
    tree: &'a dyn Tree,
    /// Names of definitions and packages.
    names: BTreeSet<&'a str>,
    /// The facts and the files of the section: a command or a piece of code must stand there.
    texts: Vec<String>,
}

/// Code in backticks, and bare paths with an extension.
static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`+([^`]+)`+").expect("the pattern is tested"));
static PATH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\w@.()\[\]+-]*(?:/[\w@.()\[\]$+-]+)+\.[A-Za-z]{1,6}(?::\d+)?|\b[\w-]+\.(?:tsx?|jsx?|mjs|cjs|rs|toml|json|md|ya?ml|prisma|sql)(?::\d+)?\b")
        .expect("the pattern is tested")
});
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[#@]?[A-Za-z_$][\w$]*(?:(?:::|\.|#)[A-Za-z_$][\w$]*)*(?:\(\))?!?$").expect("the pattern is tested")
});

impl<'a> Ground<'a> {
    pub(super) fn new(map: &'a RepoMap, tree: &'a dyn Tree, facts: &str, files: &[String]) -> Ground<'a> {
        let definitions = map.symbols().flat_map(|(_, symbol)| [symbol.name.as_str(), symbol.qualified.as_str()]);
        let packages = map.recon.packages.iter().flat_map(|package| {
            std::iter::once(package.name.as_str()).chain(package.dependencies.iter().map(|own| own.name.as_str()))
        });
        let texts = files.iter().filter_map(|file| tree.text(file));
        Ground {
            map,
            tree,
            names: definitions.chain(packages).collect(),
            texts: texts.chain([facts.to_owned()]).collect(),
        }
    }

    /// Everything that `sentence` names is there.
    pub(super) fn holds(&self, sentence: &str) -> bool {
        let bare = CODE.replace_all(sentence, " ");
        // A fence or a mark of ours has no place in a sentence.
        let is_plain = !sentence.contains("<!--") && !sentence.contains("-->") && fence_for(sentence) == "```";
        is_plain
            && CODE.captures_iter(sentence).all(|code| self.is_there(code[1].trim()))
            && PATH.find_iter(&bare).all(|path| self.is_place(path.as_str().trim_matches(['(', ')', '.'])))
    }

    fn is_there(&self, code: &str) -> bool {
        if self.is_place(code) {
            return true;
        }
        let is_path = PATH.find(code).is_some_and(|found| found.as_str() == code);
        if is_path
            || code.rsplit_once(':').is_some_and(|(path, line)| path.contains('/') && line.parse::<u32>().is_ok())
        {
            return false;
        }
        let name = code.trim_end_matches('!').trim_end_matches("()");
        NAME.is_match(code) && (self.names.contains(name) || self.is_written(name)) || self.is_written(code)
    }

    /// It stands in the facts or in a file of the section, as a whole word.
    fn is_written(&self, code: &str) -> bool {
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        self.texts.iter().any(|text| {
            text.match_indices(code).any(|(at, found)| {
                let (before, after) = (text[..at].chars().next_back(), text[at + found.len()..].chars().next());
                let goes_on = is_word(before) && is_word(code.chars().next())
                    || is_word(after) && is_word(code.chars().next_back());
                !goes_on
            })
        })
    }

    /// A file, a folder, or a line of a file.
    fn is_place(&self, text: &str) -> bool {
        let (path, line) = match text.rsplit_once(':') {
            Some((path, line)) if line.chars().all(|c| c.is_ascii_digit()) && !line.is_empty() => {
                (path, line.parse::<usize>().ok())
            }
            Some(_) | None => (text, None),
        };
        let path = path.trim_start_matches("./");
        match line {
            Some(line) => self.tree.text(path).is_some_and(|text| (1..=text.lines().count()).contains(&line)),
            None => self.map.has_path(path) || self.is_folder(path.trim_end_matches('/')) || self.is_file_name(path),
        }
    }

    fn is_folder(&self, path: &str) -> bool {
        let below = |other: &str| other.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        let files = self.map.files.iter().map(|file| file.path.as_str());
        !path.is_empty() && files.chain(self.map.other_files.iter().map(String::as_str)).any(below)
    }

    /// A file by its name alone, as people speak of files.
    fn is_file_name(&self, name: &str) -> bool {
        let files = self.map.files.iter().map(|file| file.path.as_str());
        let all = files.chain(self.map.other_files.iter().map(String::as_str));
        !name.contains('/') && name.contains('.') && all.into_iter().any(|path| path.rsplit('/').next() == Some(name))
    }
}

/// The sentences of a paragraph; a full stop within code ends none.
pub(super) fn sentences(paragraph: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let (mut start, mut is_code) = (0, false);
    for (at, character) in paragraph.char_indices() {
        is_code ^= character == '`';
        let rest = &paragraph[at + character.len_utf8()..];
        let ends = matches!(character, '.' | '!' | '?') && !is_code && (rest.is_empty() || rest.starts_with(' '));
        let goes_on = rest.trim_start().starts_with(char::is_lowercase);
        if ends && !goes_on {
            sentences.push(paragraph[start..at + character.len_utf8()].trim());
            start = at + character.len_utf8();
        }
    }
    sentences.push(paragraph[start..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo_map::sample;
    use crate::tree::{TreeEntry, TreeError};

    struct Files;

    impl Tree for Files {
        fn entries(&self) -> Result<Vec<TreeEntry>, TreeError> {
            Ok(Vec::new())
        }

        fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
            match path {
                "src/a.ts" => Ok(b"one\ntwo(start)\n".to_vec()),
                _ => Err(TreeError::Missing { path: path.to_owned() }),
            }
        }
    }

    #[test]
    fn a_sentence_that_names_what_is_not_there_does_not_hold() {
        let map = sample::map();
        let ground = Ground::new(&map, &Files, "`npm ci` installs\n", &["src/a.ts".to_owned()]);
        for sentence in [
            "It begins in `src/a.ts:2`.",
            "`start` calls `Store.load` in `src/`.",
            "Run `npm ci` first.",
            "Nothing is named here, e.g. nothing.",
            "Look at src/a.ts first.",
        ] {
            assert!(ground.holds(sentence), "{sentence}");
        }
        for sentence in [
            "It begins in `src/a.ts:3`.",
            "It begins in `src/missing.ts`.",
            "Look at src/missing.ts first.",
            "`startAll` begins it.",
            "Run `npm install` first.",
            "It ends here. <!-- /improve:onboard -->",
        ] {
            assert!(!ground.holds(sentence), "{sentence}");
        }
    }

    #[test]
    fn sentences_end_at_full_stops_outside_of_code() {
        let text = "It is `a.b. C`. Then, e.g. on start, `x`. Done!";
        assert_eq!(sentences(text), ["It is `a.b. C`.", "Then, e.g. on start, `x`.", "Done!"]);
    }
}
