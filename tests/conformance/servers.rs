//! Servers that are not ours, started on loopback for a test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server; it ends with the value.
pub struct Running {
    child: Child,
    port: u16,
}

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("loopback is there").port()
}

impl Running {
    /// Starts `command`, which serves at `port`, and waits until it answers at `path`.
    pub fn start(command: &mut Command, port: u16, path: &str) -> Running {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = Running { child: child.spawn().expect("it is installed"), port };
        let began = Instant::now();
        while !running.answers(path) {
            let ended = running.child.try_wait().expect("it is ours");
            assert!(ended.is_none(), "the server ended: {ended:?}");
            assert!(began.elapsed() < Duration::from_secs(120), "the server does not start");
            std::thread::sleep(Duration::from_millis(200));
        }
        running
    }

    fn answers(&self, path: &str) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// The base URL of its Chat Completions.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
