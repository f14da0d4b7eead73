//! Tasks as properties: one's own, not assigned to others, single. Source: MS-OXOTASK 2.2.2.2.

use mapi_types::{FileTime, PropBag, tags};

use crate::item::{Common, Item};

/// PidTagMessageClass of tasks.
pub const CLASS: &str = "IPM.Task";

/// A task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Task {
    /// Subject, text, marks.
    pub common: Common,
    /// The day on which it begins.
    pub start: Option<Day>,
    /// The day until which it is to be done.
    pub due: Option<Day>,
    /// How far it is.
    pub status: TaskStatus,
    /// How much of it is done, from 0 to 100; complete tasks are done.
    pub percent: u8,
    /// The day on which it was completed, of a complete task.
    pub completed: Option<Day>,
    /// When its owner is reminded.
    pub reminder: Option<FileTime>,
    /// Whose it is.
    pub owner: String,
}

/// A day where somebody is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Midnight, as if the place was in UTC.
    pub date: FileTime,
    /// Midnight in UTC.
    pub begins: FileTime,
}

/// PidLidTaskStatus. Source: MS-OXOTASK 2.2.2.2.2.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TaskStatus {
    /// Not started.
    #[default]
    NotStarted,
    /// In progress.
    InProgress,
    /// Complete.
    Complete,
    /// Waiting for somebody else.
    Waiting,
    /// Put off.
    Deferred,
}

impl TaskStatus {
    /// Every status, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::NotStarted,
        Self::InProgress,
        Self::Complete,
        Self::Waiting,
        Self::Deferred,
    ];

    /// The number.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The status of a number, if it has one.
    pub fn of(number: i32) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

/// PidTagIconIndex of a task. Source: MS-OXOTASK 2.2.2.1.2.
const ICON: i32 = 0x500;

/// PidLidTaskState: the task is not assigned. Source: MS-OXOTASK 2.2.2.2.14.
const NOT_ASSIGNED: i32 = 1;

/// PidLidTaskVersion of a new task. Source: MS-OXOTASK 2.2.2.2.12.
const FIRST_VERSION: i32 = 1;

/// PidLidTaskOrdinal of a task that nobody has put into an order. Source: MS-OXOTASK 2.2.2.2.26.
const NO_ORDER: i32 = 0x7fff_ffff;

impl Task {
    /// The task's properties.
    pub fn to_props(&self) -> PropBag {
        let is_complete = self.status == TaskStatus::Complete;
        let mut item = Item::new(CLASS, ICON, &self.common);
        item.long(&tags::TASK_STATUS, self.status.number());
        let percent = if is_complete {
            100
        } else {
            self.percent.min(100)
        };
        item.double(&tags::PERCENT_COMPLETE, f64::from(percent) / 100.0);
        item.truth(&tags::TASK_COMPLETE, is_complete);
        if let Some(day) = self.completed.filter(|_| is_complete) {
            item.time(&tags::TASK_DATE_COMPLETED, day.date);
        }
        if let Some(day) = self.start {
            item.time(&tags::TASK_START_DATE, day.date);
            item.time(&tags::COMMON_START, day.begins);
        }
        if let Some(day) = self.due {
            item.time(&tags::TASK_DUE_DATE, day.date);
            item.time(&tags::COMMON_END, day.begins);
        }
        item.text(&tags::TASK_OWNER, &self.owner);
        item.long(&tags::TASK_OWNERSHIP, 0);
        item.long(&tags::TASK_ACCEPTANCE_STATE, 0);
        item.long(&tags::TASK_STATE, NOT_ASSIGNED);
        item.long(&tags::TASK_VERSION, FIRST_VERSION);
        item.long(&tags::TASK_ORDINAL, NO_ORDER);
        item.long(&tags::TASK_MODE, 0);
        item.long(&tags::TASK_ACTUAL_EFFORT, 0);
        item.long(&tags::TASK_ESTIMATED_EFFORT, 0);
        item.truth(&tags::TASK_F_RECURRING, false);
        item.truth(&tags::TEAM_TASK, false);
        item.truth(&tags::REMINDER_SET, self.reminder.is_some());
        if let Some(time) = self.reminder {
            item.time(&tags::REMINDER_TIME, time);
            item.time(&tags::REMINDER_SIGNAL_TIME, time);
        }
        item.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Day = Day {
        date: FileTime(1000),
        begins: FileTime(900),
    };

    #[test]
    fn a_task_has_days_of_its_place_and_of_the_world() {
        let task = Task {
            start: Some(DAY),
            due: Some(DAY),
            status: TaskStatus::InProgress,
            percent: 25,
            completed: Some(DAY),
            ..Task::default()
        };
        let props = task.to_props();
        assert_eq!(props.get(&tags::TASK_START_DATE), Some(DAY.date));
        assert_eq!(props.get(&tags::COMMON_START), Some(DAY.begins));
        assert_eq!(props.get(&tags::TASK_DUE_DATE), Some(DAY.date));
        assert_eq!(props.get(&tags::COMMON_END), Some(DAY.begins));
        assert_eq!(props.get(&tags::PERCENT_COMPLETE), Some(0.25));
        assert_eq!(props.get(&tags::TASK_COMPLETE), Some(false));
        assert_eq!(props.get(&tags::TASK_DATE_COMPLETED), None);
        assert_eq!(props.get(&tags::REMINDER_SET), Some(false));
    }

    #[test]
    fn a_complete_task_is_done() {
        let task = Task {
            status: TaskStatus::Complete,
            completed: Some(DAY),
            ..Task::default()
        };
        let props = task.to_props();
        assert_eq!(props.get(&tags::TASK_STATUS), Some(2));
        assert_eq!(props.get(&tags::PERCENT_COMPLETE), Some(1.0));
        assert_eq!(props.get(&tags::TASK_COMPLETE), Some(true));
        assert_eq!(props.get(&tags::TASK_DATE_COMPLETED), Some(DAY.date));
    }

    #[test]
    fn a_status_has_its_number() {
        for status in TaskStatus::ALL {
            assert_eq!(TaskStatus::of(status.number()), Some(status));
        }
        assert_eq!(TaskStatus::of(5), None);
        assert_eq!(TaskStatus::of(-1), None);
    }
}
