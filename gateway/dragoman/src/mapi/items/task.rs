//! Tasks. Source: MS-OXOTASK.

use account::Role;
use mapi_convert::oxotask::{self, TaskStatus};
use mapi_types::{PropBag, PropTag, Row, tags};
use serde_json::{Value, json};

use super::{Class, common};
use crate::{
    cli::mapi::{Status, Task},
    failure::Result,
    mapi::{
        Moment, moment,
        output::plain,
        session::{Session, invalid},
    },
};

impl Class for Task {
    const ROLE: Role = Role::Tasks;
    const CLASS: &'static str = oxotask::CLASS;
    const COLUMNS: &'static [PropTag] = &[
        tags::TASK_STATUS.tag(),
        tags::PERCENT_COMPLETE.tag(),
        tags::TASK_START_DATE.tag(),
        tags::TASK_DUE_DATE.tag(),
        tags::TASK_DATE_COMPLETED.tag(),
        tags::TASK_OWNER.tag(),
        tags::TASK_F_RECURRING.tag(),
    ];

    fn props(&self, session: &Session) -> Result<PropBag> {
        if let (Some(start), Some(due)) = (self.start, self.due)
            && due.day().date < start.day().date
        {
            return Err(invalid("a task cannot be due before it starts"));
        }
        let status = match self.status {
            Status::NotStarted => TaskStatus::NotStarted,
            Status::InProgress => TaskStatus::InProgress,
            Status::Complete => TaskStatus::Complete,
            Status::Waiting => TaskStatus::Waiting,
            Status::Deferred => TaskStatus::Deferred,
        };
        let completed = self.completed.unwrap_or_else(Moment::now);
        let task = oxotask::Task {
            common: common(&self.subject, &self.about),
            start: self.start.map(Moment::day),
            due: self.due.map(Moment::day),
            status,
            percent: self.percent,
            completed: Some(completed.day()),
            reminder: self.reminder.map(Moment::time),
            owner: session.mailbox.0.clone(),
        };
        Ok(task.to_props())
    }

    fn cells(row: Row<'_>) -> Vec<String> {
        let due = row.get(&tags::TASK_DUE_DATE).map(moment::day_text);
        let percent = percent(row).map(|percent| format!("{percent} %"));
        vec![
            status(row).unwrap_or("-").to_owned(),
            percent.unwrap_or_default(),
            due.map_or_else(String::new, |due| format!("due {due}")),
            plain(row.get(&tags::SUBJECT).unwrap_or("")),
        ]
    }

    fn json(row: Row<'_>) -> Value {
        json!({
            "subject": row.get(&tags::SUBJECT),
            "status": status(row),
            "percent": percent(row),
            "start": row.get(&tags::TASK_START_DATE).map(moment::day_text),
            "due": row.get(&tags::TASK_DUE_DATE).map(moment::day_text),
            "completed": row.get(&tags::TASK_DATE_COMPLETED).map(moment::day_text),
            "owner": row.get(&tags::TASK_OWNER),
            "recurring": row.get(&tags::TASK_F_RECURRING).unwrap_or(false),
        })
    }
}

fn status(row: Row<'_>) -> Option<&'static str> {
    Some(match TaskStatus::of(row.get(&tags::TASK_STATUS)?)? {
        TaskStatus::NotStarted => "not-started",
        TaskStatus::InProgress => "in-progress",
        TaskStatus::Complete => "complete",
        TaskStatus::Waiting => "waiting",
        TaskStatus::Deferred => "deferred",
    })
}

fn percent(row: Row<'_>) -> Option<u8> {
    let part = row.get(&tags::PERCENT_COMPLETE)?;
    Some((part.clamp(0.0, 1.0) * 100.0).round() as u8)
}
