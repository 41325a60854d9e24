//! What a gate prints while it runs, kept in a file: whoever wonders whether it hangs can look, and after a kill it says what the gate had
//! said. The head and the tail of each stream, masked, at most a receipt's share of each.
//!
//! The file is replaced as a whole, so that a kill leaves the one before. A last line that is still being printed is left out until
//! it has stood there for a while: half a credential has no form by which it could be known.

use std::fs;
use std::path::Path;

use jiff::Timestamp;

use crate::process::Captured;
use crate::secrets;
use crate::temporary;

/// Lines of it that a note quotes.
const QUOTED: usize = 3;

/// The file of one gate that runs. It is gone when the gate has ended: then its result says what it printed.
pub(super) struct Live<'a> {
    file: &'a Path,
    heading: String,
    is_written: bool,
}

impl<'a> Live<'a> {
    pub(super) fn new(file: &'a Path, command: &str) -> Live<'a> {
        let heading = format!("$ {}\nstarted {}\n", secrets::mask(command), Timestamp::now());
        Live { file, heading, is_written: false }
    }

    /// Writes what was printed so far. What cannot be written is in the result, should there be one.
    pub(super) fn hear(&mut self, stdout: &Captured, stderr: &Captured) {
        let stream = |name: &str, captured: &Captured| match captured.masked(secrets::mask).excerpt(usize::MAX) {
            text if text.trim().is_empty() => String::new(),
            text => format!("\n--- {name}\n{}\n", text.trim_end()),
        };
        let text = format!("{}{}{}", self.heading, stream("stdout", stdout), stream("stderr", stderr));
        self.is_written |= temporary::replace(self.file, text.as_bytes()).is_ok();
    }

    /// The gate has ended and there is a result.
    pub(super) fn end(self) {
        if self.is_written {
            let _ = fs::remove_file(self.file);
        }
    }
}

/// What a run that was killed or interrupted left in `file`: moved to `aside` for the user to read, and said in words.
pub fn cut_off(file: &Path, aside: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    fs::rename(file, aside).ok()?;
    let command = text.lines().next()?.trim_start_matches("$ ").to_owned();
    let printed = text.lines().skip(2).filter(|line| !line.trim().is_empty() && !line.starts_with("--- "));
    let printed: Vec<&str> = printed.collect();
    let last = printed[printed.len().saturating_sub(QUOTED)..].join(" / ");
    Some(format!(
        "the run before was cut off while `{command}` ran; it had printed: {last} (all of it: {})",
        aside.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Captured {
        Captured { head: text.to_owned(), ..Captured::default() }
    }

    #[test]
    fn it_is_masked_and_gone_when_the_gate_has_ended() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("gates/001.txt");
        let mut live = Live::new(&file, "make check");
        let token = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
        live.hear(&printed(&format!("token {token}\n")), &printed("warned\n"));
        let text = fs::read_to_string(&file).expect("it was written");
        assert!(text.starts_with("$ make check\nstarted ") && !text.contains(&token), "{text}");
        assert!(text.ends_with("\n--- stdout\ntoken [secret:github-token]\n\n--- stderr\nwarned\n"), "{text}");
        live.end();
        assert_eq!(fs::read_dir(file.parent().expect("it has one")).expect("it is there").count(), 0);
    }

    #[test]
    fn what_a_killed_run_left_is_quoted_and_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (file, aside) = (folder.path().join("001.txt"), folder.path().join("aside.txt"));
        Live::new(&file, "make check").hear(&printed("a\nb\n\nc\nd\n"), &printed(""));
        let said = cut_off(&file, &aside).expect("there is something");
        assert!(
            said.starts_with("the run before was cut off while `make check` ran; it had printed: b / c / d ("),
            "{said}"
        );
        assert!(!file.exists() && aside.exists());
        assert_eq!(cut_off(&file, &aside), None);
    }
}
