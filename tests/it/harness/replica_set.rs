//! A replica set of a test's own, whose members are killed, brought back, and sent from office.

use mongodb::bson::doc;

use super::{
    clock::until,
    mongod::{self, Mongod, command, direct},
};

/// Longer than any test: a frozen member stands for no election, one that stepped down neither.
const OUT_OF_OFFICE_S: i32 = 600;

/// Servers that elect one of themselves.
pub struct ReplicaSet {
    members: Vec<Mongod>,
}

impl ReplicaSet {
    /// A set of so many members, all up to date, or `None` where there is no MongoDB.
    pub async fn start(size: usize) -> Option<Self> {
        let members: Option<Vec<_>> = (0..size).map(|_| Mongod::start()).collect();
        let set = Self { members: members? };
        mongod::initiate(&set.ports(), &set.url("")).await;
        until("every member has the data", async || {
            set.states().await.iter().all(|state| matches!(state, 1 | 2))
        })
        .await;
        Some(set)
    }

    /// Where the database of this name is reached.
    pub fn url(&self, database: &str) -> String {
        mongod::set_uri(&self.ports(), database)
    }

    /// Where this member listens.
    pub fn port(&self, member: usize) -> u16 {
        self.members[member].port()
    }

    fn ports(&self) -> Vec<u16> {
        self.members.iter().map(Mongod::port).collect()
    }

    /// The members' states as the first member sees them: 1 is the primary, 2 a secondary.
    async fn states(&self) -> Vec<i32> {
        let status = command(
            &direct(self.members[0].port()).await,
            doc! { "replSetGetStatus": 1 },
        )
        .await;
        let members = status.get_array("members").expect("members");
        let state = |member: &mongodb::bson::Bson| member.as_document()?.get_i32("state").ok();
        members.iter().filter_map(state).collect()
    }

    /// Which member is in office.
    pub async fn primary(&self) -> usize {
        for (number, member) in self.members.iter().enumerate() {
            let hello = command(&direct(member.port()).await, doc! { "hello": 1 }).await;
            if hello.get_bool("isWritablePrimary").is_ok_and(|yes| yes) {
                return number;
            }
        }
        panic!("nobody is in office");
    }

    /// Sees to it that nobody takes the primary's place when it goes: that lasts until somebody may stand again. Answers
    /// who is in office.
    pub async fn nobody_else_may_stand(&self) -> usize {
        let primary = self.primary().await;
        for (number, member) in self.members.iter().enumerate() {
            if number != primary {
                command(
                    &direct(member.port()).await,
                    doc! { "replSetFreeze": OUT_OF_OFFICE_S },
                )
                .await;
            }
        }
        primary
    }

    /// Lets every member except `except` stand for election again.
    pub async fn all_may_stand_but(&self, except: usize) {
        for (number, member) in self.members.iter().enumerate() {
            if number != except {
                command(&direct(member.port()).await, doc! { "replSetFreeze": 0 }).await;
            }
        }
    }

    /// Sends the primary from office, whether or not somebody can take its place.
    pub async fn step_down(&self, primary: usize) {
        let step_down =
            doc! { "replSetStepDown": OUT_OF_OFFICE_S, "secondaryCatchUpPeriodSecs": 0, "force": true };
        command(&direct(self.members[primary].port()).await, step_down).await;
    }

    /// Whether the others go on copying what `primary` writes. If not, they still take it for the primary.
    pub async fn others_follow(&self, primary: usize, follow: bool) {
        let mode = if follow { "off" } else { "alwaysOn" };
        for (number, member) in self.members.iter().enumerate() {
            if number != primary {
                let stop = doc! { "configureFailPoint": "stopReplProducer", "mode": mode };
                command(&direct(member.port()).await, stop).await;
            }
        }
    }

    /// How often this member was asked to find something.
    pub async fn finds(&self, member: usize) -> i64 {
        let status = command(&direct(self.port(member)).await, doc! { "serverStatus": 1 }).await;
        let metrics = status.get_document("metrics").expect("metrics");
        let commands = metrics.get_document("commands").expect("commands");
        let find = commands.get_document("find").expect("the command");
        find.get_i64("total").expect("a count")
    }

    /// SIGKILL; returns when the member is gone.
    pub fn kill(&mut self, member: usize) {
        self.members[member].kill();
    }

    /// Starts a killed member on its data.
    pub fn restart(&mut self, member: usize) {
        self.members[member].restart();
    }
}
