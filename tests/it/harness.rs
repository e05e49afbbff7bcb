//! What the tests stand on: databases and faults.

pub mod flaky_store;
pub mod mongod;
