//! The picture in the README is what the program prints: recorded from a run, and held against another one.

#[path = "common/alone.rs"]
mod alone;
mod common;

use std::path::Path;

use alone::{json, run, stderr, stdout};
use common::{git, write};

/// To record it anew: `UPDATE_DEMO=1 cargo test --test demo`.
#[test]
fn the_picture_in_the_readme_is_a_run() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let folder = tempfile::tempdir().expect("a folder");
    let shop = folder.path().join("shop");
    for file in ["package.json", "src/app.ts", "src/db.ts", "src/items.ts", "src/orders.ts", "src/pay.ts"] {
        let text = std::fs::read_to_string(fixtures.join("shop").join(file)).expect("a fixture");
        write(&shop, file, &text);
    }
    git(&shop, &["init", "-q", "-b", "main"]);
    git(&shop, &["add", "."]);
    git(&shop, &["commit", "-q", "-m", "first"]);
    let found = json(&run(&shop, &["audit", "--format", "json"]));
    let first = found["findings"][0]["fingerprint"].as_str().expect("a finding");
    let mut screen = String::new();
    for args in [&["audit"][..], &["show", &first[..8]]] {
        let output = run(&shop, &[args, &["--color", "always"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        screen.push_str(&format!("\x1b[1m$ improve {}\x1b[0m\n{}\n", args.join(" "), stdout(&output)));
    }
    let picture = anstyle_svg::Term::new().min_width_px(880).render_svg(screen.trim_end());
    let recorded = fixtures.join("improve.svg");
    if std::env::var_os("UPDATE_DEMO").is_some() {
        std::fs::write(&recorded, &picture).expect("the folder is writable");
    }
    let recorded = std::fs::read_to_string(&recorded).unwrap_or_default();
    assert!(picture == recorded, "record it anew: UPDATE_DEMO=1 cargo test --test demo\n{screen}");
}
