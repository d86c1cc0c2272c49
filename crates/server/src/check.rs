//! `--check`: reports what is configured, reachable and missing, without spending anything.

use anyhow::bail;
use api::SCULPT;

use crate::config::Config;
use crate::engines;
use crate::options::Options;
use crate::segmenter::SharedNetwork;

/// Warns that paid work is lost when the server stops.
pub const UNSAVED: &str = "a restart loses jobs in progress and today's usage; keep them with \
                           `--data FOLDER`";

/// Prints the state of each engine, the limits on paid models, and the accepted clients.
///
/// # Errors
/// Fails if an engine is not ready, or if the server would not start.
pub fn check(config: &Config, options: &Options) -> anyhow::Result<()> {
    let (mut missing, mut has_paid) = (0, false);
    for (index, name) in config.engine_names()?.iter().enumerate() {
        let table = config.engine_table(name);
        let engine = engines::open(name, &table);
        has_paid |= name != SCULPT && engine.is_ok_and(|engine| engine.is_paid);
        let default = if index == 0 { " (default)" } else { "" };
        match engines::check(name, &table) {
            Ok(state) => println!("ready    {name}{default}: {state}"),
            Err(error) => {
                missing += 1;
                println!("MISSING  {name}{default}: {error:#}");
            }
        }
    }
    SharedNetwork::configured(options.cutout_model.as_deref())?;
    match &options.cutout_model {
        Some(file) => println!("cut-out network: {}", file.display()),
        None => println!("cut-out network: built in (u2netp)"),
    }
    if has_paid {
        print_limits(options);
    }
    let clients = config.clients()?.len();
    options.check_bind(clients)?;
    match clients {
        0 => println!("clients: no keys; only loopback connections are accepted"),
        keys => println!("clients: {keys} with keys"),
    }
    println!("{}", options.web_access(config).describe());
    match missing {
        0 => Ok(()),
        1 => bail!("1 engine is not ready"),
        count => bail!("{count} engines are not ready"),
    }
}

fn print_limits(options: &Options) {
    let per_client = |limit| format!("{limit} per client key");
    let per_client = options.daily_limit_each.map(per_client);
    match (options.daily_limit, per_client) {
        (None, None) => println!("paid models: no daily limit; set one with `--daily-limit N`"),
        (Some(all), None) => println!("paid models: at most {all} per day"),
        (None, Some(each)) => println!("paid models: at most {each} per day"),
        (Some(all), Some(each)) => println!("paid models: at most {all} per day, {each}"),
    }
    if options.data.is_none() {
        println!("paid models: {UNSAVED}");
    }
}
