//! The command line.

pub(crate) mod mapi;
pub(crate) mod moving;
pub(crate) mod quota;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

/// IMAP, POP3, SMTP, LMTP, CalDAV and CardDAV in front of MAPI mailboxes.
#[derive(Debug, Parser)]
#[command(name = "dragoman", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where a command finds the gateway.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Place {
    /// Configuration file (TOML); none is needed.
    #[arg(long, value_name = "FILE", env = "DRAGOMAN_CONFIG", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Data folder [default: ./dragoman-data].
    #[arg(long, value_name = "DIR", env = "DRAGOMAN_DATA", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// Override a configuration key, such as listen.imap=127.0.0.1:1143; an empty value switches a listener off.
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    pub(crate) overrides: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Make two mailboxes with messages to try the gateway out; on loopback only.
        #[arg(long)]
        demo: bool,
    },
    /// Add, change, remove and list users.
    #[command(subcommand)]
    User(User),
    /// Passwords for single programs of a user, which can be taken back one by one.
    #[command(subcommand)]
    AppPassword(AppPassword),
    /// Other addresses for a mailbox.
    #[command(subcommand)]
    Alias(Alias),
    /// Let a user into another's folder, or make a shared mailbox.
    #[command(subcommand)]
    Grant(Grant),
    /// Mailboxes on Exchange servers.
    #[command(subcommand)]
    Exchange(Exchange),
    /// What is kept here of mailboxes on Exchange.
    #[command(subcommand)]
    Mirror(Mirror),
    /// What is on its way out.
    #[command(subcommand)]
    Queue(Queue),
    /// How much mailboxes may hold, and how much they hold.
    #[command(subcommand)]
    Quota(Box<quota::Quota>),
    /// What was deleted and can be brought back.
    #[command(subcommand)]
    Recover(Recover),
    /// Show what the clients of one account ask for, and what each of their commands costs below: store calls, ROPs,
    /// HTTP requests. Needs a running server; no content is shown. It ends with --for, or when it is interrupted.
    Trace(Trace),
    /// MAPI for people: mailboxes in its own terms, and what was recorded of it.
    #[command(subcommand)]
    Mapi(Box<mapi::Mapi>),
    /// Check or show the configuration.
    #[command(subcommand)]
    Config(Config),
    /// Check the data folder and name every fault; also beside a running server.
    Fsck {
        #[command(flatten)]
        place: Place,
    },
    /// Write a copy of a mailbox, or of one folder, to a new file; also beside a running server.
    Backup {
        /// The mailbox's address.
        mailbox: String,
        /// Where to; must not exist.
        to: PathBuf,
        /// Only this folder, by its path such as `Inbox/Projects`.
        #[arg(long)]
        folder: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Write a mailbox into files: Maildir, or a folder of .eml files. Run it again for what has changed since, or when it
    /// was interrupted; also beside a running server.
    Export(moving::Export),
    /// Read Maildirs or .eml files into a mailbox. Run it again for what has changed since, or when it was interrupted; also
    /// beside a running server.
    Import(moving::Import),
    /// Bring back what `backup` wrote; the server must be stopped. Restored folders start a new epoch: clients fetch
    /// them anew.
    Restore {
        /// The mailbox's address.
        mailbox: String,
        /// What `backup` wrote.
        from: PathBuf,
        /// Only this folder, by its path.
        #[arg(long)]
        folder: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Free the space of bodies that no message refers to any more; also beside a running server.
    Compact {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a user. The password is read from standard input; a terminal or an empty line makes one up.
    Add {
        address: String,
        #[command(flatten)]
        place: Place,
    },
    /// Change a user's password, given as for `add`.
    Passwd {
        address: String,
        #[command(flatten)]
        place: Place,
    },
    /// Remove a user. The mailbox stays unless --purge is given.
    Remove {
        address: String,
        /// Remove the mailbox with all its messages, too.
        #[arg(long)]
        purge: bool,
        #[command(flatten)]
        place: Place,
    },
    /// List the users.
    List {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AppPassword {
    /// Make an app password, and show it once. Programs use it like a password, but not with SCRAM.
    Add {
        /// The user's address.
        address: String,
        /// What it is for, such as the program that gets it.
        #[arg(long, default_value = "")]
        name: String,
        /// What it opens.
        #[arg(
            long = "protocols",
            value_name = "PROTOCOL,…",
            value_delimiter = ',',
            default_value = "imap,pop3,smtp,http"
        )]
        services: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// List a user's app passwords, and when each was last used. Not the secrets: these are known to nobody.
    List {
        /// The user's address.
        address: String,
        #[command(flatten)]
        place: Place,
    },
    /// Remove an app password: from now on it opens nothing.
    Remove {
        /// The user's address.
        address: String,
        /// The first word of its line in the list, or its name if only one has it.
        which: String,
        #[command(flatten)]
        place: Place,
    },
    /// Take nothing but app passwords of a user, so that the user's own password opens nothing.
    Require {
        /// The user's address.
        address: String,
        /// Take the user's own password again.
        #[arg(long)]
        off: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Alias {
    /// Deliver mail for ALIAS to ADDRESS.
    Add {
        alias: String,
        address: String,
        #[command(flatten)]
        place: Place,
    },
    /// Remove an alias.
    Remove {
        alias: String,
        #[command(flatten)]
        place: Place,
    },
    /// List the aliases.
    List {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Grant {
    /// Give a user rights in a folder of a mailbox.
    Add {
        /// The mailbox's address.
        mailbox: String,
        /// Whom: a user's address, or `default` for everybody.
        member: String,
        /// none, visible, contributor, reviewer, author, editor, owner and others, or the bits as 0x401.
        rights: String,
        /// Which folder, by its path.
        #[arg(long, default_value = "Inbox")]
        folder: String,
        #[command(flatten)]
        place: Place,
    },
    /// List the rights in a folder.
    List {
        mailbox: String,
        #[arg(long, default_value = "Inbox")]
        folder: String,
        #[command(flatten)]
        place: Place,
    },
    /// Let a user send in the name of a mailbox, a shared one too, or of an alias.
    Send {
        /// The address to send from.
        address: String,
        /// Who may: a user's address.
        member: String,
        /// How.
        how: SendHow,
        #[command(flatten)]
        place: Place,
    },
    /// List who may send in whose name.
    Senders {
        /// Only in this name, or only this user.
        address: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Make a shared mailbox: it has an address and no password.
    Shared {
        address: String,
        #[command(flatten)]
        place: Place,
    },
}

/// How somebody may send in another's name.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ValueEnum)]
pub(crate) enum SendHow {
    /// As the other: nobody sees who sent.
    As,
    /// On behalf of the other: From names the other, Sender the user.
    OnBehalf,
    /// No more.
    None,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Exchange {
    /// Let a user consent, on any device, to this gateway's use of the mailbox; for `flow = "device_code"`.
    Login {
        /// The mailbox's address.
        user: String,
        #[command(flatten)]
        place: Place,
    },
    /// Try everything a mailbox needs, step by step, and say what an administrator must change. Nothing is kept, except
    /// that a folder is made in Deleted Items and deleted again.
    Probe {
        /// The mailbox's address.
        user: String,
        /// A file with the password, for its owner alone to read. Without one, what is configured for the mailbox is
        /// used, or the password is read from standard input.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Print each finding as a line of JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mirror {
    /// Say how far mirrors are and what they hold; also beside a running server.
    Status {
        /// The mailbox's address; without one, a line for each mirror.
        mailbox: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Drop what can be fetched again from the server. UIDs stay, and clients notice nothing but a slower first read.
    Drop {
        /// The mailbox's address.
        mailbox: String,
        #[command(flatten)]
        place: Place,
    },
    /// Try again what the server refused of what waited for it: see `mirror status`.
    Retry {
        /// The mailbox's address.
        mailbox: String,
        #[command(flatten)]
        place: Place,
    },
    /// Write the messages that the server refused into files, one each.
    Export {
        /// The mailbox's address.
        mailbox: String,
        /// A folder that exists.
        to: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Forget a mirror with its numbers, such as after the mailbox was made anew on the server. UIDs begin anew: every
    /// client fetches its mail again, and what was on its way to the server is lost.
    Reset {
        /// The mailbox's address.
        mailbox: String,
        /// Do it; without, only say what it costs.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// List messages on their way out, the oldest first; also beside a running server.
    List {
        /// Only those from or to an address that contains this.
        address: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Show one message: its envelope, and how each recipient stands. No content is shown.
    Show {
        /// Its name in the queue.
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// Try messages now that wait for a later time.
    Retry {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        place: Place,
    },
    /// Keep messages until they are released.
    Hold {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        place: Place,
    },
    /// Let held messages go.
    Release {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        place: Place,
    },
    /// Remove messages. Nobody is told.
    Delete {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Recover {
    /// List what was deleted from a mailbox and is still kept, what was deleted last first; also beside a running server.
    List {
        /// The mailbox's address.
        mailbox: String,
        /// Only what was deleted from this folder, by its path; also of folders that were deleted.
        #[arg(long, value_name = "PATH")]
        folder: Option<String>,
        /// The most items to list.
        #[arg(long, default_value_t = 200)]
        limit: usize,
        #[command(flatten)]
        place: Place,
    },
    /// Say what is known of one deleted item.
    Show {
        /// The mailbox's address.
        mailbox: String,
        /// Its name in the list, such as 12.345.
        id: String,
        #[command(flatten)]
        place: Place,
    },
    /// Bring items back into the folder they were in, as new ones with their flags and dates. Where that folder is gone,
    /// single items go into Inbox/Recovered; whole folders are made again.
    Restore {
        /// The mailbox's address.
        mailbox: String,
        #[command(flatten)]
        which: DeletedItems,
        #[command(flatten)]
        place: Place,
    },
    /// Delete items for good, before their time.
    Purge {
        /// The mailbox's address.
        mailbox: String,
        #[command(flatten)]
        which: DeletedItems,
        #[command(flatten)]
        place: Place,
    },
}

/// Items that were deleted.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct DeletedItems {
    /// Their names in the list, such as 12.345.
    ids: Vec<String>,
    /// Those of this folder, by its path, and of deleted folders below it.
    #[arg(long, value_name = "PATH")]
    folder: Option<String>,
    /// All of the mailbox.
    #[arg(long)]
    all: bool,
}

impl From<DeletedItems> for crate::command::Which {
    fn from(which: DeletedItems) -> Self {
        match which.folder {
            Some(path) => Self::Folder(path),
            None if which.all => Self::All,
            None => Self::Items(which.ids),
        }
    }
}

/// Messages in the outgoing queue.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Their names in the queue.
    ids: Vec<String>,
    /// All of them.
    #[arg(long)]
    all: bool,
}

impl Which {
    /// The names; none stands for all.
    pub(crate) fn ids(self) -> Vec<String> {
        self.ids
    }
}

/// Whom to trace, and how.
#[derive(Args, Debug)]
pub(crate) struct Trace {
    /// The account's address.
    pub(crate) user: String,
    /// For so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
    /// One JSON object an operation.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// What to decode, and how to show it.
#[derive(Args, Debug)]
pub(crate) struct Decode {
    /// A body (`NNN-endpoint-RequestType-label.req.bin` or `.rsp.bin`, or one that its content tells), or a folder.
    pub(crate) path: PathBuf,
    /// One JSON object a body.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print all octets that are not decoded, not only a few.
    #[arg(long)]
    pub(crate) octets: bool,
    /// A body that is known to be malformed; it is an error if it is not.
    #[arg(long, value_name = "NAME")]
    pub(crate) expect_malformed: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Say whether the configuration can be used.
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// Print the configuration in force, with every default.
    Show {
        #[command(flatten)]
        place: Place,
    },
}
