//! People with a Spotify account.

use serde::{Deserialize, Serialize};

use super::{Refused, World};

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// The user name in addresses.
    pub id: String,
    /// The stable pseudonym that applications should link on (reference: §10.1). Left empty, made from the id.
    #[serde(default)]
    pub account_id: String,
    /// Null for an account that never chose a name.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Whether the account pays.
    #[serde(default)]
    pub premium: bool,
}

impl User {
    /// A paying user.
    #[must_use]
    pub fn new(id: &str, display_name: &str) -> Self {
        Self {
            id: id.to_owned(),
            account_id: String::new(),
            display_name: Some(display_name.to_owned()),
            premium: true,
        }
    }

    /// The name to show: the id where there is no other.
    #[must_use]
    pub fn name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.id)
    }
}

impl World {
    /// Adds a person.
    ///
    /// # Errors
    /// The id is empty, has characters an address could not carry, or is taken.
    pub fn add_user(&mut self, mut user: User) -> Result<(), Refused> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if user.id.is_empty() || !user.id.bytes().all(plain) {
            return Err(Refused::Malformed(
                "id is not of letters, digits, dots, underscores and hyphens".to_owned(),
            ));
        }
        if self.users.contains_key(&user.id) {
            return Err(Refused::Taken(user.id));
        }
        if user.account_id.is_empty() {
            user.account_id = format!("acct{}", self.random.base62(12));
        }
        self.users.insert(user.id.clone(), user);
        Ok(())
    }

    /// The person with this id.
    #[must_use]
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.get(id)
    }

    /// Everybody, by id.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// Starts or ends somebody's Premium. Ending the owner's stops a development-mode app.
    ///
    /// # Errors
    /// No such user.
    pub fn set_premium(&mut self, user: &str, premium: bool) -> Result<(), Refused> {
        self.users
            .get_mut(user)
            .ok_or_else(|| Refused::NoSuchUser(user.to_owned()))?
            .premium = premium;
        Ok(())
    }

    pub(super) fn user_or_refuse(&self, id: &str) -> Result<&User, Refused> {
        self.user(id).ok_or_else(|| Refused::NoSuchUser(id.to_owned()))
    }
}
