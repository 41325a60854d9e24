//! HTTP: the only door to the network. Blocking calls outside, tokio inside.
//!
//! Redirects are not followed: a key must not travel to a host that nobody named.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use sse_stream::SseByteStream;

use crate::cancel::Cancel;

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: &'a str,
    /// Headers, keys among them: never printed.
    pub headers: &'a [(String, Hidden)],
    /// The body, JSON unless a header says otherwise.
    pub body: Option<&'a [u8]>,
}

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Asks for something that is there.
    Get,
    /// Sends something.
    Post,
    /// Changes something that is there.
    Patch,
}

/// A header's value, which may be a key: it never prints, not even in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("…")
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; empty where it came as events.
    pub body: Vec<u8>,
    /// It came as events.
    pub streamed: bool,
}

/// Hears the events of a stream as they come: name (empty where there is none) and data.
pub type Listener<'a> = dyn FnMut(&str, &str) + 'a;

/// Sends requests.
pub trait Transport: Sync {
    /// Sends one and waits for its answer. Any status is an answer; a fault is the lack of one.
    fn send(&self, call: &Call<'_>, listener: &mut Listener<'_>, cancel: &Cancel) -> Result<Answer, TransportFault>;
}

/// What goes wrong on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportFault {
    /// The address is none.
    #[error("{url} is not an address: {why}")]
    BadAddress {
        /// The address.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody answers there.
    #[error("no connection to {host}: {why}")]
    Connect {
        /// The host.
        host: String,
        /// What the operating system said.
        why: String,
    },
    /// The certificate, or the talk about it, failed.
    #[error("no safe connection to {host}: {why}")]
    Tls {
        /// The host.
        host: String,
        /// What failed.
        why: String,
    },
    /// No answer began in time.
    #[error("no answer within {0:?}")]
    FirstByte(Duration),
    /// An answer began and then nothing more came.
    #[error("the answer stopped coming for {0:?}")]
    Idle(Duration),
    /// The connection ended before the answer did.
    #[error("the connection was cut before the answer was complete")]
    Cut,
    /// The answer is larger than any sensible one.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Something else.
    #[error("{0}")]
    Other(String),
    /// The user asked to stop.
    #[error("interrupted")]
    Cancelled,
}

impl TransportFault {
    /// It may pass by itself.
    pub fn passes(&self) -> bool {
        match self {
            TransportFault::Connect { .. }
            | TransportFault::FirstByte(_)
            | TransportFault::Idle(_)
            | TransportFault::Cut
            | TransportFault::Other(_) => true,
            TransportFault::BadAddress { .. }
            | TransportFault::Tls { .. }
            | TransportFault::TooLarge(_)
            | TransportFault::Cancelled => false,
        }
    }

    /// The vendor may have worked, and may bill it, though no answer came whole.
    pub fn may_be_billed(&self) -> bool {
        match self {
            TransportFault::FirstByte(_)
            | TransportFault::Idle(_)
            | TransportFault::Cut
            | TransportFault::TooLarge(_)
            | TransportFault::Other(_)
            | TransportFault::Cancelled => true,
            TransportFault::BadAddress { .. } | TransportFault::Connect { .. } | TransportFault::Tls { .. } => false,
        }
    }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection. The vendors' SDKs give it 5 seconds.
    pub connect: Duration,
    /// For the first byte of an answer. A model may think for minutes before it answers in one piece.
    pub first_byte: Duration,
    /// For the next byte.
    pub idle: Duration,
    /// For everything.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(10 * 60),
            idle: Duration::from_secs(120),
            total: Duration::from_secs(30 * 60),
        }
    }
}

/// Bytes of an answer beyond which it is no answer of a model: the longest is under a megabyte.
const LARGEST_ANSWER: usize = 64 << 20;
/// How often a waiting call looks whether the user asked to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Sends requests over the network.
pub struct Http {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    timeouts: Timeouts,
}

