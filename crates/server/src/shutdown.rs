//! The signals that stop the server.

use std::io;

/// Installs the handlers of the signals, and returns a future that completes with the first signal:
/// SIGINT (Ctrl+C), and on Unix also SIGTERM, which `kill`, containers and service managers send.
///
/// # Errors
/// Fails if a handler cannot be installed.
pub fn signal() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // Without a handler, the system ends the process at Ctrl+C.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
