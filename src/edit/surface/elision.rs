//! Elided middles: text in which a model left out what it meant to keep. Applied as written, it would delete that code.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::fence::is_markdown;

/// The first line of `new` that stands for left-out text, when `old` does not hold the same line.
pub(in crate::edit) fn elided<'t>(file: &str, old: &str, new: &'t str) -> Option<&'t str> {
    let known: HashSet<&str> = old.lines().map(str::trim).collect();
    new.lines().find(|line| {
        let text = line.trim();
        !known.contains(text) && (says_so(text) || is_bare(file, text))
    })
}

/// What to send instead.
pub(super) const ADVICE: &str = "write every line out; nothing is filled in";

/// A comment, or a whole line, that speaks of code which stays: `// ... rest unchanged`, `/* existing code */`.
fn says_so(line: &str) -> bool {
    static SAYS: LazyLock<Regex> = LazyLock::new(|| {
        let dots = r"(?:\.{3,}|…)";
        let open = r"(?://+|/\*+|\#+|--|<!--|\{/\*|;+|\*)";
        let close = r"(?:\*/\}?|-->)?";
        let stays = r"(?:the\s+)?(?:rest|remaining|remainder|existing|unchanged|same|previous|omitted|snip|keep|other|more|as\s+before|your)\b";
        let code = r"(?:code|implementation|content|contents|logic|methods?|functions?|imports?|lines?|fields?|props|tests?|cases|file|body|class|function|stuff|part|unchanged|here|above|below|as\s+before|stays|remains?|is|are|of)\b";
        // A comment with dots and a word for what stays, in either order; or one that says "existing code" and little else.
        Regex::new(&format!(
            r"(?ix)^(?: {open}\s*\[?{dots}\s*\(?{stays}.*
              | {open}\s*\[?[\w\s'`,()]*\b{stays}[\w\s'`,()]*{dots}\s*\]?\s*{close}
              | {open}\s*\[?{dots}[\w\s'`,]*\b(?:unchanged|omitted|as\s+before|stays?\s+the\s+same|remains?|goes\s+here)\b.*
              | {open}\s*\[?(?:the\s+)?(?:rest|remaining|remainder|existing)\s+(?:of\s+)?(?:(?:the|this|your)\s+)?{code}(?:\s+(?:{code}|unchanged|the|same))*\.?\]?\s*{close}
              | [\[(<]?{dots}\s+\(?(?:{stays}|\d+\s+lines)[\w\s,'`]*{dots}?[\])>]?
              | [\[(<]?{dots}\s*{stays}[\w\s,'`]*{dots}[\])>]?
            )$"
        ))
        .expect("a constant pattern")
    });
    SAYS.is_match(line)
}

/// Nothing but dots, as a comment or not. Where dots are a statement or text, they are no elision.
fn is_bare(file: &str, line: &str) -> bool {
    static BARE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^(?:(?://+|#+|--)\s*(?:\.{3,}|…)|/\*+\s*(?:\.{3,}|…)\s*\*/|\{/\*\s*(?:\.{3,}|…)\s*\*/\}|\.{3,}|…)$",
        )
        .expect("a constant pattern")
    });
    let has_dots = file.ends_with(".py") || file.ends_with(".pyi") || is_markdown(file);
    !has_dots && BARE.is_match(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_stand_for_left_out_code_are_elisions() {
        for line in [
            "// ... rest unchanged",
            "  // ...rest of the code...",
            "// ... existing code ...",
            "/* ... existing imports ... */",
            "{/* ... rest of the component ... */}",
            "# ... (rest of the file stays the same)",
            "// … remaining methods unchanged",
            "// existing code",
            "// rest of the implementation",
            "// rest of the file unchanged",
            "// [... existing code ...]",
            "// ... (unchanged)",
            "// ... other methods ...",
            "// Existing code here...",
            "// keep the existing handlers...",
            "... (rest unchanged)",
            "[... 40 lines ...]",
            "<!-- ... rest of the page ... -->",
            "// ...",
            "...",
            "/* ... */",
            "// ... everything else as before",
        ] {
            assert!(elided("a.ts", "", line).is_some(), "{line}");
        }
    }

    #[test]
    fn code_and_comments_that_look_alike_are_none() {
        for line in [
            "const { a, ...rest } = props;",
            "...rest,",
            "...existing,",
            "...(rest.length > 0 ? rest : []),",
            "[...previous]",
            "fn f() -> impl Iterator<Item = u8> { 0..3 }",
            "// Existing users keep their role.",
            "// The rest is sorted by name.",
            "// same as above, but for writes",
            "// Wait for the remaining requests",
            "/// Keeps the existing order of the rows.",
            "let Foo { a, .. } = foo;",
            "# Other",
            "// rest parameters are not supported",
            "// remaining",
            "log(\"...\");",
        ] {
            assert_eq!(elided("a.ts", "", line), None, "{line}");
        }
    }

    #[test]
    fn what_the_old_text_holds_and_dots_of_python_are_none() {
        assert_eq!(elided("a.ts", "x\n  // ... rest unchanged", "// ... rest unchanged\ny"), None);
        assert_eq!(elided("a.py", "", "    ..."), None);
        assert!(elided("a.py", "", "    # ... rest of the code").is_some());
    }
}
