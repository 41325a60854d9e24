//! Parts of an audit put together: what several machines found is what one would have said. Pure.

use crate::audit::ranking;
use crate::audit::shard::Shard;
use crate::hint::Hint;
use crate::model::cost::Cost;
use crate::report::audit_document::{AuditDocument, KeptApart, SCHEMA_VERSION, Vetting};

/// A document and what it is called in messages.
pub type Named = (String, AuditDocument);

/// Documents that are not the parts of one audit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is none.
    #[error("no part is given")]
    Nothing,
    /// A document of a whole audit.
    #[error("{name}: not a part of an audit")]
    NotAPart {
        /// The document.
        name: String,
    },
    /// A document of another version of this program.
    #[error("{name}: written by a version of `improve` whose documents are of version {found}, not {SCHEMA_VERSION}")]
    OtherVersion {
        /// The document.
        name: String,
        /// Its version.
        found: u32,
    },
    /// Two parts of audits that were cut differently, or looked at different states of the repository.
    #[error("{name} and {other} are parts of different audits: {what} differs")]
    Apart {
        /// A document.
        name: String,
        /// Another.
        other: String,
        /// What tells them apart.
        what: &'static str,
    },
    /// The same part twice.
    #[error("{name} and {other} are both part {shard}")]
    Twice {
        /// A document.
        name: String,
        /// Another.
        other: String,
        /// The part.
        shard: Shard,
    },
    /// Parts are missing.
    #[error("missing: {}", missing.iter().map(|index| format!("part {index}/{of}")).collect::<Vec<_>>().join(", "))]
    Missing {
        /// Which.
        missing: Vec<usize>,
        /// Of how many.
        of: usize,
    },
}

impl Hint for MergeError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            MergeError::Nothing => "name the files that `improve audit --shard i/n --output json=FILE` wrote",
            MergeError::NotAPart { .. } => "parts are written by `improve audit --shard i/n --format json`",
            MergeError::OtherVersion { .. } => "run all parts with the same version",
            MergeError::Apart { .. } => "run all parts on the same commit, with the same flags",
            MergeError::Twice { .. } => "name each part once",
            MergeError::Missing { .. } => "a job that failed wrote none: run it again, and name its file too",
        };
        Some(text.to_owned())
    }
}

/// The audit that `parts` are the parts of.
pub fn merge(parts: Vec<Named>) -> Result<AuditDocument, MergeError> {
    let mut parts = parts.into_iter().map(numbered).collect::<Result<Vec<_>, _>>()?;
    parts.sort_by_key(|(shard, _)| *shard);
    let mut rest = parts.into_iter();
    let (shard, (first, mut whole)) = rest.next().ok_or(MergeError::Nothing)?;
    let mut there = vec![shard.index];
    let mut last = (shard, first.clone());
    for (next, (name, document)) in rest {
        let apart = |what| MergeError::Apart { name: first.clone(), other: name.clone(), what };
        if next.of != shard.of {
            return Err(apart("the number of parts"));
        }
        if document.repository.commit != whole.repository.commit {
            return Err(apart("the commit"));
        }
        if document.repository.dirty != whole.repository.dirty {
            return Err(apart("whether files were changed since"));
        }
        if next == last.0 {
            return Err(MergeError::Twice { name: last.1, other: name, shard: next });
        }
        last = (next, name);
        there.push(next.index);
        join(&mut whole, document);
    }
    let missing: Vec<usize> = (1..=shard.of).filter(|index| !there.contains(index)).collect();
    if !missing.is_empty() {
        return Err(MergeError::Missing { missing, of: shard.of });
    }
    whole.findings.sort_by(ranking::order);
    whole.known.sort_by(ranking::order);
    whole.rejected.sort_by(in_order);
    whole.suppressed.sort_by(in_order);
    Ok(AuditDocument { shard: None, ..whole })
}

fn numbered((name, document): Named) -> Result<(Shard, Named), MergeError> {
    match document.shard {
        _ if document.schema_version != SCHEMA_VERSION => {
            Err(MergeError::OtherVersion { name, found: document.schema_version })
        }
        Some(shard) => Ok((shard, (name, document))),
        None => Err(MergeError::NotAPart { name }),
    }
}

fn in_order(one: &KeptApart, other: &KeptApart) -> std::cmp::Ordering {
    ranking::order(&one.finding, &other.finding)
}

fn join(whole: &mut AuditDocument, part: AuditDocument) {
    let AuditDocument {
        schema_version: _,
        repository: _,
        planner,
        findings,
        rejected,
        suppressed,
        known,
        not_audited,
        vetting,
        cost,
        comparison: _,
        shard: _,
    } = part;
    // A part without findings asks no model to judge any.
    if vetting.is_some() && whole.vetting.is_none() {
        whole.planner = planner;
    }
    whole.findings.extend(findings);
    whole.rejected.extend(rejected);
    whole.suppressed.extend(suppressed);
    whole.known.extend(known);
    // What no part looked at is said by each.
    let new = not_audited.into_iter().filter(|it| !whole.not_audited.contains(it)).collect::<Vec<_>>();
    whole.not_audited.extend(new);
    whole.vetting = match (whole.vetting.take(), vetting) {
        (Some(one), Some(other)) => Some(both(one, other)),
        (one, other) => one.or(other),
    };
    let so_far: Cost = std::mem::take(&mut whole.cost);
    whole.cost = so_far + cost;
}

fn both(one: Vetting, other: Vetting) -> Vetting {
    let Vetting { model, confirmed, downgraded, by_design, wrong, duplicate, open, mut open_because } = one;
    open_because.extend(other.open_because);
    Vetting {
        model,
        confirmed: confirmed + other.confirmed,
        downgraded: downgraded + other.downgraded,
        by_design: by_design + other.by_design,
        wrong: wrong + other.wrong,
        duplicate: duplicate + other.duplicate,
        open: open + other.open,
        open_because,
    }
}

#[cfg(test)]
mod tests;
