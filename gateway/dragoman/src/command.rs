//! The commands: each reads the configuration, then works on the data folder or asks a running server.

pub(crate) mod administration;
mod app_passwords;
mod grants;
mod login;
mod maintenance;
mod mapi_decode;
pub(crate) mod mirror;
mod password;
mod probe;
mod queue;
mod quota;
mod recover;
mod request;

use crate::{
    admin_socket,
    cli::{self, Cli, Place},
    config::Config,
    data_dir::DataDir,
    exchange,
    failure::{Doing, Failure, Result},
    mapi, moving, serve, trace,
};

pub(crate) use quota::Amount;
pub(crate) use request::{
    Answer, AppPasswordChange, QueueChange, QuotaChange, Recovery, Request, Which,
};

/// Runs a command to its end.
pub(crate) fn run(cli: Cli) -> Result<()> {
    match cli.command {
        cli::Command::Serve { place, demo } => {
            let config = load(&place)?;
            runtime()?.block_on(serve::run(config, demo))?;
        }
        cli::Command::Config(cli::Config::Check { place }) => {
            exchange::verify(&load(&place)?)?;
            serve::say("the configuration can be used")?;
        }
        cli::Command::Config(cli::Config::Show { place }) => {
            let text = toml::to_string(&load(&place)?).doing(|| "configuration".to_owned())?;
            serve::say(text.trim_end())?;
        }
        cli::Command::Fsck { place } => ask(&place, &Request::Fsck)?,
        cli::Command::Restore {
            mailbox,
            from,
            folder,
            place,
        } => {
            let config = load(&place)?;
            let restore = maintenance::restore(&config, &mailbox, &from, folder.as_deref());
            runtime()?.block_on(restore)?;
        }
        cli::Command::Compact { place } => ask(&place, &Request::Compact)?,
        cli::Command::User(command) => ask_user(command)?,
        cli::Command::AppPassword(command) => ask_app_password(command)?,
        cli::Command::Alias(command) => ask_alias(command)?,
        cli::Command::Grant(command) => ask_grant(command)?,
        cli::Command::Exchange(command) => run_exchange(command)?,
        cli::Command::Mirror(command) => ask_mirror(command)?,
        cli::Command::Queue(command) => ask_queue(command)?,
        cli::Command::Quota(command) => ask_quota(*command)?,
        cli::Command::Recover(command) => ask_recover(command)?,
        cli::Command::Trace(asked) => trace(asked)?,
        cli::Command::Export(export) => {
            let config = load(&export.who.place)?;
            runtime()?.block_on(moving::run(config, moving::Verb::Export(export)))?;
        }
        cli::Command::Import(import) => {
            let config = load(&import.who.place)?;
            runtime()?.block_on(moving::run(config, moving::Verb::Import(import)))?;
        }
        cli::Command::Mapi(command) => match *command {
            cli::mapi::Mapi::Decode(asked) => mapi_decode::run(&asked)?,
            cli::mapi::Mapi::Verb(verb) => {
                let config = load(&verb.asker().place)?;
                let done = runtime()?.block_on(mapi::run(config, verb));
                done.map_err(Failure::telling)?;
            }
        },
        cli::Command::Backup {
            mailbox,
            to,
            folder,
            place,
        } => {
            let to = std::path::absolute(&to).doing(|| to.display().to_string())?;
            ask(
                &place,
                &Request::Backup {
                    mailbox,
                    to,
                    folder,
                },
            )?;
        }
    }
    Ok(())
}

fn ask_user(command: cli::User) -> Result<()> {
    match command {
        cli::User::Add { address, place } => {
            let password = password::read()?;
            ask(
                &place,
                &Request::UserAdd {
                    address,
                    password: password.text.clone(),
                },
            )?;
            password.show()
        }
        cli::User::Passwd { address, place } => {
            let password = password::read()?;
            ask(
                &place,
                &Request::UserPasswd {
                    address,
                    password: password.text.clone(),
                },
            )?;
            password.show()
        }
        cli::User::Remove {
            address,
            purge,
            place,
        } => ask(&place, &Request::UserRemove { address, purge }),
        cli::User::List { place } => ask(&place, &Request::UserList),
    }
}

fn ask_app_password(command: cli::AppPassword) -> Result<()> {
    let (address, change, place) = match command {
        cli::AppPassword::Add {
            address,
            name,
            services,
            place,
        } => (address, AppPasswordChange::Add { name, services }, place),
        cli::AppPassword::List { address, place } => (address, AppPasswordChange::List, place),
        cli::AppPassword::Remove {
            address,
            which,
            place,
        } => (address, AppPasswordChange::Remove { which }, place),
        cli::AppPassword::Require {
            address,
            off,
            place,
        } => {
            let required = !off;
            (address, AppPasswordChange::Require { required }, place)
        }
    };
    ask(&place, &Request::AppPassword { address, change })
}

fn ask_alias(command: cli::Alias) -> Result<()> {
    match command {
        cli::Alias::Add {
            alias,
            address,
            place,
        } => ask(&place, &Request::AliasAdd { alias, address }),
        cli::Alias::Remove { alias, place } => ask(&place, &Request::AliasRemove { alias }),
        cli::Alias::List { place } => ask(&place, &Request::AliasList),
    }
}

