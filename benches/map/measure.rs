//! CPU time, wall time and peak memory of a child process.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};

/// What a process cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Seconds of user and system time.
    pub cpu: f64,
    /// Seconds.
    pub wall: f64,
    /// Bytes resident at most.
    pub peak_bytes: u64,
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.2} / {:.2} / {}", self.cpu, self.wall, self.peak_bytes / 1_000_000)
    }
}

/// The least of each figure: whatever else runs on the machine only adds.
pub fn least(costs: &[Cost]) -> Cost {
    let least = |figure: fn(&Cost) -> f64| costs.iter().map(figure).fold(f64::INFINITY, f64::min);
    let peak_bytes = costs.iter().map(|cost| cost.peak_bytes).min().unwrap_or_default();
    Cost { cpu: least(|cost| cost.cpu), wall: least(|cost| cost.wall), peak_bytes }
}

/// This program with other arguments.
pub fn own(arguments: &[&str]) -> Vec<String> {
    let own = std::env::current_exe().expect("the system knows its programs");
    std::iter::once(own.to_string_lossy().into_owned())
        .chain(arguments.iter().map(|argument| (*argument).to_owned()))
        .collect()
}

/// What `command` costs: a child of this program waits for it, so that the figures are of nothing else.
pub fn cost(command: &[String], environment: &[(&str, &Path)]) -> Cost {
    let mut waiting = own(&["--measured"]);
    waiting.extend_from_slice(command);
    let output = Command::new(&waiting[0])
        .args(&waiting[1..])
        .envs(environment.iter().copied())
        .output()
        .expect("this program can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = text.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    let [cpu, wall, peak] = figures[..] else {
        panic!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    };
    Cost { cpu, wall, peak_bytes: peak as u64 }
}

/// Runs `program` and prints what it cost.
pub fn run_measured(program: &str, arguments: &[&str]) {
    let begun = Instant::now();
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status();
    let wall = begun.elapsed().as_secs_f64();
    if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
        eprintln!("{program} {arguments:?}: {status:?}");
        std::process::exit(1);
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the system keeps count");
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    // Linux counts kibibytes.
    let peak_bytes = usage.max_rss() * 1024;
    println!("{} {wall} {peak_bytes}", seconds(usage.user_time()) + seconds(usage.system_time()));
}
