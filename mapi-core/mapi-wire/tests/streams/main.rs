//! Streams and sets: as a real server wrote them, as models say they must be, and as nobody should write them.

#[cfg(test)]
mod any;
#[cfg(test)]
mod atoms;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod grammar;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod sets;
#[cfg(test)]
mod states;
