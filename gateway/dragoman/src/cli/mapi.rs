//! The command line of `dragoman mapi`. What a verb is asked goes to a running server as it stands here.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use super::{Decode, Place};
use crate::mapi::{Filter, Moment};

#[derive(Debug, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one, for as long as the command runs"
)]
pub(crate) enum Mapi {
    /// Print a recorded body, or a folder of them as one session. The last line counts them; the command fails when one
    /// is malformed that was not expected to be.
    Decode(Decode),
    #[command(flatten)]
    Verb(Verb),
}

#[derive(Debug, Deserialize, Serialize, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one, for as long as the command runs"
)]
pub(crate) enum Verb {
    /// List the mailboxes that can be opened, and by which names.
    Accounts {
        #[command(flatten)]
        asker: Asker,
    },
    /// Print the folder tree: class, counts, sizes.
    Folders {
        #[command(flatten)]
        who: Who,
    },
    /// List the items of a folder: number, date, class, size, flags, from, subject.
    List {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        what: List,
    },
    /// Print an item whole: every property by name, recipients, attachments.
    Show {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        what: Show,
    },
    /// Send a message (RFC 5322) to whom its To, Cc and Bcc fields name.
    Send {
        #[command(flatten)]
        who: Who,
        /// The message; `-` reads standard input.
        #[serde(skip)]
        file: PathBuf,
        #[command(flatten)]
        how: Send,
    },
    /// Appointments in a calendar.
    Appointment(Items<Appointment>),
    /// Contacts.
    Contact(Items<Contact>),
    /// Tasks.
    Task(Items<Task>),
    /// Notes.
    Note(Items<Note>),
    /// Say when somebody is busy, as far as they let it be known.
    Freebusy {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        span: Span,
    },
    /// Show or change who may do what in a folder.
    Permissions {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        what: Permissions,
    },
    /// Print what changes, as it happens, until interrupted.
    Watch {
        #[command(flatten)]
        who: Who,
        /// Only this folder; else all of them.
        folder: Option<String>,
    },
}

/// Which mailbox, and who asks.
#[derive(Args, Clone, Debug, Default, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Who {
    /// The mailbox's address, or the name of an account in the configuration.
    pub(crate) address: String,
    #[command(flatten)]
    pub(crate) asker: Asker,
}

/// Who asks, and how the answer looks.
#[derive(Args, Clone, Debug, Default, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Asker {
    /// Open the mailbox as this user, who may do no more in it than its permissions say.
    #[arg(long = "as", value_name = "ADDRESS", global = true)]
    pub(crate) as_user: Option<String>,
    /// A file with the user's password at the Exchange server, where none is configured; for its owner alone to read.
    #[arg(long, value_name = "FILE", global = true)]
    #[serde(skip)]
    pub(crate) password_file: Option<PathBuf>,
    /// Print JSON, one object a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) place: Place,
}

/// Which items to list.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct List {
    /// The folder, by its path such as `Inbox/Projects`; special ones also by their English names.
    pub(crate) folder: String,
    /// The associated items, which are for programs.
    #[arg(long, conflicts_with = "deleted")]
    pub(crate) associated: bool,
    /// The items that were deleted and can be recovered.
    #[arg(long)]
    pub(crate) deleted: bool,
    /// Only what came at this time or later.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Moment>,
    /// Only these: unread, flagged, attachment, subject=TEXT, from=TEXT, class=PREFIX. All that are given must hold.
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) conditions: Vec<Filter>,
    /// The newest so many; 0: all.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: u32,
    /// Fetch nothing for it: sender and size of messages that nobody has read yet are then missing.
    #[arg(long)]
    pub(crate) fast: bool,
}

/// Which item to show.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Show {
    /// The folder.
    pub(crate) folder: String,
    /// The item's number.
    pub(crate) number: u32,
    /// Print the original octets and nothing else.
    #[arg(long, conflicts_with_all = ["json", "octets"])]
    pub(crate) raw: bool,
    /// Print all octets of binary values, not only a few.
    #[arg(long)]
    pub(crate) octets: bool,
}

/// How to send.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Send {
    /// The folder that keeps a copy, or `none` [default: the folder for sent mail].
    #[arg(long, value_name = "FOLDER")]
    pub(crate) copy: Option<String>,
    /// What this message is called: what was sent under that name before is not sent again.
    #[arg(long, value_name = "NAME")]
    pub(crate) once: Option<String>,
}

/// Items of one class.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Items<N: Args> {
    #[command(flatten)]
    pub(crate) who: Who,
    /// The folder [default: the one of their class].
    #[arg(long, value_name = "FOLDER", global = true)]
    pub(crate) folder: Option<String>,
    #[command(subcommand)]
    pub(crate) action: Action<N>,
}

/// What to do with items of one class.
#[derive(Clone, Debug, Deserialize, Serialize, Subcommand)]
pub(crate) enum Action<N: Args> {
    /// Make one; its number is printed.
    Add(N),
    /// List them.
    List,
    /// Show one by its number, with every property.
    Show {
        /// The item's number.
        number: u32,
    },
    /// Remove some by their numbers.
    Remove {
        /// The items' numbers.
        #[arg(required = true)]
        numbers: Vec<u32>,
    },
}

/// What items of every class have.
#[derive(Args, Clone, Debug, Default, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct About {
    /// Text.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) body: String,
    /// A category; as often as needed.
    #[arg(long = "category", value_name = "NAME")]
    pub(crate) categories: Vec<String>,
    /// How important it is.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) importance: Importance,
    /// Others see that there is something, and not what.
    #[arg(long)]
    pub(crate) private: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ValueEnum)]
