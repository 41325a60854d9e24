//! A server of models on loopback that answers from a script and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// What the server says to a request, by its method and path and its body: a status and a body.
pub type Script = dyn Fn(&str, &str) -> (u16, String) + Send + Sync;

/// The server. It lives as long as the test's process.
pub struct Server {
    /// Its address, as a base URL.
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// A server that answers every request by `script`, which is given its body.
    #[allow(dead_code)] // Not every suite scripts by the body alone.
    pub fn start(script: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static) -> Server {
        Server::of_paths(move |_, body| {
            let (status, answer) = script(&serde_json::from_str(body).unwrap_or(Value::Null));
            (status, answer.to_string())
        })
    }

    /// A server that answers by `script`, which is given `POST /path` and the body.
    pub fn of_paths(script: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let (script, log, seen): (Arc<Script>, _, _) = (Arc::new(script), asked.clone(), heads.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log, seen) = (script.clone(), log.clone(), seen.clone());
                // A caller that goes away in the middle is no fault of the server.
                std::thread::spawn(move || drop(serve(stream, &*script, &log, &seen)));
            }
        });
        Server { url, asked, heads }
    }

    /// The bodies of all requests, as they came.
    #[allow(dead_code)] // Not every suite looks at bodies.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no thread of the server panics").clone()
    }

    /// What came before each body: the line and the headers.
    #[allow(dead_code)] // Most suites look at bodies alone.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no thread of the server panics").clone()
    }
}

fn serve(
    stream: TcpStream,
    script: &Script,
    log: &Mutex<Vec<String>>,
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let length =
            head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        // The key is in the head, where it belongs; the log is what the model sees.
        log.lock().expect("no thread panics").push(body.clone());
        seen.lock().expect("no thread panics").push(head.clone());
        let line = head.lines().next().unwrap_or_default();
        let (status, answer) = script(line.strip_suffix(" HTTP/1.1").unwrap_or(line), &body);
        let kind = if answer.starts_with("event: ") { "text/event-stream" } else { "application/json" };
        write!(
            stream,
            "HTTP/1.1 {status} Scripted\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        )?;
        stream.flush()?;
    }
}
