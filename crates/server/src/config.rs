//! The configuration: one file in TOML, and what the command line says on top of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use api::{Client, SCULPT};
use serde::Deserialize;

use crate::engines::read_private;

/// The file. What is left out is as without a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The engine of callers who choose none.
    pub default: Option<String>,
    /// A file with the callers' keys, which nobody but its owner can read: on each line a name and
    /// a key.
    pub clients_file: Option<PathBuf>,
    /// The origins whose pages may use the server, beside its own; all where this is left out.
    pub origins: Option<Vec<String>>,
    /// A table for each engine elsewhere.
    #[serde(default)]
    pub engines: toml::Table,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or holds what is not known.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let shown = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
        // The parser's own message shows the line, which may hold a key that belongs elsewhere.
        let config: Self = toml::from_str(&text).map_err(|error| {
            let line = error
                .span()
                .map_or(0, |span| text[..span.start].matches('\n').count() + 1);
            anyhow::anyhow!("{shown}, line {line}: {}", error.message())
        })?;
        for (name, table) in &config.engines {
            let table = table.as_table();
            let table = table.with_context(|| format!("{shown}: [engines.{name}] is no table"))?;
            if name == SCULPT {
                bail!("{shown}: [engines.{SCULPT}]: there is nothing to configure about it");
            }
            if table.contains_key("key") {
                bail!(
                    "{shown}: [engines.{name}] holds a key; name a file with it in `key_file`, or \
                     put it into the environment"
                );
            }
        }
        Ok(config)
    }

    /// Makes an engine the default: `NAME`, or `NAME=URL`.
    ///
    /// # Errors
    /// The text is neither.
    pub fn choose(&mut self, text: &str) -> anyhow::Result<()> {
        let (name, url) = match text.split_once('=') {
            Some((name, url)) => (name, Some(url)),
            None => (text, None),
        };
        if name.is_empty() || url == Some("") || (name == SCULPT && url.is_some()) {
            bail!("--engine: came {text:?}, allowed: NAME or NAME=URL");
        }
        self.default = Some(name.to_owned());
        if name != SCULPT {
            let table = self.engines.entry(name);
            let table = table.or_insert_with(|| toml::Table::new().into());
            if let (Some(url), Some(table)) = (url, table.as_table_mut()) {
                table.insert("url".into(), url.into());
            }
        }
        Ok(())
    }

    /// The names of all engines, the default first.
    ///
    /// # Errors
    /// The default is none of them.
    pub fn names(&self) -> anyhow::Result<Vec<String>> {
        let known: Vec<_> = [SCULPT.to_owned()]
            .into_iter()
            .chain(self.engines.keys().cloned())
            .collect();
        let default = self.default.as_deref().unwrap_or(SCULPT);
        if !known.iter().any(|name| name == default) {
            bail!(
                "default: came {default:?}, allowed: {}; an engine is there once it has a table \
                 [engines.{default}]",
                known.join(", ")
            );
        }
        let others = known.iter().filter(|name| *name != default).cloned();
        Ok([default.to_owned()].into_iter().chain(others).collect())
    }

    /// The callers and their keys.
    ///
    /// # Errors
    /// The file cannot be read, can be read by others, or holds something else.
    pub fn clients(&self) -> anyhow::Result<Vec<Client>> {
        let Some(file) = &self.clients_file else {
            return Ok(Vec::new());
        };
        let text = read_private(file)?;
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let mut clients: Vec<Client> = Vec::new();
        for (at, line) in lines {
            let words: Vec<_> = line.split_whitespace().collect();
            let &[name, key] = words.as_slice() else {
                // The line itself may be a key.
                bail!("{}, line {}: allowed: NAME KEY", file.display(), at + 1);
            };
            if key.len() < 16 {
                bail!(
                    "{}: the key of {name} has less than 16 letters",
                    file.display()
                );
            }
            if clients
                .iter()
                .any(|client| client.name == name || client.key == key)
            {
                bail!("{}: {name}, or its key, is there twice", file.display());
            }
            clients.push(Client {
                name: name.to_owned(),
                key: key.to_owned(),
            });
        }
        if clients.is_empty() {
            bail!("{} holds no client", file.display());
        }
        Ok(clients)
    }

    /// What is configured about an engine.
    pub fn table(&self, name: &str) -> toml::Table {
        let table = self.engines.get(name).and_then(toml::Value::as_table);
        table.cloned().unwrap_or_default()
    }
}
