//! Durable LMTP delivery: every connection its own user, one message a transaction, the next one after the 250.

use std::sync::{Arc, Barrier};
use std::time::Instant;

use super::generate::{Profile, message};
use super::latency::Latencies;
use super::process_tree::cpu_seconds;
use super::{Measurement, Target};
use crate::failure::{Failure, Outcome};
use crate::lmtp::{Lmtp, dot_stuffed};
use crate::random::Random;

/// How much is delivered.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryLoad {
    /// Connections at once.
    pub connections: usize,
    /// Messages, over all connections.
    pub messages: usize,
    /// Bytes a message, about.
    pub size: usize,
}

/// Delivers and measures.
pub fn deliver(target: &Target, load: DeliveryLoad) -> Outcome<Measurement> {
    let nonce = Random::fresh_seed();
    let barrier = Arc::new(Barrier::new(load.connections + 1));
    let mut clients = Vec::new();
    for n in 1..=load.connections {
        let mut session = Lmtp::connect(target.lmtp)?;
        let recipient = target.address(n);
        let messages: Vec<Vec<u8>> = (0..load.messages / load.connections)
            .map(|index| {
                message(
                    nonce,
                    (n * 1_000_000 + index) as u64,
                    Profile::Fixed(load.size),
                )
            })
            .map(|bytes| dot_stuffed(&bytes))
            .collect();
        let barrier = Arc::clone(&barrier);
        clients.push(std::thread::spawn(move || -> Outcome<Latencies> {
            barrier.wait();
            let mut latencies = Latencies::default();
            for stuffed in &messages {
                let started = Instant::now();
                session.deliver_pipelined("sender@example.com", &recipient, stuffed)?;
                latencies.add(started.elapsed());
            }
            Ok(latencies)
        }));
    }
    let cpu = cpu_seconds(&target.roots);
    barrier.wait();
    let started = Instant::now();
    let mut latencies = Latencies::default();
    for client in clients {
        latencies.extend(
            client
                .join()
                .map_err(|_| Failure("a client panicked".into()))??,
        );
    }
    let seconds = started.elapsed().as_secs_f64();
    let count = latencies.len() as f64;
    let cpu = cpu_seconds(&target.roots) - cpu;
    let mut figures = vec![
        ("per_s".into(), count / seconds),
        ("server_cpu_ms".into(), cpu * 1e3 / count),
    ];
    figures.extend(latencies.figures("deliver"));
    Ok(Measurement {
        test: format!("lmtp conns={} size={}", load.connections, load.size),
        figures,
    })
}

/// Empties the INBOX of users 1 to `users`.
pub fn purge(target: &Target, users: usize) -> Outcome {
    for n in 1..=users {
        target.session(n)?.empty("INBOX")?;
    }
    Ok(())
}