fn ask_grant(command: cli::Grant) -> Result<()> {
    match command {
        cli::Grant::Add {
            mailbox,
            member,
            rights,
            folder,
            place,
        } => ask(
            &place,
            &Request::GrantAdd {
                mailbox,
                member,
                rights,
                folder,
            },
        ),
        cli::Grant::List {
            mailbox,
            folder,
            place,
        } => ask(&place, &Request::GrantList { mailbox, folder }),
        cli::Grant::Send {
            address,
            member,
            how,
            place,
        } => ask(
            &place,
            &Request::GrantSend {
                address,
                member,
                how,
            },
        ),
        cli::Grant::Senders { address, place } => ask(&place, &Request::Senders { address }),
        cli::Grant::Shared { address, place } => ask(&place, &Request::SharedAdd { address }),
    }
}

fn run_exchange(command: cli::Exchange) -> Result<()> {
    match command {
        cli::Exchange::Probe {
            user,
            password_file,
            json,
            place,
        } => {
            let probe = probe::Probe::new(&load(&place)?, &user, password_file.as_deref())?;
            runtime()?.block_on(probe.run(json))
        }
        cli::Exchange::Login { user, place } => {
            let config = load(&place)?;
            // Beside a running server, too: it reads the token when it needs one.
            DataDir::existing(&config.data)?;
            runtime()?.block_on(login::login(&config, &user))
        }
    }
}

fn ask_mirror(command: cli::Mirror) -> Result<()> {
    match command {
        cli::Mirror::Status { mailbox, place } => ask(&place, &Request::MirrorStatus { mailbox }),
        cli::Mirror::Drop { mailbox, place } => ask(&place, &Request::MirrorDrop { mailbox }),
        cli::Mirror::Retry { mailbox, place } => ask(&place, &Request::MirrorRetry { mailbox }),
        cli::Mirror::Export { mailbox, to, place } => {
            let to = std::path::absolute(&to).doing(|| format!("the folder {}", to.display()))?;
            ask(&place, &Request::MirrorExport { mailbox, to })
        }
        cli::Mirror::Reset {
            mailbox,
            yes,
            place,
        } => ask(&place, &Request::MirrorReset { mailbox, yes }),
    }
}

fn ask_queue(command: cli::Queue) -> Result<()> {
    let change = |change, ids, place: &Place| ask(place, &Request::QueueChange { change, ids });
    match command {
        cli::Queue::List { address, place } => ask(&place, &Request::QueueList { address }),
        cli::Queue::Show { id, place } => ask(&place, &Request::QueueShow { id }),
        cli::Queue::Retry { which, place } => change(QueueChange::Retry, which.ids(), &place),
        cli::Queue::Hold { which, place } => change(QueueChange::Hold, which.ids(), &place),
        cli::Queue::Release { which, place } => change(QueueChange::Release, which.ids(), &place),
        cli::Queue::Delete { which, place } => change(QueueChange::Delete, which.ids(), &place),
    }
}

fn ask_quota(command: cli::quota::Quota) -> Result<()> {
    match command {
        cli::quota::Quota::Show { mailbox, place } => ask(&place, &Request::QuotaShow { mailbox }),
        cli::quota::Quota::Set {
            mailbox,
            limits,
            place,
        } => {
            let change = limits.into();
            ask(&place, &Request::QuotaSet { mailbox, change })
        }
        cli::quota::Quota::Unset { mailbox, place } => {
            ask(&place, &Request::QuotaUnset { mailbox })
        }
    }
}

fn ask_recover(command: cli::Recover) -> Result<()> {
    let (mailbox, what, place) = match command {
        cli::Recover::List {
            mailbox,
            folder,
            limit,
            place,
        } => (mailbox, Recovery::List { folder, limit }, place),
        cli::Recover::Show { mailbox, id, place } => (mailbox, Recovery::Show(id), place),
        cli::Recover::Restore {
            mailbox,
            which,
            place,
        } => (mailbox, Recovery::Restore(which.into()), place),
        cli::Recover::Purge {
            mailbox,
            which,
            place,
        } => (mailbox, Recovery::Purge(which.into()), place),
    };
    ask(&place, &Request::Recover { mailbox, what })
}

/// Has a running server do it, or does it here when there is none, and prints the answer.
fn ask(place: &Place, request: &Request) -> Result<()> {
    let config = load(place)?;
    let data = if request.begins_a_folder() {
        DataDir::create(&config.data)?
    } else {
        DataDir::existing(&config.data)?
    };
    let answer = runtime()?.block_on(async {
        match data.lock()? {
            Some(_lock) => {
                let administration = administration::Administration::open(&config, &data).await?;
                let answer = administration.answer(request).await;
                Ok(answer)
            }
            None => admin_socket::ask(&data.admin_socket(), request).await,
        }
    })?;
    match answer {
        Answer::Done(lines) => lines.iter().try_for_each(|line| serve::say(line)),
        Answer::Failed(why) => Err(Failure::new(why)),
    }
}

/// Has a running server trace an account.
fn trace(asked: cli::Trace) -> Result<()> {
    let ask = trace::socket::Ask {
        trace: asked.user,
        seconds: asked.seconds,
        json: asked.json,
    };
    let data = DataDir::existing(&load(&asked.place)?.data)?;
    if data.lock()?.is_some() {
        let what = format!("{}: no server is running here", data.path().display());
        return Err(Failure::new(what));
    }
    runtime()?.block_on(trace::socket::follow(&data.admin_socket(), &ask))
}

fn load(place: &Place) -> Result<Config> {
    Config::load(place).doing(|| "configuration".to_owned())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .doing(|| "starting the runtime".to_owned())
}