pub(crate) enum Importance {
    Low,
    #[default]
    Normal,
    High,
}

/// A new appointment: a single one, without attendees.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Appointment {
    /// What it is about.
    #[arg(long)]
    pub(crate) subject: String,
    /// From when, such as 2026-12-24T18:00+01:00, or the day, such as 2026-12-24+01:00.
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Moment,
    /// Until when; of whole days: the day after the last [default: 30 minutes, or one day].
    #[arg(long, value_name = "TIME")]
    pub(crate) end: Option<Moment>,
    /// It is about whole days.
    #[arg(long)]
    pub(crate) all_day: bool,
    /// Where.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) location: String,
    /// What it makes of the time.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) busy: ShowAs,
    /// Remind so many minutes before.
    #[arg(long, value_name = "MINUTES")]
    pub(crate) reminder: Option<u32>,
    #[command(flatten)]
    pub(crate) about: About,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ValueEnum)]
pub(crate) enum ShowAs {
    Free,
    Tentative,
    #[default]
    Busy,
    OutOfOffice,
    WorkingElsewhere,
}

/// A new contact.
#[derive(Args, Clone, Debug, Default, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Contact {
    /// The whole name [default: made of its parts].
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) full_name: String,
    /// Given name.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) given_name: String,
    /// Middle name.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) middle_name: String,
    /// Family name.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) surname: String,
    /// Nickname.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) nickname: String,
    /// Company.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) company: String,
    /// Department.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) department: String,
    /// What the person does there.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) job_title: String,
    /// An electronic address; up to three times.
    #[arg(long = "email", value_name = "ADDRESS")]
    pub(crate) emails: Vec<String>,
    /// Telephone at work.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) phone: String,
    /// Telephone at home.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) home_phone: String,
    /// Mobile telephone.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) mobile: String,
    /// Fax at work.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) fax: String,
    /// Web page.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) web: String,
    /// Address at work: street and number.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) street: String,
    /// Address at work: city.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) city: String,
    /// Address at work: state or province.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) state: String,
    /// Address at work: postal code.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) postal_code: String,
    /// Address at work: country.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) country: String,
    #[command(flatten)]
    pub(crate) about: About,
}

/// A new task.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Task {
    /// What is to be done.
    #[arg(long)]
    pub(crate) subject: String,
    /// The day on which it begins, such as 2026-12-24+01:00.
    #[arg(long, value_name = "DAY")]
    pub(crate) start: Option<Moment>,
    /// The day until which it is to be done.
    #[arg(long, value_name = "DAY")]
    pub(crate) due: Option<Moment>,
    /// How far it is.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) status: Status,
    /// How much of it is done.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) percent: u8,
    /// The day on which it was completed [default: today, if it is complete].
    #[arg(long, value_name = "DAY")]
    pub(crate) completed: Option<Moment>,
    /// Remind at this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) reminder: Option<Moment>,
    #[command(flatten)]
    pub(crate) about: About,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, ValueEnum)]
pub(crate) enum Status {
    #[default]
    NotStarted,
    InProgress,
    Complete,
    Waiting,
    Deferred,
}

/// A new note. Its first line is its subject.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Note {
    /// The colour of the paper.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) colour: Colour,
    #[command(flatten)]
    pub(crate) about: About,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ValueEnum)]
pub(crate) enum Colour {
    Blue,
    Green,
    Pink,
    #[default]
    Yellow,
    White,
}

/// Whose time, and which.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Span {
    /// Whose free/busy times, seen by who has the mailbox [default: its own].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) of: Option<String>,
    /// From when, such as 2026-12-24T00:00+01:00 or 2026-12-24.
    pub(crate) from: Moment,
    /// Until when.
    pub(crate) to: Moment,
}

/// Which folder's permissions, and what is to become of them.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Permissions {
    /// The folder.
    pub(crate) folder: String,
    #[command(subcommand)]
    pub(crate) change: Option<PermissionChange>,
}

#[derive(Clone, Debug, Deserialize, Serialize, Subcommand)]
pub(crate) enum PermissionChange {
    /// Give somebody these rights, and no others.
    Set {
        /// An address, `default` (everybody) or `anonymous` (who did not log in).
        member: String,
        /// none, visible, contributor, reviewer, author, editor, owner and others, or the bits as 0x401.
        rights: String,
    },
    /// Take somebody out of the table.
    Remove {
        /// An address, `default` or `anonymous`.
        member: String,
    },
}

impl Verb {
    /// Who asks.
    pub(crate) fn asker(&self) -> &Asker {
        match self {
            Self::Accounts { asker } => asker,
            other => match other.who() {
                Some(who) => &who.asker,
                None => unreachable!("every other verb is about a mailbox"),
            },
        }
    }

    /// Which mailbox it is about.
    pub(crate) fn who(&self) -> Option<&Who> {
        match self {
            Self::Accounts { .. } => None,
            Self::Folders { who }
            | Self::List { who, .. }
            | Self::Show { who, .. }
            | Self::Send { who, .. }
            | Self::Freebusy { who, .. }
            | Self::Permissions { who, .. }
            | Self::Watch { who, .. } => Some(who),
            Self::Appointment(items) => Some(&items.who),
            Self::Contact(items) => Some(&items.who),
            Self::Task(items) => Some(&items.who),
            Self::Note(items) => Some(&items.who),
        }
    }
}
