//! Paths that an edit may name: inside the repository, and nothing that git or the file system reads in a second way.

/// Why `path` cannot be the path of a file in a repository, or `None` when it can.
pub fn fault(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("it is empty");
    }
    if path.starts_with('/') || path.starts_with('~') {
        return Some("it is not relative to the repository");
    }
    if path.contains('\\') || path.contains(':') && path.as_bytes().get(1) == Some(&b':') {
        return Some("it is written as a Windows path");
    }
    if path.chars().any(char::is_control) {
        return Some("it holds a control character");
    }
    path.split('/').find_map(segment_fault)
}

fn segment_fault(segment: &str) -> Option<&'static str> {
    if segment.is_empty() {
        return Some("it has an empty segment");
    }
    if segment == "." || segment == ".." {
        return Some("it leads outside the repository or around in it");
    }
    // Case-insensitive and trailing-dot forms name the same folder on some file systems; zero-width characters on others.
    let plain: String = segment.chars().filter(|c| !is_invisible(*c)).collect::<String>().to_ascii_lowercase();
    let plain = plain.trim_end_matches(['.', ' ']);
    if plain == ".git" || plain == "git~1" {
        return Some("it is inside git's own folder");
    }
    None
}

/// Characters that HFS+ ignores in names.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_ordinary_files_have_no_fault() {
        for path in
            ["a", "src/a.rs", ".github/workflows/ci.yml", "a..b/c", "app/[id]/page.tsx", ".gitignore", "x/.gitkeep"]
        {
            assert_eq!(fault(path), None, "{path}");
        }
    }

    #[test]
    fn paths_that_leave_the_repository_or_enter_git_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/..",
            "./a",
            "a//b",
            "a/",
            ".git/config",
            "sub/.git/hooks/x",
            ".GIT/config",
            ".git./config",
            ".g\u{200c}it/config",
            "git~1/config",
            "C:/x",
            "a\\b",
            "a\nb",
            "~/x",
        ] {
            assert!(fault(path).is_some(), "{path:?}");
        }
    }
}
