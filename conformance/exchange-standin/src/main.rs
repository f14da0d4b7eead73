//! Runs the server alone: for clients in other processes. It is told what to do over HTTP, below `/standin/`.

use std::{io::Write, process::ExitCode};

use exchange_standin::{
    Config, Server,
    model::{organisation::NewUser, user::UserKind},
};

/// How it is called.
const USAGE: &str = "usage: exchange-standin [--listen ADDRESS:PORT] [--tls] [--host NAME] [--domain DOMAIN] \
                     [--person NAME:PASSWORD]...";

fn main() -> ExitCode {
    let config = match config(std::env::args().skip(1)) {
        Ok(config) => config,
        Err(wrong) => return fail(&format!("{wrong}\n{USAGE}")),
    };
    let server = match Server::start(config) {
        Ok(server) => server,
        Err(error) => return fail(&error.to_string()),
    };
    let mut out = std::io::stdout();
    // Who starts it reads the URL from here, and may have gone already.
    let _ = writeln!(out, "{}", server.url());
    let _ = out.flush();
    server.wait();
    ExitCode::SUCCESS
}

fn config(mut arguments: impl Iterator<Item = String>) -> Result<Config, String> {
    let mut config = Config::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--listen" => config.listen = value()?,
            "--host" => config.host = Some(value()?),
            "--domain" => config.domain = value()?,
            "--tls" => config.tls = true,
            "--person" => add_person(&mut config, &value()?)?,
            _ => return Err(format!("unknown argument {argument}")),
        }
    }
    Ok(config)
}

/// Adds somebody, or changes a password.
fn add_person(config: &mut Config, text: &str) -> Result<(), String> {
    let wrong = || format!("--person {text}: NAME:PASSWORD is wanted");
    let (name, password) = text.split_once(':').ok_or_else(wrong)?;
    let known = config.people.iter_mut().find(|person| person.name == name);
    match known {
        Some(person) => password.clone_into(&mut person.password),
        None => config.people.push(NewUser {
            name: name.to_owned(),
            display_name: name.to_owned(),
            password: password.to_owned(),
            kind: UserKind::Person,
        }),
    }
    Ok(())
}

fn fail(why: &str) -> ExitCode {
    // There is nothing left to do when not even that can be written.
    let _ = writeln!(std::io::stderr(), "exchange-standin: {why}");
    ExitCode::FAILURE
}
