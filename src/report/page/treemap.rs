//! Files as a treemap: area is lines, colour is heat. Squarified (Bruls, Huizing & van Wijk, 2000), folders inside folders.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::markup::{cut, escape};
use crate::report::document::FileHeat;
use crate::report::layout::{count, grouped};

/// The least a cell measures: what is smaller is drawn together. A file with findings is worth a smaller one.
const LEAST_AREA: f64 = 420.0;
const LEAST_HOT_AREA: f64 = 90.0;
/// A folder that is drawn as one cell is that much cooler than the hottest thing in it.
const COOLED: f64 = 0.85;
/// Height of the strip that names a folder.
const STRIP: f64 = 15.0;
/// A folder with less room than this is one cell.
const LEAST_FOLDER: (f64, f64) = (64.0, 48.0);
/// Space around what a folder holds.
const GAP: f64 = 1.5;
/// Width of a character of a label, on average.
const CHARACTER: f64 = 6.0;

/// What a treemap is drawn in, in user units.
#[derive(Debug, Clone, Copy)]
pub struct Canvas {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Area {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// A folder, or a file where there is nothing in it.
#[derive(Debug, Default)]
struct Node {
    path: String,
    name: String,
    lines: u64,
    findings: usize,
    churn: u32,
    heat: f64,
    files: usize,
    children: Vec<Node>,
}

/// The treemap, in SVG; empty where no file has a line.
pub fn treemap(files: &[FileHeat], canvas: Canvas, id: &str) -> String {
    let root = tree(files);
    if root.lines == 0 {
        return String::new();
    }
    let Canvas { width, height } = canvas;
    let mut svg = format!(
        "<svg class=\"treemap {id}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
         <title id=\"{id}-title\">Where findings and changes meet</title><desc id=\"{id}-desc\">{} in {} as rectangles: the area is \
         the lines of a file, the colour its heat. The table below names the hottest.</desc>\n",
        count(usize::try_from(root.lines).unwrap_or(usize::MAX), "line"),
        count(root.files, "file"),
    );
    draw(&root.children, "", Area { x: 0.0, y: 0.0, width, height }, &mut svg);
    svg.push_str("</svg>");
    svg
}

/// The class of a heat: 0 for none, then four steps.
pub fn heat_class(heat: f64) -> u8 {
    match heat {
        heat if heat <= 0.0 => 0,
        heat if heat < 0.3 => 1,
        heat if heat < 0.5 => 2,
        heat if heat < 0.7 => 3,
        _ => 4,
    }
}

/// The files in their folders; a folder that holds nothing but a folder is one with it.
fn tree(files: &[FileHeat]) -> Node {
    let mut root = Node::default();
    let all: Vec<&FileHeat> = files.iter().filter(|file| file.lines > 0).collect();
    root.children = children(&all, 0);
    add_up(&mut root);
    root
}

/// What stands below a path of `depth` parts that `files` share.
fn children(files: &[&FileHeat], depth: usize) -> Vec<Node> {
    let mut groups: BTreeMap<&str, Vec<&FileHeat>> = BTreeMap::new();
    for file in files {
        let part = file.path.split('/').nth(depth).unwrap_or_default();
        groups.entry(part).or_default().push(file);
    }
    let node = |(name, files): (&str, Vec<&FileHeat>)| {
        let first = files[0];
        let path = first.path.split('/').take(depth + 1).collect::<Vec<_>>().join("/");
        if first.path == path {
            return Node {
                path,
                name: name.to_owned(),
                lines: u64::from(first.lines),
                findings: first.findings,
                churn: first.churn_90d,
                heat: first.heat,
                files: 1,
                children: Vec::new(),
            };
        }
        let mut node = Node { path, name: name.to_owned(), children: children(&files, depth + 1), ..Node::default() };
        if let [only] = node.children.as_mut_slice()
            && !only.children.is_empty()
        {
            let only = std::mem::take(only);
            return Node { name: format!("{}/{}", node.name, only.name), ..only };
        }
        add_up(&mut node);
        node
    };
    groups.into_iter().map(node).collect()
}

/// A folder has the lines and findings of all its files.
fn add_up(node: &mut Node) {
    node.children.sort_by(|one, other| other.lines.cmp(&one.lines).then_with(|| one.name.cmp(&other.name)));
    node.heat = COOLED * node.children.iter().map(|child| child.heat).fold(0.0, f64::max);
    node.lines = node.children.iter().map(|child| child.lines).sum();
    node.findings = node.children.iter().map(|child| child.findings).sum();
    node.files = node.children.iter().map(|child| child.files).sum();
    node.churn = node.children.iter().map(|child| child.churn).max().unwrap_or(0);
}

/// The heat of nodes together, by lines (root mean square): one small hot file must not set fire to all.
fn heat_of<'a>(nodes: impl Iterator<Item = &'a Node> + Clone) -> f64 {
    let lines: u64 = nodes.clone().map(|node| node.lines).sum();
    (nodes.map(|node| node.heat * node.heat * node.lines as f64).sum::<f64>() / lines.max(1) as f64).sqrt()
}

fn draw(nodes: &[Node], path: &str, area: Area, svg: &mut String) {
    let total: u64 = nodes.iter().map(|node| node.lines).sum();
    if total == 0 || area.width <= 0.0 || area.height <= 0.0 {
        return;
    }
    let scale = area.width * area.height / total as f64;
    let least = |node: &Node| if node.findings > 0 { LEAST_HOT_AREA } else { LEAST_AREA };
    let (mut large, small): (Vec<&Node>, Vec<&Node>) =
        nodes.iter().partition(|node| node.lines as f64 * scale >= least(node));
    let rest = match small.as_slice() {
        [] => None,
        // One alone is drawn as itself, however small.
        [one] => {
            large.push(one);
            None
        }
        several => Some(together(several, path)),
    };
    large.extend(&rest);
    large.sort_by(|one, other| other.lines.cmp(&one.lines).then_with(|| one.name.cmp(&other.name)));
    let sizes: Vec<f64> = large.iter().map(|node| node.lines as f64 * scale).collect();
    for (node, cell) in large.into_iter().zip(squarify(&sizes, area)) {
        if has_room(node, cell) { folder(node, cell, svg) } else { leaf(node, cell, svg) }
    }
}

/// What is too small to be drawn by itself.
fn together(small: &[&Node], path: &str) -> Node {
    let files: usize = small.iter().map(|node| node.files).sum();
    Node {
        path: path.to_owned(),
        name: format!("{} more", grouped(files)),
        lines: small.iter().map(|node| node.lines).sum(),
        findings: small.iter().map(|node| node.findings).sum(),
        churn: small.iter().map(|node| node.churn).max().unwrap_or(0),
        heat: heat_of(small.iter().copied()),
        files,
        children: Vec::new(),
    }
}

fn has_room(node: &Node, cell: Area) -> bool {
    let (width, height) = LEAST_FOLDER;
    !node.children.is_empty() && cell.width >= width && cell.height >= height
}

fn folder(node: &Node, cell: Area, svg: &mut String) {
    let Area { x, y, width, height } = cell;
    let most = (width - 8.0).max(0.0) / CHARACTER;
    let _ = writeln!(
        svg,
        "<g><title>{}</title><rect class=\"folder\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>\
         <text class=\"strip\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
        escape(&told(node)),
        x + 4.0,
        y + 11.5,
        escape(&cut(&node.name, most as usize)),
    );
    let inside = Area { x: x + GAP, y: y + STRIP, width: width - 2.0 * GAP, height: height - STRIP - GAP };
    draw(&node.children, &node.path, inside, svg);
}

fn leaf(node: &Node, cell: Area, svg: &mut String) {
    let Area { x, y, width, height } = cell;
    let heat = heat_class(node.heat);
    let _ = write!(
        svg,
        "<g class=\"cell h{heat}\" data-path=\"{}\"><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" \
         height=\"{height:.1}\"/>",
        escape(&node.path),
        escape(&told(node)),
    );
    let most = ((width - 8.0).max(0.0) / CHARACTER) as usize;
    // Half a name tells nothing.
    if height >= 16.0 && most >= 5 && (node.name.chars().count() <= most || most >= 9) {
        let _ =
            write!(svg, "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", x + 4.0, y + 12.0, escape(&cut(&node.name, most)));
    }
    svg.push_str("</g>\n");
}

fn told(node: &Node) -> String {
    let lines = count(usize::try_from(node.lines).unwrap_or(usize::MAX), "line");
    let findings = count(node.findings, "finding");
    if node.files == 1 {
        let commits = count(node.churn as usize, "commit");
        format!("{}: {lines}, {findings}, {commits} in 90 days", node.path)
    } else {
        format!(
            "{}: {}, {lines}, {findings}",
            if node.path.is_empty() { "." } else { &node.path },
            count(node.files, "file")
        )
    }
}

/// A rectangle for each of `sizes`, which are areas, the largest first, and fill `area` together.
fn squarify(sizes: &[f64], area: Area) -> Vec<Area> {
    let mut placed = Vec::with_capacity(sizes.len());
    let mut left = area;
    let mut rest = sizes;
    while !rest.is_empty() {
        let side = left.width.min(left.height);
        // A row takes one more as long as its worst cell does not get longer by that.
        let mut taken = 1;
        while taken < rest.len() && worst(&rest[..=taken], side) <= worst(&rest[..taken], side) {
            taken += 1;
        }
        let (row, after) = rest.split_at(taken);
        left = place(row, left, &mut placed);
        rest = after;
    }
    placed
}

/// The largest ratio of length to width in a row along a side.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let largest = row.iter().copied().fold(0.0, f64::max);
    let smallest = row.iter().copied().fold(f64::INFINITY, f64::min);
    let (side, sum) = (side * side, sum * sum);
    (side * largest / sum).max(sum / (side * smallest))
}

