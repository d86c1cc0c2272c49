//! The open connections, and the limits on their number.
//!
//! When a limit is reached, connections that wait for their peer are closed for new ones: first those
//! without a request, then those whose peer neither sends nor reads. If there are none, the oldest one
//! without an authorized request is closed: strangers could keep all busy with pipelined requests.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::network;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::activity::Activity;
use crate::notice::Notice;

/// How long a connection must have waited for its peer before it is closed for another.
const MIN_WAIT: Duration = Duration::from_secs(1);

/// How long a new connection waits while all others make progress.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// The time between two searches for a connection that can be closed.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// How many connections may be open.
pub struct ConnectionLimits {
    /// In all.
    pub total: usize,
    /// For each address outside this machine. An IPv6 address counts as its /64 network.
    pub per_peer: usize,
    /// For each loopback address.
    pub per_loopback_peer: usize,
}

/// A limit that keeps a connection from being accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reached {
    /// The limit in all.
    Total,
    /// The limit of the peer's address.
    Peer,
}

/// The result of an attempt to accept a connection.
enum Attempt {
    Admitted(Connection),
    /// Another connection is closed for it.
    Closing,
    /// No other connection can be closed at present.
    Full(Reached),
}

/// The open connections.
pub struct Connections {
    limits: ConnectionLimits,
    table: Mutex<Table>,
    /// A connection was closed. Only the accept loop waits for this.
    released: Notify,
}

#[derive(Default)]
struct Table {
    next_id: u64,
    open: BTreeMap<u64, Entry>,
    /// When a new connection first found no place, unless one was closed since.
    full_since: Option<Instant>,
    total_reached: Notice,
    peer_reached: Notice,
}

struct Entry {
    peer: IpAddr,
    accepted_at: Instant,
    activity: Arc<Activity>,
}

/// An open connection, which counts until it is dropped.
pub struct Connection {
    id: u64,
    connections: Arc<Connections>,
    /// What the connection waits for.
    pub activity: Arc<Activity>,
}

