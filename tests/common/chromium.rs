//! A headless Chromium, where there is one: it renders a page, says what became of it, and reaches no network.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Names it goes by.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A browser with a profile of its own.
pub struct Chromium {
    program: PathBuf,
    profile: tempfile::TempDir,
}

/// A picture of a page.
pub struct Picture {
    /// In pixels.
    pub width: u32,
    /// Pixels, three bytes each.
    pub pixels: Vec<u8>,
}

impl Chromium {
    /// The one that `IMPROVE_TEST_CHROMIUM` names, else the first in the search path.
    pub fn find() -> Option<Chromium> {
        let named = std::env::var_os("IMPROVE_TEST_CHROMIUM").map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let in_path = || {
            let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
            NAMES.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()))
        };
        let program = named.or_else(in_path)?;
        Some(Chromium { program, profile: tempfile::tempdir().expect("a temporary folder") })
    }

    /// Opens `page` with these arguments.
    fn open(&self, page: &str, args: &[&str]) -> Output {
        let output = Command::new(&self.program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"])
            .args([
                "--hide-scrollbars",
                "--no-first-run",
                "--disable-dev-shm-usage",
                "--enable-logging=stderr",
                "--v=0",
            ])
            .arg(format!("--user-data-dir={}", self.profile.path().display()))
            .args(args)
            .arg(page)
            .stdin(Stdio::null())
            .output()
            .expect("the browser starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stderr);
        let complaints: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(complaints.is_empty(), "the page complains: {complaints:?}");
        output
    }

    /// The document after its scripts ran.
    pub fn document(&self, page: &str) -> String {
        String::from_utf8(self.open(page, &["--dump-dom"]).stdout).expect("a document is text")
    }

    /// The page in a window of this size, in a light or a dark theme.
    pub fn picture(&self, page: &str, size: (u32, u32), dark: bool, file: &Path) -> Picture {
        let scheme = if dark { 0 } else { 1 };
        let args = [
            format!("--window-size={},{}", size.0, size.1),
            format!("--blink-settings=preferredColorScheme={scheme}"),
            format!("--screenshot={}", file.display()),
        ];
        self.open(page, &args.each_ref().map(String::as_str));
        let decoder =
            png::Decoder::new(std::io::BufReader::new(std::fs::File::open(file).expect("a picture was taken")));
        let mut reader = decoder.read_info().expect("it is a PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("it fits in memory")];
        let info = reader.next_frame(&mut bytes).expect("it is whole");
        let channels = info.color_type.samples();
        assert!(channels >= 3, "it has colours");
        let pixels =
            bytes[..info.buffer_size()].chunks(channels).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Picture { width: info.width, pixels }
    }

    /// The page on paper.
    pub fn paper(&self, page: &str, file: &Path) -> Vec<u8> {
        self.open(page, &["--no-pdf-header-footer", &format!("--print-to-pdf={}", file.display())]);
        std::fs::read(file).expect("it was printed")
    }
}

impl Picture {
    /// How bright it is, from 0 to 255.
    pub fn brightness(&self) -> f64 {
        self.pixels.iter().map(|byte| f64::from(*byte)).sum::<f64>() / self.pixels.len() as f64
    }

    /// How many colours are in it.
    pub fn colours(&self) -> usize {
        self.pixels.chunks(3).collect::<std::collections::BTreeSet<_>>().len()
    }
}
