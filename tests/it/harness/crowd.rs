//! Many callers at once: everybody is connected before the first of them asks.

use std::{io, net::SocketAddr};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{net::TcpStream, task::JoinSet};

/// Callers who are connected and have not asked yet.
pub struct Crowd(Vec<TcpStream>);

impl Crowd {
    /// So many callers at each of these addresses.
    pub async fn gather(addresses: &[SocketAddr], at_each: usize) -> io::Result<Self> {
        open_as_many_files_as_may_be()?;
        let mut callers = Vec::with_capacity(addresses.len() * at_each);
        // Round by round, so that no listener's queue is filled at once.
        for _ in 0..at_each {
            for address in addresses {
                callers.push(TcpStream::connect(address).await?);
            }
        }
        Ok(Self(callers))
    }

    /// Everybody sends this request (HTTP/1.1, `connection: close`); the bodies of the answers, each of which has to be
    /// a 200.
    pub async fn ask(self, request: &str) -> io::Result<Vec<String>> {
        let mut asking = JoinSet::new();
        for caller in self.0 {
            let request = request.to_owned();
            asking.spawn(async move { exchange(&caller, &request).await });
        }
        asking.join_all().await.into_iter().collect()
    }
}

/// A crowd has more connections than most shells let a process have files (1,024); it only has to ask for more.
fn open_as_many_files_as_may_be() -> io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    Ok(setrlimit(Resource::Nofile, most)?)
}

async fn exchange(caller: &TcpStream, request: &str) -> io::Result<String> {
    // A socket that nothing was written to takes a few hundred bytes at once.
    caller.writable().await?;
    if caller.try_write(request.as_bytes())? != request.len() {
        return Err(io::Error::other("the server does not read"));
    }
    let mut answer = Vec::new();
    loop {
        caller.readable().await?;
        match caller.try_read_buf(&mut answer) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    let answer = String::from_utf8(answer).map_err(io::Error::other)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(io::Error::other(answer)),
    }
}
