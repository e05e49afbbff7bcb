//! What the tests stand on: a whole service, a browser, a clock that moves when told, databases and faults.

pub mod app;
pub mod browser;
pub mod clock;
pub mod crowd;
pub mod entropy;
pub mod exits;
pub mod flaky_store;
pub mod mongod;
pub mod network;
pub mod process;
pub mod proxy;
pub mod remote;
pub mod replica_set;
