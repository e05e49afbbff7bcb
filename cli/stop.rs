//! SIGTERM and Ctrl-C, listened for from the start: one that comes early must not end the process half done.

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::Failure;

/// Tells whoever asks that the process is to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Takes the signals over.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let mut terminated = signal(SignalKind::terminate())?;
        let mut interrupted = signal(SignalKind::interrupt())?;
        let (told, stop) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
            // Nobody left to tell: then it is stopping already.
            let _ = told.send(true);
        });
        Ok(Self(stop))
    }

    /// Completes when the process is to stop.
    pub(crate) async fn told(mut self) {
        // An error means that the task above is gone, and with it the runtime.
        let _ = self.0.wait_for(|told| *told).await;
    }
}
