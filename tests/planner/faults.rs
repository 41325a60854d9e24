//! What goes wrong between here and a model, over real sockets: each fault ends in a message, a documented exit code, and with what the
//! rules found still there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};

use super::models::Server;
use super::{document, message, program, rules, shop, stderr};

/// A server that answers every request with `answer` as it stands, and hangs up.
fn raw(answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Clone + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // A caller that goes away in the middle is no fault of the server.
            std::thread::spawn(move || drop(serve(stream, &answer)));
        }
    });
    url
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&mut TcpStream) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    answer(&mut stream)
}

fn text(head: &'static str, body: &'static str) -> String {
    raw(move |stream| write!(stream, "HTTP/1.1 {head}\r\nconnection: close\r\n\r\n{body}"))
}

fn refusal(status: u16, headers: &'static str, kind: &'static str) -> String {
    raw(move |stream| {
        let body = json!({"type": "error", "error": {"type": kind, "message": "it says no"}}).to_string();
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status} No\r\n{headers}content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    })
}

fn says(content: Value, stop_reason: &'static str) -> String {
    Server::start(move |_| message(content.clone(), stop_reason)).url
}

/// A whole answer that comes a few bytes at a time.
fn drip() -> String {
    raw(|stream| {
        let text = json!([{"type": "text", "text": "{\"findings\": [], \"verdicts\": []}"}]);
        let body = message(text, "end_turn").1.to_string();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len())?;
        for piece in body.as_bytes().chunks(8) {
            stream.write_all(piece)?;
            stream.flush()?;
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    })
}

/// The fault, the server, the exit code, and what is said of it.
fn faults() -> Vec<(&'static str, String, i32, &'static str)> {
    let tool = json!([{"type": "tool_use", "id": "t", "name": "launch", "input": {}}]);
    let started = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1}}}\n\n";
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("loopback is there");
    vec![
        ("401", refusal(401, "", "authentication_error"), 2, "the API key was not accepted"),
        ("403", refusal(403, "", "permission_error"), 2, "HTTP 403"),
        ("404", refusal(404, "", "not_found_error"), 2, "HTTP 404"),
        ("413", refusal(413, "", "request_too_large"), 3, "HTTP 413"),
        ("429 at once", refusal(429, "retry-after: 0\r\n", "rate_limit_error"), 3, "HTTP 429"),
        ("429 in an hour", refusal(429, "retry-after: 3600\r\n", "rate_limit_error"), 3, "HTTP 429"),
        ("500", refusal(500, "", "api_error"), 3, "HTTP 500"),
        ("529", refusal(529, "retry-after: 0\r\n", "overloaded_error"), 3, "HTTP 529"),
        ("nobody there", format!("http://{gone}"), 2, "no connection to"),
        ("TLS", text("200 OK", "plain").replace("http://", "https://"), 2, "no safe connection"),
        ("cut body", text("200 OK\r\ncontent-length: 1000", "{\"content\": ["), 3, "cut"),
        ("cut stream", text("200 OK\r\ncontent-type: text/event-stream", started), 3, "cut"),
        ("no JSON", text("200 OK", "<html>hello</html>"), 3, "JSON"),
        ("nothing said", says(json!([]), "end_turn"), 3, "the model said nothing"),
        ("the model refuses", says(json!([{"type": "text", "text": "No."}]), "refusal"), 3, "refused"),
        ("too long an answer", says(json!([{"type": "text", "text": "{\"find"}]), "max_tokens"), 3, "tokens"),
        ("another form", says(json!([{"type": "text", "text": "{\"a\": 1}"}]), "end_turn"), 3, "form"),
        ("unknown tools without end", says(tool, "tool_use"), 3, "tool"),
        ("slow drip", drip(), 0, ""),
    ]
}

#[test]
fn each_fault_of_a_server_has_its_message_its_exit_code_and_costs_no_finding() {
    let audited = |url: &str| -> Output {
        let repository = shop();
        let server = Server::start(|_| (500, Value::Null));
        let arguments = ["audit", "--effort", "quick", "--format", "json"];
        program(repository.path(), &server, &arguments)
            .env("ANTHROPIC_BASE_URL", url)
            .output()
            .expect("the program starts")
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let cases = faults().into_iter().map(|(fault, url, code, said)| {
            scope.spawn(move || {
                let output = audited(&url);
                let document = document(&output);
                let all = format!("{}{}", stderr(&output), document["not_audited"]) + &document["vetting"].to_string();
                let kept = rules(&document, "findings").contains(&"n-plus-one".to_owned());
                let is_right = output.status.code() == Some(code) && all.contains(said) && kept;
                (!is_right).then(|| format!("{fault}: {:?}, kept {kept}\n{all}\n", output.status.code()))
            })
        });
        let running: Vec<_> = cases.collect();
        running.into_iter().filter_map(|case| case.join().expect("no case panics")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
