//! The cold read: a model that knows nothing but the plan says where it would have to guess.
//!
//! What it says counts only with words that stand in the plan.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::conversation::{Conversation, Opening, Part};
use crate::model::roles::Bound;
use crate::model::schema;
use crate::model::session::Session;
use crate::model::structured::{NoTools, Purpose};
use crate::model::{ModelError, Role};
use crate::plan::markdown::fence_for;
use crate::secrets::of_files::one_line;

/// Doubts of one reading, at most: more would not be mended at once.
const MOST: usize = 6;
/// Tokens of an answer, thinking included.
const MAX_OUTPUT: u64 = 8_000;
/// Shorter words stand everywhere and name no place.
const SHORTEST: usize = 8;

#[derive(Debug, Deserialize, JsonSchema)]
struct Answer {
    /// Where an executor would have to guess, the worst first; none when it would not.
    doubts: Vec<Reported>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Reported {
    /// Words of the plan, from one line, exactly as they stand there.
    quote: String,
    /// What the executor cannot tell from the plan, as a question.
    question: String,
}

/// A place where an executor would have to guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Line of the plan, 1-based.
    pub line: u32,
    /// The words it is about.
    pub quote: String,
    /// What cannot be told from the plan.
    pub question: String,
}

impl Doubt {
    /// In a line, for who is to mend it.
    pub fn words(&self) -> String {
        format!("\"{}\": {}", self.quote, self.question)
    }
}

/// Has `reader` read a plan's text. `plan` names it in the ledger.
pub fn cold_read(
    text: &str,
    session: &Session<'_>,
    reader: &Bound,
    plan: Option<&str>,
) -> Result<Vec<Doubt>, ModelError> {
    let instructions = include_str!("../../templates/planner/cold_read.md").replace("@limit", &MOST.to_string());
    let mut conversation = Conversation::new(Opening {
        system: format!("{}\n\n{}", instructions.trim(), crate::model::GUARD.trim()),
        tools: Vec::new(),
        output: Some(schema::output::<Answer>("doubts")),
    });
    let fence = fence_for(text);
    conversation.tell([Part::Text(format!("The plan:\n\n{fence}markdown\n{}\n{fence}", text.trim_end()))]);
    let purpose =
        Purpose { role: Role::Verifier, bound: reader, what: "cold read", plan, max_output: MAX_OUTPUT, rounds: 0 };
    let answer: Answer = session.answer(&purpose, &mut conversation, &mut NoTools)?;
    Ok(answer.doubts.into_iter().filter_map(|reported| founded(reported, text)).take(MOST).collect())
}

/// The doubt, if its words stand in the plan.
fn founded(reported: Reported, text: &str) -> Option<Doubt> {
    let quote = one_line(&reported.quote);
    let question = one_line(&reported.question);
    if quote.len() < SHORTEST || question.is_empty() {
        return None;
    }
    let (line, _) = (1..).zip(text.lines()).find(|(_, line)| one_line(line).contains(&quote))?;
    Some(Doubt { line, quote, question })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(quote: &str) -> Reported {
        Reported { quote: quote.to_owned(), question: "Which one?".to_owned() }
    }

    #[test]
    fn a_doubt_counts_where_its_words_stand() {
        let plan = "# Plan\n\nUse the  right helper here.\n";
        let doubt = founded(reported("the right helper"), plan).expect("the words stand there");
        assert_eq!(doubt.line, 3);
        assert_eq!(doubt.words(), "\"the right helper\": Which one?");
        assert_eq!(founded(reported("the wrong helper"), plan), None, "made up");
        assert_eq!(founded(reported("the"), plan), None, "names no place");
    }
}
