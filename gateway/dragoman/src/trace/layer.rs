//! Collects the spans of operations: which belong together, what they say, how long they took.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::{
    Trace, Traces,
    operation::{Operation, Value},
};

/// The longest text of a field.
const TEXT_CHARS_MAX: usize = 600;

/// Fields that say whose operation it is. They are not shown: of a mailbox of somebody else they would name its owner.
const OWNERS: [&str; 2] = ["user", "mailbox"];

/// The layer.
#[derive(Debug)]
pub(super) struct Operations {
    traces: Arc<Traces>,
}

impl Operations {
    pub(super) const fn new(traces: Arc<Traces>) -> Self {
        Self { traces }
    }
}

/// Where in which operation a span is.
#[derive(Clone)]
struct Place {
    building: Arc<Mutex<Building>>,
    span: usize,
}

/// An operation that goes on.
struct Building {
    /// Who traces it; nobody knows yet whose it is when its user has not logged in.
    traces: Option<Vec<Arc<Trace>>>,
    operation: Operation,
}

/// What a span says.
#[derive(Default)]
struct Fields {
    owner: Option<String>,
    shown: Vec<(&'static str, Value)>,
}

impl<S> Layer<S> for Operations
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let name = attributes.metadata().name();
        let place = match span.parent() {
            Some(parent) => {
                let place = parent.extensions().get::<Place>().cloned();
                place.and_then(|place| place.child(name, fields))
            }
            None => {
                let may_log_in = attributes.metadata().fields().field("user").is_some();
                self.begin(name, fields, may_log_in)
            }
        };
        if let Some(place) = place {
            span.extensions_mut().insert(place);
        }
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let Some(place) = place(id, &context) else {
            return;
        };
        let mut fields = Fields::default();
        record.record(&mut fields);
        let mut building = place.lock();
        if let (Some(owner), None) = (&fields.owner, &building.traces) {
            building.traces = Some(self.traces.of(owner));
        }
        building.operation.say(place.span, fields.shown);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(place) = place(&id, &context) else {
            return;
        };
        let mut building = place.lock();
        building.operation.end(place.span);
        // The first span outlives all others.
        if place.span == 0 {
            building.tell();
        }
    }
}

impl Operations {
    /// A span that is in no other: an operation begins, if somebody traces it or may do so.
    fn begin(&self, name: &'static str, fields: Fields, may_log_in: bool) -> Option<Place> {
        let traces = match (&fields.owner, may_log_in) {
            (Some(owner), _) => Some(self.traces.of(owner)),
            (None, true) => None,
            (None, false) => return None,
        };
        if traces.as_ref().is_some_and(Vec::is_empty) {
            return None;
        }
        let operation = Operation::begin(name, fields.shown);
        let building = Arc::new(Mutex::new(Building { traces, operation }));
        Some(Place { building, span: 0 })
    }
}

impl Place {
    fn child(&self, name: &'static str, fields: Fields) -> Option<Self> {
        let span = self.lock().operation.add(self.span, name, fields.shown)?;
        Some(Self {
            building: self.building.clone(),
            span,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Building> {
        self.building.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Building {
    /// Hands the operation over to who traces it.
    fn tell(&mut self) {
        let traces = self.traces.take().unwrap_or_default();
        if traces.is_empty() || self.operation.is_idle() {
            return;
        }
        let operation = Arc::new(std::mem::take(&mut self.operation));
        for trace in traces {
            trace.tell(&operation);
        }
    }
}

fn place<S>(id: &Id, context: &Context<'_, S>) -> Option<Place>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    context.span(id)?.extensions().get::<Place>().cloned()
}

impl Fields {
    fn text(&mut self, field: &Field, text: String) {
        let text = match text.char_indices().nth(TEXT_CHARS_MAX) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        };
        match OWNERS.contains(&field.name()) {
            true => self.owner = Some(text),
            false => self.shown.push((field.name(), Value::Text(text))),
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.shown.push((field.name(), Value::Number(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }
}
