//! The world a newcomer finds: two apps and three people. Its credentials are public constants, and look it.

use super::{App, User, World};

/// Public credentials of a demo app. They open nothing but a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoApp {
    /// The client id.
    pub client_id: &'static str,
    /// The client secret.
    pub client_secret: &'static str,
    /// The name on the consent page.
    pub name: &'static str,
}

/// The operator's app, for the standard way to connect. Owned by `ana`; `ben` is allow-listed, `guest` is not.
pub const DEMO_APP: DemoApp = DemoApp {
    client_id: "decafbaddecafbaddecafbaddecafbad",
    client_secret: "feedfacefeedfacefeedfacefeedface",
    name: "Patchbay demo",
};

/// An app of the user's own, to register as such. Owned by `ana`; nobody else is allow-listed.
pub const OWN_APP: DemoApp = DemoApp {
    client_id: "c0ffeec0ffeec0ffeec0ffeec0ffeec0",
    client_secret: "deadbeefdeadbeefdeadbeefdeadbeef",
    name: "Ana's own app",
};

pub(super) fn furnish(world: &mut World) {
    for (id, account_id, name) in [
        ("ana", "AnaAnaAnaAna", "Ana"),
        ("ben", "BenBenBenBen", "Ben"),
        ("guest", "GuestGuest00", "Guest"),
    ] {
        let user = User {
            account_id: account_id.to_owned(),
            ..User::new(id, name)
        };
        world.users.insert(id.to_owned(), user);
    }
    for (demo, allowed) in [(DEMO_APP, ["ana", "ben"].as_slice()), (OWN_APP, &["ana"])] {
        let app = App {
            client_secret: Some(demo.client_secret.to_owned()),
            name: demo.name.to_owned(),
            allowed: allowed.iter().map(|&id| id.to_owned()).collect(),
            ..App::new(demo.client_id, "ana")
        };
        world.apps.insert(demo.client_id.to_owned(), app);
    }
}
