//! Fields that every message gets, and fields that none may bring along.

use crate::{Changes, Failure, HeaderEdit, Judging, Passing, Step, Verdict};

/// Puts fields before the others, and takes fields out first, such as verdicts that others claim to have given.
#[derive(Clone, Debug)]
pub struct Stamp {
    add: Vec<(String, String)>,
    remove: Vec<String>,
}

impl Stamp {
    /// Fields such as `X-Gateway: here`, and names of fields. Errors: what is no field.
    pub fn new(add: &[String], remove: &[String]) -> Result<Self, Failure> {
        let none = |text: &str| Failure(format!("{text:?} is no header field"));
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|one| matches!(one, 33..=126) && one != b':')
        };
        let mut fields = Vec::new();
        for text in add {
            let (name, value) = text.split_once(':').ok_or_else(|| none(text))?;
            if !is_name(name) || value.contains(char::is_control) {
                return Err(none(text));
            }
            fields.push((name.to_owned(), format!(" {}", value.trim())));
        }
        match remove.iter().find(|name| !is_name(name)) {
            Some(name) => Err(none(name)),
            None => Ok(Self {
                add: fields,
                remove: remove.to_vec(),
            }),
        }
    }
}

impl Step for Stamp {
    fn judge<'a>(&'a self, passing: &'a Passing) -> Judging<'a> {
        Box::pin(async {
            let has = |name: &str| account::mime::header::field(&passing.message.fields, name);
            let removed = self.remove.iter().filter(|name| has(name).is_some());
            let mut header: Vec<HeaderEdit> = removed
                .map(|name| HeaderEdit::Remove {
                    name: name.clone(),
                    nth: 0,
                })
                .collect();
            header.extend(self.add.iter().enumerate().map(|(after, (name, value))| {
                HeaderEdit::Insert {
                    after,
                    name: name.clone(),
                    value: value.clone().into_bytes(),
                }
            }));
            Ok(match header.is_empty() {
                true => Verdict::Pass,
                false => Verdict::Change(Changes {
                    header,
                    ..Changes::default()
                }),
            })
        })
    }
}
