//! The rules by which stored sessions are deleted.

use std::collections::{HashMap, VecDeque};

use crate::clock::Millis;

/// When stored sessions are deleted. A session with pending work is never deleted.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Older sessions are deleted, in milliseconds.
    pub max_age: Millis,
    /// While the images, results and records of all sessions together are larger, the client that uses
    /// most loses its oldest session, in bytes.
    pub max_bytes: u64,
    /// While those of a client are larger, it loses its oldest session, in bytes.
    /// `None` for no limit but `max_bytes`.
    pub max_bytes_per_client: Option<u64>,
}

/// A stored session, as far as these rules need it.
pub struct StoredSession<'a> {
    pub code: &'a str,
    pub client: Option<&'a str>,
    pub created_at: Millis,
    pub bytes: u64,
    /// Whether it has pending work.
    pub is_pending: bool,
}

/// A session that is about to be stored.
#[derive(Clone, Copy, Default)]
pub struct Incoming<'a> {
    pub client: Option<&'a str>,
    pub bytes: u64,
}

/// There is no room for a session: everything that could be deleted is deleted, and the rest is
/// pending.
#[derive(Debug, PartialEq, Eq)]
pub struct StorageFull;

/// The sessions of a client.
#[derive(Default)]
struct Usage<'a> {
    bytes: u64,
    /// Whether the client has a session with pending work.
    has_pending: bool,
    /// The sessions that may be deleted, the oldest first, with their sizes.
    deletable: VecDeque<(&'a str, u64)>,
}

impl Retention {
    /// Returns the codes of the sessions to delete before `incoming` is stored. `sessions` are all
    /// stored sessions, the oldest first.
    ///
    /// A session that is larger than the limits is stored nevertheless if no other session of its
    /// client, or of all clients, is pending.
    ///
    /// # Errors
    /// Fails if the limits are exceeded by sessions that must not be deleted.
    pub fn expired<'a>(
        &self,
        sessions: impl Iterator<Item = StoredSession<'a>>,
        incoming: Incoming<'a>,
        now: Millis,
    ) -> Result<Vec<String>, StorageFull> {
        let mut expired = Vec::new();
        let mut clients: HashMap<Option<&str>, Usage> = HashMap::new();
        clients.entry(incoming.client).or_default().bytes += incoming.bytes;
        for session in sessions {
            let is_too_old = session.created_at.saturating_add(self.max_age) < now;
            if is_too_old && !session.is_pending {
                expired.push(session.code.to_owned());
                continue;
            }
            let usage = clients.entry(session.client).or_default();
            usage.bytes += session.bytes;
            match session.is_pending {
                true => usage.has_pending = true,
                false => usage.deletable.push_back((session.code, session.bytes)),
            }
        }
        if let Some(limit) = self.max_bytes_per_client {
            for (client, usage) in &mut clients {
                while usage.bytes > limit {
                    let Some(code) = usage.delete_oldest() else {
                        if usage.has_pending && *client == incoming.client && incoming.bytes > 0 {
                            return Err(StorageFull);
                        }
                        break;
                    };
                    expired.push(code);
                }
            }
        }
        while clients.values().map(|usage| usage.bytes).sum::<u64>() > self.max_bytes {
            let largest = clients
                .values_mut()
                .filter(|usage| !usage.deletable.is_empty())
                .max_by_key(|usage| usage.bytes);
            let Some(code) = largest.and_then(Usage::delete_oldest) else {
                if incoming.bytes > 0 && clients.values().any(|usage| usage.has_pending) {
                    return Err(StorageFull);
                }
                break;
            };
            expired.push(code);
        }
        Ok(expired)
    }
}

impl Usage<'_> {
    fn delete_oldest(&mut self) -> Option<String> {
        let (code, bytes) = self.deletable.pop_front()?;
        self.bytes -= bytes;
        Some(code.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETENTION: Retention = Retention {
        max_age: 1000,
        max_bytes: 100,
        max_bytes_per_client: None,
    };

    /// A stored session that was created at its position: code, client, bytes, pending.
    type Row = (&'static str, &'static str, u64, bool);

    fn expired(
        retention: Retention,
        rows: &[Row],
        incoming: (&str, u64),
        now: Millis,
    ) -> Result<Vec<String>, StorageFull> {
        let sessions = rows.iter().zip(0..);
        let sessions =
            sessions.map(
                |(&(code, client, bytes, is_pending), created_at)| StoredSession {
                    code,
                    client: Some(client),
                    created_at,
                    bytes,
                    is_pending,
                },
            );
        let (client, bytes) = incoming;
        let client = Some(client);
        retention.expired(sessions, Incoming { client, bytes }, now)
    }

    #[test]
    fn deletes_what_is_too_old_and_not_pending() {
        let rows = [("old", "a", 1, false), ("pending", "a", 1, true)];
        assert_eq!(expired(RETENTION, &rows, ("a", 1), 1000).unwrap().len(), 0);
        assert_eq!(expired(RETENTION, &rows, ("a", 1), 2000).unwrap(), ["old"]);
    }

    #[test]
    fn deletes_the_oldest_session_of_the_client_that_uses_most() {
        let rows = [
            ("paid", "a", 20, false),
            ("b1", "b", 30, false),
            ("b2", "b", 30, false),
        ];
        let deleted = expired(RETENTION, &rows, ("b", 30), 10).unwrap();
        assert_eq!(deleted, ["b1"]);
        // A new client takes from the largest one, too.
        let deleted = expired(RETENTION, &rows, ("c", 30), 10).unwrap();
        assert_eq!(deleted, ["b1"]);
    }

    #[test]
    fn limits_each_client_to_its_own_share() {
        let retention = Retention {
            max_bytes_per_client: Some(40),
            ..RETENTION
        };
        let rows = [("a1", "a", 30, false), ("b1", "b", 20, false)];
        assert_eq!(expired(retention, &rows, ("a", 20), 10).unwrap(), ["a1"]);
        let rows = [("a1", "a", 30, true), ("b1", "b", 20, false)];
        assert_eq!(expired(retention, &rows, ("a", 20), 10), Err(StorageFull));
    }

    #[test]
    fn keeps_pending_sessions_and_reports_that_there_is_no_room() {
        let rows = [("a1", "a", 80, true), ("a2", "a", 10, false)];
        assert_eq!(expired(RETENTION, &rows, ("b", 20), 10).unwrap(), ["a2"]);
        assert_eq!(expired(RETENTION, &rows, ("b", 30), 10), Err(StorageFull));
        // The timer adds nothing, and deletes what it can.
        assert_eq!(expired(RETENTION, &rows, ("b", 0), 10).unwrap().len(), 0);
        // A session alone is stored, however large it is.
        assert_eq!(expired(RETENTION, &[], ("b", 500), 10).unwrap().len(), 0);
    }
}
