//! The floor: the same files, walked to and parsed by tree-sitter on all cores, and nothing else.

use std::path::Path;

use rayon::prelude::*;

/// Parses every file named in `list`, one path a line, after walking the folder in its first line.
pub fn parse(list: &Path) {
    let list = std::fs::read_to_string(list).expect("the list was written by this bench");
    let mut lines = list.lines();
    let root = lines.next().expect("the first line names the folder");
    let files: Vec<&str> = lines.collect();
    let walked = std::sync::atomic::AtomicUsize::new(0);
    ignore::WalkBuilder::new(root).hidden(false).build_parallel().run(|| {
        Box::new(|_| {
            walked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            ignore::WalkState::Continue
        })
    });
    let bytes: usize = files.par_iter().map_init(tree_sitter::Parser::new, |parser, path| one(parser, path)).sum();
    println!("{} entries, {bytes} bytes", walked.into_inner());
}

fn one(parser: &mut tree_sitter::Parser, path: &str) -> usize {
    let extension = path.rsplit('.').next().unwrap_or_default();
    let language = match extension {
        "rs" => tree_sitter_rust::LANGUAGE.into(),
        "ts" | "mts" | "cts" => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        _ => tree_sitter_typescript::LANGUAGE_TSX.into(),
    };
    parser.set_language(&language).expect("the grammar's version is supported");
    let text = std::fs::read(path).unwrap_or_default();
    parser.parse(&text, None).map_or(0, |tree| tree.root_node().end_byte())
}
