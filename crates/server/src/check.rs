//! `--check`: reports what is configured, reachable and missing, without spending anything.

use anyhow::bail;
use api::{SCULPT, dollars};

use crate::config::Config;
use crate::engines::{self, ConfiguredEngine};
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
    let mut missing = 0;
    let mut paid = Vec::new();
    for (index, name) in config.engine_names()?.iter().enumerate() {
        let table = config.engine_table(name);
        if name != SCULPT {
            let engine = engines::open(name, &table).ok();
            paid.extend(engine.filter(|engine| engine.is_paid));
        }
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
    if !paid.is_empty() {
        print_limits(&paid, options);
        check_prices(&paid, options)?;
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

/// Checks that the limit in money can be applied.
///
/// # Errors
/// Fails if there is such a limit, and a paid engine whose prices are unknown.
pub fn check_prices(engines: &[ConfiguredEngine], options: &Options) -> anyhow::Result<()> {
    if options.daily_limit_usd.is_none() {
        return Ok(());
    }
    for engine in engines.iter().filter(|engine| engine.is_paid) {
        let prices = engine.remote.as_ref().map(|remote| remote.prices());
        if let Some(order) = prices.and_then(|prices| prices.unknown()) {
            bail!(
                "--daily-limit-usd requires prices, and that of a model of {} ({order}) is unknown: set \
                 price_usd in [engines.{}] to the highest price of a model",
                engine.name,
                engine.name
            );
        }
    }
    Ok(())
}

fn print_limits(paid: &[ConfiguredEngine], options: &Options) {
    for engine in paid {
        if let Some(remote) = &engine.remote {
            println!("prices of {}: {}", engine.name, remote.prices().describe());
        }
    }
    let limits = [
        options.daily_limit.map(|limit| limit.to_string()),
        (options.daily_limit_each).map(|limit| format!("{limit} per client key")),
        (options.daily_limit_usd).map(|limit| format!("{} by list prices", dollars(limit))),
    ];
    let limits: Vec<_> = limits.into_iter().flatten().collect();
    match limits.split_first() {
        None => println!(
            "paid models: no daily limit; set one with `--daily-limit N` or `--daily-limit-usd USD`"
        ),
        Some((first, rest)) => {
            let rest: String = rest.iter().map(|limit| format!(", {limit}")).collect();
            println!("paid models: at most {first} per day{rest}");
        }
    }
    if options.data.is_none() {
        println!("paid models: {UNSAVED}");
    }
}
