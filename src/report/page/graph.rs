//! Plans by what depends on what: layers by longest path, so that every arrow leads to the right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::markup::{cut, escape};
use crate::report::document::PlanNode;
use crate::report::layout::count;
use crate::report::plans::plan_name;

/// Plans drawn: more cannot be told apart. The others stand in the table.
const DRAWN: usize = 40;
/// Size of a box, and the space between boxes, in user units.
const BOX: (f64, f64) = (232.0, 52.0);
const BETWEEN: (f64, f64) = (52.0, 16.0);
/// Characters of a title that a box holds.
const TITLE: usize = 29;
/// Space around the whole: lines have a width, too.
const MARGIN: f64 = 2.0;
/// Rounds of bringing plans near to those that they depend on.
const ROUNDS: usize = 4;

/// What the status of a plan looks like: a class and a sign that does not rest on colour.
pub fn state_of(status: Option<&str>) -> (&'static str, &'static str) {
    match status {
        Some("TODO") => ("todo", "○"),
        Some("IN PROGRESS") => ("progress", "◐"),
        Some("DONE") => ("done", "✓"),
        Some("BLOCKED") => ("blocked", "!"),
        Some("REJECTED") => ("rejected", "×"),
        Some(_) | None => ("other", "·"),
    }
}

/// The graph, in SVG, and its width in user units; `None` where no plan depends on another.
pub fn graph(plans: &[PlanNode]) -> Option<(String, f64)> {
    let (drawn, left_out) = chosen(plans);
    if drawn.is_empty() {
        return None;
    }
    let places: BTreeMap<&str, usize> =
        drawn.iter().enumerate().map(|(place, plan)| (plan.path.as_str(), place)).collect();
    let before: Vec<Vec<usize>> = drawn
        .iter()
        .enumerate()
        .map(|(own, plan)| {
            let known = plan.depends_on.iter().filter_map(|path| places.get(path.as_str()).copied());
            known.filter(|before| *before != own).collect::<BTreeSet<_>>().into_iter().collect()
        })
        .collect();
    let layer = layers(&before);
    let columns = columns(&layer, &before);
    let most = columns.iter().map(Vec::len).max().unwrap_or(0) as f64;
    let width = columns.len() as f64 * (BOX.0 + BETWEEN.0) - BETWEEN.0 + 2.0 * MARGIN;
    let height = most * (BOX.1 + BETWEEN.1) - BETWEEN.1 + 2.0 * MARGIN;
    let mut at = vec![(0.0, 0.0); drawn.len()];
    for (column, plans) in columns.iter().enumerate() {
        let free = height - 2.0 * MARGIN - (plans.len() as f64 * (BOX.1 + BETWEEN.1) - BETWEEN.1);
        for (row, &plan) in plans.iter().enumerate() {
            let x = MARGIN + column as f64 * (BOX.0 + BETWEEN.0);
            at[plan] = (x, MARGIN + free / 2.0 + row as f64 * (BOX.1 + BETWEEN.1));
        }
    }
    let rest = if left_out == 0 { String::new() } else { format!(" {} not drawn.", count(left_out, "more plan")) };
    let mut svg = format!(
        "<svg class=\"graph\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         aria-labelledby=\"graph-title graph-desc\"><title id=\"graph-title\">Plans by what depends on what</title>\
         <desc id=\"graph-desc\">{}, from those that come first on the left to those that wait for them on the right; the \
         table below says the same.{rest}</desc>\n",
        count(drawn.len(), "plan"),
    );
    for (plan, before) in before.iter().enumerate() {
        for &other in before {
            edge(at[other], at[plan], drawn[other].is_open(), &mut svg);
        }
    }
    for (plan, place) in drawn.iter().zip(&at) {
        node(plan, *place, &mut svg);
    }
    svg.push_str("</svg>");
    Some((svg, width))
}

/// Plans that depend on another or are depended on, those that wait before those that are done; how many of them there is no room for.
fn chosen(plans: &[PlanNode]) -> (Vec<&PlanNode>, usize) {
    let known: BTreeSet<&str> = plans.iter().map(|plan| plan.path.as_str()).collect();
    let mut joined: BTreeSet<&str> = BTreeSet::new();
    for plan in plans {
        for before in plan.depends_on.iter().filter(|path| known.contains(path.as_str()) && **path != plan.path) {
            joined.extend([plan.path.as_str(), before.as_str()]);
        }
    }
    let mut drawn: Vec<&PlanNode> = plans.iter().filter(|plan| joined.contains(plan.path.as_str())).collect();
    let all = drawn.len();
    drawn.sort_by_key(|plan| !plan.is_open());
    drawn.truncate(DRAWN);
    drawn.sort_by(|one, other| one.path.cmp(&other.path));
    (drawn, all - all.min(DRAWN))
}

/// For each plan the length of the longest way to it. What depends on itself over others is cut where the circle closes.
fn layers(before: &[Vec<usize>]) -> Vec<usize> {
    let mut layer: Vec<Option<usize>> = vec![None; before.len()];
    let mut entered = vec![false; before.len()];
    fn of(plan: usize, before: &[Vec<usize>], layer: &mut [Option<usize>], entered: &mut [bool]) -> usize {
        if let Some(known) = layer[plan] {
            return known;
        }
        entered[plan] = true;
        let mut longest = 0;
        for &other in &before[plan] {
            if layer[other].is_some() || !entered[other] {
                longest = longest.max(of(other, before, layer, entered) + 1);
            }
        }
        layer[plan] = Some(longest);
        longest
    }
    // At most as deep as there are plans drawn.
    (0..before.len()).map(|plan| of(plan, before, &mut layer, &mut entered)).collect()
}

