//! Predicted call edges against what a compiler front end says: pure, from rows to counts.
//!
//! A `mod.rs`, because the bench and the test of the scorer both take in this folder, and only then do the paths of its
//! modules hold for both.

mod answers;
mod by_how;
mod dispatch;
mod levels;
mod names;
mod nontest;
mod rows;
mod shapes;

pub use answers::Answers;
pub use by_how::HowTable;
pub use dispatch::DispatchCounts;
pub use levels::{Counts, Edge, Level};
pub use nontest::production_only;
pub use rows::{Prediction, Truth, parse};
pub use shapes::ShapeTable;

use by_how::how_table;
use levels::Levels;
use shapes::shape_table;

/// The class of edges which the truth cannot judge: see [`DispatchCounts`].
pub const DISPATCH: &str = "dispatch";

/// What the scorer says of one repository.
pub struct Score {
    /// Distinct edges at each level, the finest first; levels without a prediction are left out.
    pub levels: Vec<(Level, Counts)>,
    /// Sites judged, by how the edge was found.
    pub by_how: HowTable,
    /// Edges from a trait's or interface's method to its implementations.
    pub dispatch: DispatchCounts,
    /// Found of the truth's sites, by the shape of the call.
    pub shapes: ShapeTable,
    /// Edges of the truth that nothing predicted.
    pub missed: Vec<Edge>,
    /// Predicted edges that the truth denies.
    pub wrong: Vec<Edge>,
    /// Predictions in files the truth does not cover.
    pub unseen_files: usize,
    /// Predictions where the truth has no answer.
    pub silent: usize,
}

/// Scores predictions. Rows without a callee are not predictions; rows by `dispatch` are scored apart.
pub fn score(truth: &[Truth], predictions: &[Prediction]) -> Score {
    let answers = Answers::new(truth);
    let (dispatched, predictions): (Vec<&Prediction>, Vec<&Prediction>) = predictions
        .iter()
        .filter(|row| row.callee_file.is_some())
        .partition(|row| row.how.as_deref() == Some(DISPATCH));
    let levels = Levels::new(&answers, &predictions);
    Score {
        levels: levels.counts(&answers),
        by_how: how_table(&answers, &predictions),
        dispatch: DispatchCounts::new(truth, &answers, &dispatched),
        shapes: shape_table(truth, &answers, &levels),
        missed: levels.missed(&answers),
        wrong: levels.wrong(&answers),
        unseen_files: levels.unseen_files,
        silent: levels.silent,
    }
}
