//! `--sarif-in`: files in which other tools wrote what they found.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use improve::audit::sarif_in::{Imports, MAX_BYTES};

use super::failure::Failure;

/// Findings of other tools.
#[derive(Debug, Clone, Default, Args)]
pub struct SarifInArgs {
    /// Take in what another tool found (semgrep, clippy-sarif, zizmor, eslint, CodeQL …), from its SARIF 2.1.0; `-` is standard
    /// input; repeatable
    #[arg(long = "sarif-in", value_name = "FILE", hide_short_help = true)]
    files: Vec<PathBuf>,
}

impl SarifInArgs {
    /// What the files hold; `None` when none is named. `root` is the repository's.
    pub fn read(&self, root: &Path) -> Result<Option<Arc<Imports>>, Failure> {
        if self.files.iter().filter(|file| is_standard_input(file)).count() > 1 {
            return Err(Failure::usage("--sarif-in - is given twice, and standard input can be read once")
                .hint("name a file for each tool"));
        }
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let mut imports: Option<Imports> = None;
        for file in &self.files {
            let name = if is_standard_input(file) { "standard input".to_owned() } else { file.display().to_string() };
            let bytes = bytes_of(file).map_err(|error| {
                Failure::usage(format!("{name}: {error}"))
                    .hint("check that the file is there and yours to read; `-` reads standard input")
            })?;
            let read = Imports::read(&name, &bytes, &root.to_string_lossy())
                .map_err(|error| Failure::usage(error.to_string()).hint(error.hint()))?;
            imports.get_or_insert_default().extend(read);
        }
        Ok(imports.map(Arc::new))
    }
}

fn is_standard_input(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// The bytes, one more than the most that are read at most: then the file is refused and memory is spared.
fn bytes_of(file: &Path) -> io::Result<Vec<u8>> {
    let source: Box<dyn Read> =
        if is_standard_input(file) { Box::new(io::stdin()) } else { Box::new(File::open(file)?) };
    let mut bytes = Vec::new();
    source.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