/// The plans of each layer, brought near to those that they depend on and that depend on them.
fn columns(layer: &[usize], before: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); layer.iter().max().map_or(0, |last| last + 1)];
    for (plan, &layer) in layer.iter().enumerate() {
        columns[layer].push(plan);
    }
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); layer.len()];
    for (plan, before) in before.iter().enumerate() {
        before.iter().for_each(|&other| after[other].push(plan));
    }
    for round in 0..ROUNDS {
        let neighbours = if round % 2 == 0 { before } else { after.as_slice() };
        let mut rank = vec![0.0; layer.len()];
        for column in &columns {
            // Measured from the middle: columns are centred.
            for (row, &plan) in column.iter().enumerate() {
                rank[plan] = row as f64 - (column.len() as f64 - 1.0) / 2.0;
            }
        }
        for column in &mut columns {
            let middle = |plan: usize| match neighbours[plan].len() {
                0 => rank[plan],
                number => neighbours[plan].iter().map(|&other| rank[other]).sum::<f64>() / number as f64,
            };
            column.sort_by(|&one, &other| middle(one).total_cmp(&middle(other)).then(one.cmp(&other)));
        }
    }
    columns
}

fn edge(from: (f64, f64), to: (f64, f64), waits: bool, svg: &mut String) {
    let (x1, y1) = (from.0 + BOX.0, from.1 + BOX.1 / 2.0);
    let (x2, y2) = (to.0 - 7.0, to.1 + BOX.1 / 2.0);
    let bend = ((x2 - x1) / 2.0).max(24.0);
    let class = if waits { "edge waits" } else { "edge" };
    let _ = writeln!(
        svg,
        "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}\"/>\
         <path class=\"head\" d=\"M{x2:.1} {:.1}l7 4l-7 4z\"/>",
        x1 + bend,
        x2 - bend,
        y2 - 4.0,
    );
}

fn node(plan: &PlanNode, (x, y): (f64, f64), svg: &mut String) {
    let (class, sign) = state_of(plan.status.as_deref());
    let status = plan.status.as_deref().unwrap_or("not in the index");
    let name = plan_name(&plan.path);
    let _ = writeln!(
        svg,
        "<g class=\"plan {class}\"><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{}\" height=\"{}\" rx=\"6\"/>\
         <text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{sign} {} · {}</text><text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
        escape(&format!("{name}: {} ({status})", plan.title)),
        BOX.0,
        BOX.1,
        x + 12.0,
        y + 21.0,
        escape(&cut(name, 14)),
        escape(&cut(&status.to_lowercase(), 16)),
        x + 12.0,
        y + 39.0,
        escape(&cut(&plan.title.replace('`', ""), TITLE)),
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(number: u32, depends_on: &[u32]) -> PlanNode {
        let path = |number: u32| format!("plans/{number:03}-x.md");
        PlanNode {
            path: path(number),
            number: Some(number),
            title: format!("Do {number}"),
            status: Some("TODO".to_owned()),
            depends_on: depends_on.iter().map(|&number| path(number)).collect(),
            ..PlanNode::default()
        }
    }

    #[test]
    fn a_plan_stands_to_the_right_of_everything_it_waits_for() {
        assert_eq!(layers(&[vec![], vec![0], vec![1], vec![0, 2], vec![]]), [0, 1, 2, 3, 0]);
    }

    #[test]
    fn plans_that_stand_alone_are_not_drawn() {
        assert_eq!(graph(&[plan(1, &[]), plan(2, &[])]), None);
        let (svg, _) = graph(&[plan(1, &[]), plan(2, &[1]), plan(3, &[])]).expect("one depends on another");
        assert!(svg.contains("Do 1") && svg.contains("Do 2") && !svg.contains("Do 3"), "{svg}");
        assert_eq!(svg.matches("class=\"edge waits\"").count(), 1);
    }

    #[test]
    fn of_many_plans_those_that_wait_are_drawn() {
        let mut plans: Vec<PlanNode> =
            (1..=60).map(|number| plan(number, if number > 1 { &[1] } else { &[] })).collect();
        for plan in &mut plans[..30] {
            plan.status = Some("DONE".to_owned());
        }
        let (drawn, left_out) = chosen(&plans);
        assert_eq!((drawn.len(), left_out), (40, 20));
        assert_eq!(drawn.iter().filter(|plan| plan.is_open()).count(), 30);
    }

    proptest! {
        #[test]
        fn any_dependencies_can_be_drawn(edges in prop::collection::vec((0_u32..50, 0_u32..50), 0..120)) {
            let plans: Vec<PlanNode> = (0..50)
                .map(|number| {
                    let before: Vec<u32> = edges.iter().filter(|(_, to)| *to == number).map(|(from, _)| *from).collect();
                    plan(number, &before)
                })
                .collect();
            if let Some((svg, width)) = graph(&plans) {
                prop_assert!(svg.matches("class=\"plan ").count() <= DRAWN);
                prop_assert!(width > 0.0 && !svg.contains("NaN"));
            }
        }
    }
}
