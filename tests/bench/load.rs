//! The load: many connections that are kept, the same request on each again and again. It shares the machine with the
//! server it measures, so it does as little as HTTP/1.1 allows, and the same for every server.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpStream, task::JoinSet};

use crate::machine::now;

/// More than the head and the body of any answer that is measured.
const ANSWER_BYTES_MAX: usize = 8 * 1024;

/// Connections that are open.
pub struct Load {
    connections: Vec<Connection>,
    request: Arc<[u8]>,
}

/// What a load got done.
pub struct Done {
    pub requests: u64,
    pub took: Duration,
}

impl Load {
    /// Opens so many connections and gets one answer on each.
    pub async fn open(address: SocketAddr, request: &str, connections: usize) -> io::Result<Self> {
        let mut opened = Vec::with_capacity(connections);
        for _ in 0..connections {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            opened.push(Connection {
                stream,
                buffer: Box::new([0; ANSWER_BYTES_MAX]),
            });
        }
        let mut load = Self {
            connections: opened,
            request: request.as_bytes().into(),
        };
        load.send(|done, _| done == 0).await?;
        Ok(load)
    }

    /// Keeps every connection busy for so long.
    pub async fn keep_up(&mut self, time: Duration) -> io::Result<Done> {
        self.send(move |_, elapsed| elapsed < time).await
    }

    /// Gets so many answers, or a few more: every connection gets the same number.
    pub async fn get(&mut self, requests: u64) -> io::Result<Done> {
        let each = requests.div_ceil(self.connections.len() as u64);
        self.send(move |done, _| done < each).await
    }

    /// Sends on each connection for as long as `go_on` says so, given what this connection has done and how long it took.
    async fn send(
        &mut self,
        go_on: impl Fn(u64, Duration) -> bool + Copy + Send + 'static,
    ) -> io::Result<Done> {
        let began = now();
        let mut busy = JoinSet::new();
        for mut connection in self.connections.drain(..) {
            let request = Arc::clone(&self.request);
            busy.spawn(async move {
                let mut done = 0;
                while go_on(done, began.elapsed()) {
                    connection.exchange(&request).await?;
                    done += 1;
                }
                Ok::<_, io::Error>((connection, done))
            });
        }
        let mut requests = 0;
        while let Some(ended) = busy.join_next().await {
            let (connection, done) = ended??;
            self.connections.push(connection);
            requests += done;
        }
        Ok(Done {
            requests,
            took: began.elapsed(),
        })
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Box<[u8; ANSWER_BYTES_MAX]>,
}

impl Connection {
    async fn exchange(&mut self, request: &[u8]) -> io::Result<()> {
        // A socket that has been read empty takes a few hundred bytes at once.
        if self.stream.try_write(request)? != request.len() {
            return Err(broken("the server does not read"));
        }
        let mut filled = 0;
        loop {
            self.stream.readable().await?;
            match self.stream.try_read(&mut self.buffer[filled..]) {
                Ok(0) => return Err(broken("the server hung up, or answered more than expected")),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            }
            match answer_length(&self.buffer[..filled])? {
                Some(length) if length == filled => return Ok(()),
                Some(length) if length < filled => return Err(broken("the server answered twice")),
                _ => {}
            }
        }
    }
}

/// How long the answer is that begins so, once its head is there. Anything but a 200 is an error: a server that refuses
/// is quick, and its speed means nothing.
fn answer_length(answer: &[u8]) -> io::Result<Option<usize>> {
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let find = |what: &[u8]| answer.windows(what.len()).position(|window| window == what);
    let Some(head) = find(b"\r\n\r\n") else {
        return Ok(None);
    };
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        return Err(broken(&String::from_utf8_lossy(answer)));
    }
    let digits = find(LENGTH).ok_or_else(|| broken("an answer without a length"))? + LENGTH.len();
    let digits = answer[digits..].iter().take_while(|byte| byte.is_ascii_digit());
    let body = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    Ok(Some(head + 4 + body))
}

fn broken(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}
