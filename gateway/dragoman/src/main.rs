//! The `dragoman` binary: command line, configuration, TLS, listeners, metrics, health, shutdown, administration.
//!
//! The only crate that names a backend, reads the environment or parses configuration. `cli` says which commands
//! there are, `command/` has one file a command, `serve` wires a running gateway together.

mod admin_lines;
mod admin_socket;
mod autoconfig;
mod backends;
mod cli;
mod command;
mod config;
mod config_error;
mod data_dir;
mod demo;
mod exchange;
mod failure;
mod folder_path;
mod http;
mod issuers;
mod ldap;
mod listen;
mod logging;
mod mapi;
mod moving;
mod network;
mod outgoing;
mod places;
mod proxy_protocol;
mod quick_ack;
mod quota_warning;
mod rights;
mod secret_file;
mod serve;
mod sweep;
mod throttle;
mod tls;
mod trace;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match command::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("dragoman: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
