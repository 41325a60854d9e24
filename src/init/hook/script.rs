//! A hook that is a shell script: our lines come first, and what stands there stays.

use super::super::undo::Undo;
use super::super::{ByHand, Change, Setup};
use super::{OURS, Script};

/// Our lines; what feeds their input is filled in.
const BLOCK: &str = include_str!("../../../templates/init/block.sh");
const SHEBANG: &str = "#!/bin/sh\n";
/// Shells that our lines run in.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];

/// How a new script begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// With the program that runs it.
    Shebang,
    /// With nothing: whoever keeps it runs it by a shell.
    None,
}

/// What it takes to have our lines in `script`.
pub(super) fn setup(script: Script, head: Head) -> Setup {
    let Script { path, text } = script;
    let Some(text) = text else {
        let shebang = match head {
            Head::Shebang => SHEBANG,
            Head::None => "",
        };
        // Alone, they may read which commits are pushed.
        let after = format!("{shebang}{}", block(""));
        return Setup::Write(Change { path, before: None, after, executable: true, then: None });
    };
    if text.contains(OURS) {
        return Setup::There(path);
    }
    // What git tells a hook is read once: it is left to those who were there before.
    let block = block(" </dev/null");
    match place(&text, head) {
        Some(at) => {
            let (before, after) = text.split_at(at);
            let after = format!("{before}{block}{after}");
            Setup::Write(Change { path, before: Some(text), after, executable: true, then: None })
        }
        None => Setup::ByHand(ByHand { path, why: "it is no shell script".to_owned(), lines: block }),
    }
}

/// What it takes to have no lines of ours in `script`.
pub(super) fn removed(script: Script, head: Head) -> Undo {
    let Script { path, text } = script;
    let Some(text) = text.filter(|text| text.contains(OURS)) else { return Undo::NotThere(path) };
    let shebang = match head {
        Head::Shebang => SHEBANG,
        Head::None => "",
    };
    if text == format!("{shebang}{}", block("")) {
        return Undo::Remove(path);
    }
    let ours = ["", " </dev/null"].into_iter().map(block).find(|block| text.matches(block.as_str()).count() == 1);
    match ours {
        Some(block) => {
            let after = text.replacen(&block, "", 1);
            Undo::Edit(Change { path, before: Some(text), after, executable: true, then: None })
        }
        None => Undo::Left { path, why: "our lines were changed there: take them out yourself".to_owned() },
    }
}

fn block(stdin: &str) -> String {
    BLOCK.replace("{{ stdin }}", stdin)
}

/// Where our lines go: behind what says which shell runs the script. `None` where it is none of ours.
fn place(text: &str, head: Head) -> Option<usize> {
    // A shell takes the other line end as part of a word, so such a script does not run in the first place.
    if text.contains('\0') || text.contains('\r') {
        return None;
    }
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    let at = match first.strip_prefix("#!") {
        Some(program) if is_shell(program) && first.ends_with('\n') => first.len(),
        Some(_) => return None,
        None if head == Head::None => 0,
        None => return None,
    };
    // Up to its eighth version husky runs the script anew from there: what stands above would run twice.
    let husky = text.split_inclusive('\n').scan(0, |end, line| {
        *end += line.len();
        Some((*end, line))
    });
    let husky = husky.filter(|(_, line)| line.trim_end().trim_end_matches('"').ends_with("/husky.sh"));
    husky.map(|(end, _)| end).last().or(Some(at))
}

/// `/bin/sh -e`, `/usr/bin/env bash`.
fn is_shell(program: &str) -> bool {
    let mut words = program.split_whitespace();
    let name = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let first = words.next().map(name).unwrap_or_default();
    let shell = if first == "env" { words.find(|word| !word.starts_with('-')).map(name) } else { Some(first) };
    shell.is_some_and(|shell| SHELLS.contains(&shell.as_str()))
}