/// Places a row along the shorter side; what is left of the area.
fn place(row: &[f64], area: Area, placed: &mut Vec<Area>) -> Area {
    let sum: f64 = row.iter().sum();
    let Area { x, y, width, height } = area;
    let mut at = 0.0;
    if width >= height {
        let depth = (sum / height.max(f64::MIN_POSITIVE)).min(width);
        for size in row {
            let length = size / sum * height;
            placed.push(Area { x, y: y + at, width: depth, height: length });
            at += length;
        }
        Area { x: x + depth, width: width - depth, ..area }
    } else {
        let depth = (sum / width.max(f64::MIN_POSITIVE)).min(height);
        for size in row {
            let length = size / sum * width;
            placed.push(Area { x: x + at, y, width: length, height: depth });
            at += length;
        }
        Area { y: y + depth, height: height - depth, ..area }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(path: &str, lines: u32, heat: f64) -> FileHeat {
        FileHeat { path: path.to_owned(), lines, churn_90d: 3, findings: usize::from(heat > 0.0), heat }
    }

    proptest! {
        #[test]
        fn rectangles_have_the_areas_asked_for_and_fill_the_whole(sizes in prop::collection::vec(1_u32..10_000, 1..60)) {
            let mut sizes: Vec<f64> = sizes.into_iter().map(f64::from).collect();
            sizes.sort_by(|one, other| other.total_cmp(one));
            let area = Area { x: 0.0, y: 0.0, width: 1_000.0, height: 400.0 };
            let total: f64 = sizes.iter().sum();
            let scaled: Vec<f64> = sizes.iter().map(|size| size / total * 400_000.0).collect();
            let placed = squarify(&scaled, area);
            prop_assert_eq!(placed.len(), scaled.len());
            for (cell, size) in placed.iter().zip(&scaled) {
                prop_assert!((cell.width * cell.height - size).abs() < 0.01 * size + 0.01);
                prop_assert!(cell.x >= -0.01 && cell.y >= -0.01);
                prop_assert!(cell.x + cell.width <= 1_000.01 && cell.y + cell.height <= 400.01);
            }
            for (place, one) in placed.iter().enumerate() {
                for other in &placed[..place] {
                    let wide = (one.x + one.width).min(other.x + other.width) - one.x.max(other.x);
                    let high = (one.y + one.height).min(other.y + other.height) - one.y.max(other.y);
                    prop_assert!(wide < 0.01 || high < 0.01, "two cells overlap");
                }
            }
        }
    }

    #[test]
    fn folders_in_a_chain_are_one_and_small_files_are_drawn_together() {
        let mut files = vec![file("src/main/app/large.ts", 4_000, 0.9), file("src/main/app/other.ts", 2_000, 0.0)];
        files.extend((0..400).map(|number| file(&format!("src/main/app/tiny{number}.ts"), 1, 0.0)));
        let svg = treemap(&files, Canvas { width: 800.0, height: 400.0 }, "map");
        assert!(svg.contains(">src/main/app</text>"), "{svg}");
        assert!(svg.contains("class=\"cell h4\" data-path=\"src/main/app/large.ts\""), "{svg}");
        assert!(svg.contains("400 more") && svg.matches("<rect").count() < 10, "{svg}");
    }

    #[test]
    fn a_large_tree_is_a_bounded_picture() {
        let files: Vec<FileHeat> = (0..20_000)
            .map(|number| file(&format!("a{}/b{}/f{number}.ts", number % 40, number % 7), 10 + number % 300, 0.2))
            .collect();
        let svg = treemap(&files, Canvas { width: 1_120.0, height: 460.0 }, "map");
        assert!(svg.matches("<rect").count() < 900 && svg.len() < 250_000, "{} bytes", svg.len());
    }

    #[test]
    fn names_of_files_stay_text() {
        let svg = treemap(
            &[file("\"><script>x\u{202e}</script>.ts", 100, 0.1)],
            Canvas { width: 400.0, height: 100.0 },
            "map",
        );
        assert!(!svg.contains("<script") && !svg.contains('\u{202e}'), "{svg}");
        assert_eq!(treemap(&[], Canvas { width: 400.0, height: 100.0 }, "map"), "");
    }
}
