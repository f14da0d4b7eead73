//! Searches in a world of servers.

mod keeping;
mod others;
mod places;
mod reaching;
mod soap;
mod trusting;
mod world;
