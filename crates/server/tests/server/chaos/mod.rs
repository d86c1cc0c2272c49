//! Everything goes wrong at once, at random: the server is killed and stopped, its disk is full,
//! the paid engines fail, and callers send dangerous images or hold connections open. Meanwhile
//! three clients create sessions, and delete some of them at once or while their models are made. At the
//! end every other session is there and has ended, each model was billed at most once, and the server's
//! memory stayed within a limit.
//!
//! `CHAOS_SECONDS` sets how long it lasts, and `CHAOS_SEED` repeats the random choices of a run.

mod attackers;
mod clients;
mod disk;
mod engines;
mod machine;
mod run;
mod verdict;

use std::thread;
use std::time::Duration;

use engines::Engines;
use machine::Machine;
use run::Run;

use crate::support::{MIB, is_full_run, number_variable};

/// How long faults are injected, or up to half as long again while clients still create sessions. The
/// last sessions end after that.
const SHORT: Duration = Duration::from_secs(15);
const FULL: Duration = Duration::from_secs(600);
/// The number of sessions of all clients, in the short form.
const SESSIONS: u32 = 200;
/// The number of sessions in the full form. Each stores some 1 MiB.
const FULL_SESSIONS: u32 = 1000;
/// The most memory that any of the server's processes may take. Decodes get 128 MiB of it.
const MEMORY_LIMIT: u64 = 512 * MIB;

#[test]
fn nothing_is_lost_or_paid_twice_when_everything_fails_at_once() {
    let (duration, sessions) = match is_full_run() {
        true => (FULL, FULL_SESSIONS),
        false => (SHORT, SESSIONS),
    };
    let duration = number_variable("CHAOS_SECONDS").map_or(duration, Duration::from_secs);
    let seed = number_variable("CHAOS_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("CHAOS_SEED={seed} CHAOS_SECONDS={}", duration.as_secs());
    let mut random = fastrand::Rng::with_seed(seed);

    let engines = Engines::start();
    let mut machine = Machine::start(&engines, random.fork());
    let clients = clients::plan(sessions, &mut random);
    let run = Run::new(seed, duration, machine.host(), clients.len());
    let mut attackers = [random.fork(), random.fork(), random.fork()];
    let mut engine_random = random.fork();
    thread::scope(|scope| {
        for client in &clients {
            scope.spawn(|| client.create_sessions(&run));
            scope.spawn(|| client.watch_sessions(&run));
        }
        let [bombs, more_bombs, slow] = &mut attackers;
        scope.spawn(|| attackers::send_bombs(&run, bombs));
        scope.spawn(|| attackers::send_bombs(&run, more_bombs));
        scope.spawn(|| attackers::hold_connections(&run, slow));
        scope.spawn(|| engines.fail_at_random(&run, &mut engine_random));
        machine.fail_at_random(&run);
    });
    println!("the faults ended after {:.0?}", run.elapsed());
    verdict::check(&run, &machine, &engines, &clients);
    println!("checked after {:.0?}", run.elapsed());
    let peak = machine.peak_memory();
    println!("{} starts, at most {} MiB", machine.starts(), peak / MIB);
    run.check(peak <= MEMORY_LIMIT, || {
        let [peak, limit] = [peak, MEMORY_LIMIT].map(|bytes| bytes / MIB);
        format!("a process took {peak} MiB, more than {limit} MiB")
    });
    if run.has_violations() {
        panic!("{run}\nThe end of the log:\n{}", machine.log_tail());
    }
}
