//! Comparing property values, for restrictions and sort orders. Source: MS-OXCDATA 2.12.5.1, MS-OXCTABL 2.2.2.3.

use std::cmp::Ordering;

use mapi_wire::PropValue;

/// The order of two values of one type; `None` across types. Letter case does not count.
pub fn compare(a: &PropValue, b: &PropValue) -> Option<Ordering> {
    match (a, b) {
        (PropValue::I16(a), PropValue::I16(b)) => Some(a.cmp(b)),
        (PropValue::I32(a), PropValue::I32(b)) => Some(a.cmp(b)),
        (PropValue::I64(a), PropValue::I64(b)) => Some(a.cmp(b)),
        (PropValue::Currency(a), PropValue::Currency(b)) => Some(a.cmp(b)),
        (PropValue::F32(a), PropValue::F32(b)) => a.partial_cmp(b),
        (PropValue::F64(a), PropValue::F64(b))
        | (PropValue::FloatingTime(a), PropValue::FloatingTime(b)) => a.partial_cmp(b),
        (PropValue::Bool(a), PropValue::Bool(b)) => Some(a.cmp(b)),
        (PropValue::Time(a), PropValue::Time(b)) => Some(a.cmp(b)),
        (PropValue::Guid(a), PropValue::Guid(b)) => Some(a.cmp(b)),
        (PropValue::Binary(a), PropValue::Binary(b)) => Some(a.cmp(b)),
        (PropValue::String(a), PropValue::String(b)) => {
            Some(a.to_text().to_lowercase().cmp(&b.to_text().to_lowercase()))
        }
        (PropValue::String8(a), PropValue::String8(b)) => {
            Some(a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase()))
        }
        (PropValue::I32(a), PropValue::I64(b)) => Some(i64::from(*a).cmp(b)),
        (PropValue::I64(a), PropValue::I32(b)) => Some(a.cmp(&i64::from(*b))),
        (a, b) if a == b => Some(Ordering::Equal),
        _ => None,
    }
}

/// Whether an order is what a relational operator asks for. Source: MS-OXCDATA 2.12.5.1.
pub fn holds(relation: u8, order: Ordering) -> bool {
    match relation {
        0 => order.is_lt(),
        1 => order.is_le(),
        2 => order.is_gt(),
        3 => order.is_ge(),
        4 => order.is_eq(),
        5 => order.is_ne(),
        _ => false,
    }
}
