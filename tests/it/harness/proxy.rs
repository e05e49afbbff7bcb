//! The network between a service and its database: it can be cut and healed, and it can lose an answer.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// A port of this machine behind which another one lies. Gone with this, connections included.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_cut: bool,
    is_over: bool,
    /// The connection on which the next request with these bytes in it goes gets no answer any more.
    lose_answer_to: Option<Vec<u8>>,
    /// Both ends of every connection so far.
    ends: Vec<TcpStream>,
}

impl Proxy {
    /// A way to this port of this machine.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let shared = Arc::new(Shared {
            server,
            state: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { port, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends every connection, and takes none until it is healed.
    pub fn cut(&self) {
        let mut state = self.shared.lock();
        state.is_cut = true;
        state.end_connections();
    }

    /// Takes connections again.
    pub fn heal(&self) {
        self.shared.lock().is_cut = false;
    }

    /// Hands on the next request with these bytes in it, and loses the answer: the connection stays open and silent.
    pub fn lose_answer_to(&self, bytes: &[u8]) {
        self.shared.lock().lose_answer_to = Some(bytes.to_vec());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.is_over = true;
            state.end_connections();
        }
        // Wakes the thread that accepts, so that it sees that.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

impl State {
    fn end_connections(&mut self) {
        for end in self.ends.drain(..) {
            // Its other side may have ended it already.
            drop(end.shutdown(Shutdown::Both));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this request is the one whose answer is to be lost.
    fn loses_answer_to(&self, request: &[u8]) -> bool {
        let mut state = self.lock();
        let is_meant = state
            .lose_answer_to
            .as_deref()
            .is_some_and(|bytes| request.windows(bytes.len()).any(|window| window == bytes));
        if is_meant {
            state.lose_answer_to = None;
        }
        is_meant
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        let mut state = shared.lock();
        if state.is_over {
            return;
        }
        if state.is_cut {
            continue;
        }
        // A server that is not there, and a client that has gone: the connection ends as it would without a proxy.
        if let Ok(client) = client
            && let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.server))
            && link(&client, &server, shared).is_ok()
        {
            state.ends.extend([client, server]);
        }
    }
}

fn link(client: &TcpStream, server: &TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    let is_silent = Arc::new(AtomicBool::new(false));
    let (there, back) = (
        (client.try_clone()?, server.try_clone()?),
        (server.try_clone()?, client.try_clone()?),
    );
    thread::spawn({
        let (shared, is_silent) = (Arc::clone(shared), Arc::clone(&is_silent));
        move || {
            pump(there, |request| {
                if shared.loses_answer_to(request) {
                    is_silent.store(true, Ordering::SeqCst);
                }
                true
            });
        }
    });
    thread::spawn(move || pump(back, |_| !is_silent.load(Ordering::SeqCst)));
    Ok(())
}

/// Hands on what comes, as far as `hands_on` agrees, and the end.
fn pump((mut from, mut to): (TcpStream, TcpStream), hands_on: impl Fn(&[u8]) -> bool) {
    // Small requests come in one piece.
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length) = from.read(&mut buffer) {
        let piece = &buffer[..length];
        if length == 0 || (hands_on(piece) && to.write_all(piece).is_err()) {
            break;
        }
    }
    for end in [from, to] {
        drop(end.shutdown(Shutdown::Both));
    }
}