impl Http {
    /// A client.
    pub fn new(timeouts: Timeouts) -> Result<Http, TransportFault> {
        let failed = |error: &dyn std::error::Error| TransportFault::Other(chain(error));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("http")
            .enable_all()
            .build()
            .map_err(|error| failed(&error))?;
        let client = reqwest::Client::builder()
            .user_agent(concat!("improve/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeouts.connect)
            .read_timeout(timeouts.idle.max(timeouts.first_byte))
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Http { runtime, client, timeouts })
    }

    async fn exchange(&self, call: &Call<'_>, listener: &mut Listener<'_>) -> Result<Answer, TransportFault> {
        let url = reqwest::Url::parse(call.url)
            .map_err(|error| TransportFault::BadAddress { url: call.url.to_owned(), why: error.to_string() })?;
        let host = url.host_str().map(str::to_owned).unwrap_or_default();
        let host = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        // A connection that is kept may be closed by the server in the moment the next request is sent, which is then lost. Without TLS a
        // new one costs next to nothing, and who is spoken to so is mostly a server of models on this machine.
        let is_plain = url.scheme() == "http";
        let mut request = match call.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url),
            Method::Patch => self.client.patch(url),
        };
        if is_plain {
            request = request.header("connection", "close");
        }
        for (name, value) in call.headers {
            request = request.header(name, &value.0);
        }
        if let Some(body) = call.body {
            if !call.headers.iter().any(|(name, _)| name == "content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body.to_vec());
        }
        let sent = tokio::time::timeout(self.timeouts.first_byte, request.send()).await;
        let response = sent
            .map_err(|_| TransportFault::FirstByte(self.timeouts.first_byte))?
            .map_err(|error| self.fault(&error, &host))?;
        let mut answer = Answer { status: response.status().as_u16(), ..Answer::default() };
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            answer.headers.push((name.as_str().to_owned(), value));
        }
        let is_stream = answer
            .headers
            .iter()
            .any(|(name, value)| name == "content-type" && value.trim_start().starts_with("text/event-stream"));
        if is_stream && response.status().is_success() {
            answer.streamed = true;
            self.listen(response, &host, listener).await?;
        } else {
            answer.body = self.read(response, &host).await?;
        }
        Ok(answer)
    }

    async fn listen(
        &self,
        response: reqwest::Response,
        host: &str,
        listener: &mut Listener<'_>,
    ) -> Result<(), TransportFault> {
        let mut events = SseByteStream::new(response.bytes_stream());
        let mut heard = 0_usize;
        loop {
            let next = tokio::time::timeout(self.timeouts.idle, events.next()).await;
            let event = match next.map_err(|_| TransportFault::Idle(self.timeouts.idle))? {
                None => return Ok(()),
                Some(Ok(event)) => event,
                Some(Err(sse_stream::Error::Body(error))) => {
                    return Err(match error.downcast_ref::<reqwest::Error>() {
                        Some(error) => self.fault(error, host),
                        None => TransportFault::Cut,
                    });
                }
                Some(Err(error)) => return Err(TransportFault::Other(chain(&error))),
            };
            let Some(data) = event.data else { continue };
            heard += data.len();
            if heard > LARGEST_ANSWER {
                return Err(TransportFault::TooLarge(LARGEST_ANSWER));
            }
            listener(event.event.as_deref().unwrap_or_default(), &data);
        }
    }

    async fn read(&self, response: reqwest::Response, host: &str) -> Result<Vec<u8>, TransportFault> {
        let mut pieces = response.bytes_stream();
        let mut body = Vec::new();
        loop {
            let next = tokio::time::timeout(self.timeouts.idle, pieces.next()).await;
            match next.map_err(|_| TransportFault::Idle(self.timeouts.idle))? {
                None => return Ok(body),
                Some(Ok(piece)) if body.len() + piece.len() > LARGEST_ANSWER => {
                    return Err(TransportFault::TooLarge(LARGEST_ANSWER));
                }
                Some(Ok(piece)) => body.extend_from_slice(&piece),
                Some(Err(error)) => return Err(self.fault(&error, host)),
            }
        }
    }

    fn fault(&self, error: &reqwest::Error, host: &str) -> TransportFault {
        let host = host.to_owned();
        let causes = || std::iter::successors(std::error::Error::source(error), |error| error.source());
        let why = || causes().last().map_or_else(|| error.to_string(), ToString::to_string);
        let about_tls = causes().any(|cause| {
            let said = cause.to_string();
            cause.is::<std::io::Error>()
                && (said.contains("certificate") || said.contains("tls") || said.contains("TLS"))
                || said.contains("invalid peer certificate")
                || said.contains("InvalidMessage")
        });
        match () {
            () if error.is_builder() => TransportFault::BadAddress { url: host, why: why() },
            () if about_tls => TransportFault::Tls { host, why: why() },
            () if error.is_connect() => TransportFault::Connect { host, why: why() },
            () if error.is_timeout() => TransportFault::Idle(self.timeouts.idle),
            () if error.is_body() || error.is_decode() || error.is_request() => TransportFault::Cut,
            () => TransportFault::Other(chain(error)),
        }
    }
}

impl Transport for Http {
    fn send(&self, call: &Call<'_>, listener: &mut Listener<'_>, cancel: &Cancel) -> Result<Answer, TransportFault> {
        let total = self.timeouts.total;
        let work = async {
            tokio::time::timeout(total, self.exchange(call, listener)).await.unwrap_or(Err(TransportFault::Idle(total)))
        };
        self.runtime.block_on(until(work, cancel)).unwrap_or(Err(TransportFault::Cancelled))
    }
}

/// What `work` gives, or nothing once `cancel` is raised.
async fn until<T>(work: impl Future<Output = T>, cancel: &Cancel) -> Option<T> {
    let stopped = async {
        while !cancel.is_cancelled() {
            tokio::time::sleep(LOOK).await;
        }
    };
    match select(pin!(work), pin!(stopped)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// An error and what caused it, on one line. Addresses are left out: some carry a key.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let said: Vec<String> = causes.map(ToString::to_string).collect();
    said.join(": ")
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Answers one request of a connection, says that it stays open, and hangs up over the next.
    fn fickle(stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let mut next = || lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).count();
        next();
        write!(&stream, "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{{}}")?;
        next();
        Ok(())
    }

    #[test]
    fn a_server_without_tls_that_closes_what_it_said_it_keeps_loses_no_request() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A caller that goes away in the middle is no fault of the server.
                std::thread::spawn(move || drop(fickle(stream)));
            }
        });
        let http = Http::new(Timeouts::default()).expect("a client");
        for _ in 0..3 {
            let call = Call { method: Method::Get, url: &url, headers: &[], body: None };
            let answer = http.send(&call, &mut |_, _| (), &Cancel::default()).expect("it is answered");
            assert_eq!(answer.body, b"{}");
        }
    }
}
