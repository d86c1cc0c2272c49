//! The Image-to-3D API on your own machine: the sandbox over HTTP.
//!
//! Bound to loopback, where it needs no key and every key sees every session.

mod http;

use std::net::Ipv4Addr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use sandbox::{Config, Sandbox};
use tokio::net::TcpListener;

/// The Image-to-3D API on your own machine.
#[derive(Parser)]
#[command(version, name = "csm-image-to-3d-server")]
struct Options {
    /// The port on 127.0.0.1; 0 for any that is free.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// A folder with a web page to serve beside the API.
    #[arg(long, value_name = "FOLDER")]
    site: Option<PathBuf>,
    /// The largest request that is read, in MiB; a picture takes four thirds of its size.
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    body_limit: usize,
    /// How many times faster than a second per stage sessions go.
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if speed > 0.0 => Ok(speed),
        _ => Err("a number greater than 0".into()),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let sandbox = Sandbox::new(&Config {
        speed: options.speed,
        seed: http::now(),
    });
    let router = http::router(sandbox, options.body_limit * 1024 * 1024, options.site);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
        .await
        .with_context(|| {
            format!(
                "cannot listen on port {}; is another server running there? --port takes another",
                options.port
            )
        })?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, router)
        .with_graceful_shutdown(async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}