impl Connections {
    /// Creates an empty set of connections.
    pub fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            table: Mutex::default(),
            released: Notify::new(),
        })
    }

    /// Admits a connection from `peer`. If a limit is reached, closes a connection that waits for its
    /// peer, and waits up to 5 seconds for one to do so.
    ///
    /// # Errors
    /// Fails if all other connections make progress.
    pub async fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Connection, Reached> {
        let peer = network(peer);
        loop {
            match self.try_admit(peer) {
                Attempt::Admitted(connection) => return Ok(connection),
                Attempt::Full(reached) => return Err(reached),
                Attempt::Closing => {
                    let retry_at = Instant::now() + RETRY_INTERVAL;
                    // Either way the next attempt shows whether there is a place.
                    let _ = timeout_at(retry_at, self.released.notified()).await;
                }
            }
        }
    }

    /// Closes the connection that has waited longest for its peer, to free a file handle.
    pub fn close_waiting(&self) {
        self.table().close_waiting(|_| true);
    }

    fn try_admit(self: &Arc<Self>, peer: IpAddr) -> Attempt {
        let limits = &self.limits;
        let mut table = self.table();
        let peer_limit = match peer.is_loopback() {
            true => limits.per_loopback_peer,
            false => limits.per_peer,
        };
        if table.count(peer) >= peer_limit {
            table.peer_reached.report(|| {
                format!("{peer} has {peer_limit} connections: see --max-connections-each")
            });
            return match table.close_waiting(|entry| entry.peer == peer) {
                true => Attempt::Closing,
                // Waiting would delay the connections of other peers.
                false => Attempt::Full(Reached::Peer),
            };
        }
        if table.open.len() >= limits.total {
            table.total_reached.report(|| {
                format!(
                    "All {} connections are in use: see --max-connections",
                    limits.total
                )
            });
            let full_since = *table.full_since.get_or_insert_with(Instant::now);
            return match table.close_waiting(|_| true) || full_since.elapsed() < MAX_DELAY {
                true => Attempt::Closing,
                false => Attempt::Full(Reached::Total),
            };
        }
        let id = table.next_id;
        table.next_id += 1;
        let activity = Arc::new(Activity::new());
        let entry = Entry {
            peer,
            accepted_at: Instant::now(),
            activity: activity.clone(),
        };
        table.open.insert(id, entry);
        Attempt::Admitted(Connection {
            id,
            connections: self.clone(),
            activity,
        })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn count(&self, peer: IpAddr) -> usize {
        let open = self.open.values();
        open.filter(|entry| entry.peer == peer).count()
    }

    /// Closes the connection that has waited longest for its peer, or else the oldest one without an
    /// authorized request, among those that `is_candidate` accepts, unless one of them is about to
    /// close. Returns whether one closes.
    fn close_waiting(&self, is_candidate: impl Fn(&Entry) -> bool) -> bool {
        let candidates = || self.open.values().filter(|entry| is_candidate(entry));
        if candidates().any(|entry| entry.activity.is_closing()) {
            return true;
        }
        let longest = candidates()
            .filter_map(|entry| Some((entry.activity.waiting()?, entry)))
            .filter(|((_, since), _)| since.elapsed() >= MIN_WAIT)
            .min_by_key(|(waiting, _)| *waiting)
            .map(|(_, entry)| entry);
        // The entries are in the order of their acceptance.
        let stranger = || {
            candidates().find(|entry| {
                !entry.activity.is_authorized() && entry.accepted_at.elapsed() >= MIN_WAIT
            })
        };
        let closed = longest.or_else(stranger);
        if let Some(entry) = closed {
            entry.activity.close();
        }
        closed.is_some()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut table = self.connections.table();
        table.open.remove(&self.id);
        table.full_since = None;
        self.connections.released.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;
    use crate::activity::{Exchange, Phase};

    const PEER: &str = "192.0.2.1";

    fn connections(total: usize, per_peer: usize) -> Arc<Connections> {
        Connections::new(ConnectionLimits {
            total,
            per_peer,
            per_loopback_peer: total,
        })
    }

    async fn admit(connections: &Arc<Connections>, peer: &str) -> Result<Connection, Reached> {
        let admitted = connections.admit(peer.parse().unwrap()).await;
        sleep(Duration::from_secs(1)).await;
        admitted
    }

    /// Closes a connection as soon as it is asked to, as its task does.
    fn close_on_demand(connection: Connection) {
        tokio::spawn(async move { connection.activity.closed().await });
    }

    /// Starts to handle an authorized request.
    fn start_authorized(connection: &Connection) -> Exchange {
        let exchange = Exchange::start(connection.activity.clone());
        exchange.receive_body();
        exchange.enter(Phase::Handling);
        exchange
    }

    #[tokio::test(start_paused = true)]
    async fn closes_busy_connections_without_an_authorized_request() {
        let connections = connections(2, 2);
        let client = admit(&connections, PEER).await.unwrap();
        let _handling = start_authorized(&client);
        let stranger = admit(&connections, PEER).await.unwrap();
        let activity = stranger.activity.clone();
        let _flooding = Exchange::start(activity.clone());
        close_on_demand(stranger);
        assert!(admit(&connections, PEER).await.is_ok());
        assert!(activity.is_closing() && !client.activity.is_closing());
    }

    #[tokio::test(start_paused = true)]
    async fn closes_idle_connections_before_stalled_ones_and_keeps_the_others() {
        let connections = connections(4, 5);
        let handling = admit(&connections, PEER).await.unwrap();
        let _handling = start_authorized(&handling);
        let stalled = admit(&connections, PEER).await.unwrap();
        let exchange = Exchange::start(stalled.activity.clone());
        exchange.enter(Phase::ReceivingBody);
        let idle = admit(&connections, PEER).await.unwrap();
        let idle_later = admit(&connections, PEER).await.unwrap();
        let order = [idle, idle_later, stalled];
        let activities = order.each_ref().map(|waiting| waiting.activity.clone());
        order.into_iter().for_each(close_on_demand);
        for closed in 1..=3 {
            let new = admit(&connections, PEER).await.unwrap();
            std::mem::forget(start_authorized(&new));
            std::mem::forget(new);
            let closing = activities.each_ref().map(|activity| activity.is_closing());
            assert_eq!(closing, [true, closed > 1, closed > 2]);
        }
        assert!(!handling.activity.is_closing());
        assert_eq!(admit(&connections, PEER).await.err(), Some(Reached::Total));
    }

    #[tokio::test(start_paused = true)]
    async fn waits_5_s_if_all_connections_make_progress() {
        let connections = connections(1, 1);
        let open = connections.admit([192, 0, 2, 1].into()).await.unwrap();
        let exchange = start_authorized(&open);
        let start = Instant::now();
        let other = || connections.admit([192, 0, 2, 2].into());
        assert_eq!(other().await.err(), Some(Reached::Total));
        assert_eq!(start.elapsed().as_secs(), 5);
        assert_eq!(other().await.err(), Some(Reached::Total));
        assert_eq!(start.elapsed().as_secs(), 5);
        let waiting = other();
        drop((exchange, open));
        assert!(waiting.await.is_ok());
        assert_eq!(start.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn limits_the_connections_of_each_peer() {
        let connections = connections(100, 2);
        let same_network = ["2001:db8::1", "2001:db8::2", "2001:db8::3"];
        for [first, second, third] in [[PEER, PEER, "::ffff:192.0.2.1"], same_network] {
            let idle = admit(&connections, first).await.unwrap();
            let closed = idle.activity.clone();
            close_on_demand(idle);
            let open = [
                admit(&connections, second).await.unwrap(),
                admit(&connections, third).await.unwrap(),
            ];
            assert!(closed.is_closing());
            let exchanges = open.each_ref().map(start_authorized);
            assert_eq!(admit(&connections, first).await.err(), Some(Reached::Peer));
            for other in ["192.0.2.2", "2001:db8:0:1::1"] {
                assert!(admit(&connections, other).await.is_ok());
            }
            drop(exchanges);
        }
        let loopback = ["127.0.0.1", "::1", "127.0.0.1", "127.0.0.1"];
        for peer in loopback {
            std::mem::forget(admit(&connections, peer).await.unwrap());
        }
    }
}
