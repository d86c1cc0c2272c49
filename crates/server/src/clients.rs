//! The file with the clients and their keys.

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use api::{Api, Client};

use crate::private_file::read_private;

/// The shortest client key that is accepted.
const MIN_KEY_LENGTH: usize = 16;

/// How often the file is read.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);

/// Reads a file with a client's name and key on each line.
///
/// # Errors
/// Fails if the file cannot be read, is accessible to other users, is empty, or has an invalid line.
pub fn read(file: &Path) -> anyhow::Result<Vec<Client>> {
    let path = file.display();
    let text = read_private(file)?;
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let mut clients: Vec<Client> = Vec::new();
    for (index, line) in lines {
        let words: Vec<_> = line.split_whitespace().collect();
        let &[name, key] = words.as_slice() else {
            // The message must not quote the line, which may be a key.
            bail!("{path}, line {}: expected NAME KEY", index + 1);
        };
        if key.len() < MIN_KEY_LENGTH {
            bail!("{path}: the key of {name} has fewer than {MIN_KEY_LENGTH} characters");
        }
        let is_same = |client: &Client| client.name == name || client.key == key;
        if clients.iter().any(is_same) {
            bail!("{path}: the name or the key of {name} occurs twice");
        }
        clients.push(Client {
            name: name.to_owned(),
            key: key.to_owned(),
        });
    }
    if clients.is_empty() {
        bail!("{path} contains no client");
    }
    Ok(clients)
}

/// Hands the clients that `read` returns to the API whenever they change, until the server stops. An
/// invalid file changes nothing, and is reported once. Compares the content: a file that is replaced may
/// have the time and the size of the old one.
pub async fn reload(
    api: &Api,
    read: impl Fn() -> anyhow::Result<Vec<Client>>,
    mut clients: Vec<Client>,
) {
    let mut last_error = None;
    loop {
        tokio::time::sleep(RELOAD_INTERVAL).await;
        match tokio::task::block_in_place(&read) {
            Ok(current) if current == clients => last_error = None,
            Ok(current) => {
                api.set_clients(&current);
                eprintln!("The client keys have changed: {} clients", current.len());
                (clients, last_error) = (current, None);
            }
            Err(error) => {
                let error = format!("{error:#}");
                if last_error.as_ref() != Some(&error) {
                    eprintln!("{error}; the previous client keys stay valid");
                }
                last_error = Some(error);
            }
        }
    }
}
