//! What the vault promises: it opens exactly what was sealed here, and tells nobody anything else.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use proptest::prelude::*;

use super::*;
use crate::{
    ids::Slot,
    secret::{AccessToken, ClientId, ClientSecret, CodeVerifier, RefreshToken, Secret, SessionKey},
};

/// `k1` of every ring here: the bytes 0 to 31.
const K1: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const K2: &str = "k2://////////////////////////////////////////8=";

/// Fills with 7, then 8, and so on: every nonce differs, and the first one is known.
#[derive(Debug)]
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn vault(ring: &str) -> Vault {
    Vault::new(ring.parse().unwrap(), Arc::new(Counting(AtomicU8::new(7))))
}

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

fn refresh_token(plain: &str) -> RefreshToken {
    RefreshToken::from_plain(plain.to_owned())
}

/// Opens `sealed` as a refresh token of `place`; the error otherwise.
fn open(vault: &Vault, sealed: &str, place: Place<'_>) -> Result<String, OpenError> {
    vault
        .open::<RefreshToken>(sealed, place)
        .map(|secret| secret.expose().to_owned())
}

/// The answers were computed by another implementation (Python's `cryptography` and `hmac`): if this test fails, what is
/// stored out there no longer opens.
#[test]
fn the_format_is_the_one_that_is_stored_out_there() {
    let vault = vault(K1);
    let user = user("user-1");
    let place = Place::grant(&user, Slot::SpotifyByo);
    let known = "v1.k1.BwcHBwcHBwcHBwcH56Brpl1S4Prz22fJRd5LvDOz3cWmsOzQRI4P";
    assert_eq!(vault.seal(&refresh_token("AQD-refresh"), place), known);
    assert_eq!(open(&vault, known, place).unwrap(), "AQD-refresh");

    let session_key = SessionKey::from_plain("d580d57f32848f5dcf574d1ce18d78b2".to_owned());
    let known = "v1.k1.BwcHBwcHBwcHBwcHg29W2T7Krfe4i1M16vvTpHDAAbPHw04uVmok1YeV0F7iuskGDv-tDoOcdE1PTCJM";
    let link = Place::lastfm(&user);
    assert_eq!(self::vault(K1).seal(&session_key, link), known);
    let opened: SessionKey = vault.open(known, link).unwrap();
    assert_eq!(opened.expose(), session_key.expose());

    let hex = |bytes: [u8; 32]| bytes.map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(
        hex(vault.sign(SigningUse::State, b"message")),
        "1d93258df481cf477838c0357c806d42e4443228edef3db642e91668bdcc8982"
    );
    assert_eq!(
        hex(vault.sign(SigningUse::Session, b"message")),
        "7aa8c734ef73224af630f6f9ad2418fed42353d72ece9ad4a2e15abadc7acfb8"
    );
    assert_eq!(vault.pseudonym(&user), "GMrKBVLqu8rB");
}

#[test]
fn a_value_opens_only_where_and_for_what_it_was_sealed() {
    let vault = vault(K1);
    let (ann, bob) = (user("ann"), user("bob"));
    let home = Place::grant(&ann, Slot::Spotify);
    let sealed = vault.seal(&refresh_token("token"), home);
    assert_eq!(open(&vault, &sealed, home).unwrap(), "token");

    for elsewhere in [
        Place::grant(&bob, Slot::Spotify),
        Place::grant(&ann, Slot::SpotifyByo),
        Place::pending(&ann, Slot::Spotify),
        Place::lastfm(&ann),
    ] {
        assert_eq!(
            open(&vault, &sealed, elsewhere),
            Err(OpenError::Refused),
            "{elsewhere:?}"
        );
    }

    let refused = Some(OpenError::Refused);
    assert_eq!(vault.open::<AccessToken>(&sealed, home).err(), refused);
    assert_eq!(vault.open::<CodeVerifier>(&sealed, home).err(), refused);
    assert_eq!(vault.open::<ClientId>(&sealed, home).err(), refused);
    assert_eq!(vault.open::<ClientSecret>(&sealed, home).err(), refused);
    assert_eq!(vault.open::<SessionKey>(&sealed, home).err(), refused);
}

/// The field alone decides too, and so does the purpose alone: neither hides behind the other.
#[test]
fn field_and_purpose_are_checked_separately() {
    macro_rules! purpose {
        ($name:ident, $purpose:literal, $field:literal) => {
            struct $name(String);
            impl Secret for $name {
                fn from_plain(plain: String) -> Self {
                    Self(plain)
                }
                fn expose(&self) -> &str {
                    &self.0
                }
            }
            impl Purpose for $name {
                const NAME: &'static str = $purpose;
                const FIELD: &'static str = $field;
            }
        };
    }
    purpose!(OtherField, "refresh_token", "accessTokenEnc");
    purpose!(OtherPurpose, "access_token", "refreshTokenEnc");

    let vault = vault(K1);
    let ann = user("ann");
    let home = Place::grant(&ann, Slot::Spotify);
    let sealed = vault.seal(&refresh_token("token"), home);
    assert_eq!(
        vault.open::<OtherField>(&sealed, home).err(),
        Some(OpenError::Refused)
    );
    assert_eq!(
        vault.open::<OtherPurpose>(&sealed, home).err(),
        Some(OpenError::Refused)
    );
}

#[test]
fn moving_a_letter_between_the_parts_of_a_place_makes_another_place() {
    let (ab, a) = (user("a.b"), user("a"));
    let bytes = |user, field| Place::grant(user, Slot::Spotify).associated_data(field);
    assert_ne!(bytes(&ab, "c"), bytes(&a, "b.c"));
}

#[test]
fn the_first_key_seals_and_every_key_opens() {
    let ann = user("ann");
    let place = Place::grant(&ann, Slot::Spotify);
    let before = vault(K1);
    let rotated = vault(&format!("{K2},{K1}"));
    let after = vault(K2);

    let old = before.seal(&refresh_token("old"), place);
    assert!(!before.needs_resealing(&old));
    assert_eq!(open(&rotated, &old, place).unwrap(), "old");
    assert!(rotated.needs_resealing(&old));

    let new = rotated.seal(&refresh_token("new"), place);
    assert!(new.starts_with("v1.k2."));
    assert!(!rotated.needs_resealing(&new));

    assert_eq!(open(&after, &new, place).unwrap(), "new");
    assert_eq!(open(&after, &old, place), Err(OpenError::UnknownKey));
    assert!(
        !after.needs_resealing(&old),
        "what does not open cannot be sealed again"
    );
    assert!(!after.needs_resealing("no sealed value"));

    let impostor = vault(&K2.replace("k2", "k1"));
    assert_eq!(open(&impostor, &old, place), Err(OpenError::Refused));
}

#[test]
fn every_seal_of_one_secret_looks_different() {
    let vault = vault(K1);
    let ann = user("ann");
    let seal = || vault.seal(&refresh_token("token"), Place::grant(&ann, Slot::Spotify));
    assert_ne!(seal(), seal());
}

#[test]
fn a_shortened_or_lengthened_value_does_not_open() {
    let vault = vault(K1);
    let ann = user("ann");
    let place = Place::grant(&ann, Slot::Spotify);
    for plain in ["", "t", "to", "tok"] {
        let sealed = vault.seal(&refresh_token(plain), place);
        for length in 0..sealed.len() {
            assert!(open(&vault, &sealed[..length], place).is_err(), "{length}");
        }
        for more in ["A", "=", "\n", " ", ".", "AAAA"] {
            assert!(
                open(&vault, &format!("{sealed}{more}"), place).is_err(),
                "{more:?}"
            );
        }
    }
}

#[test]
fn a_single_changed_bit_closes_a_value() {
    let vault = vault(&format!("{K2},{K1}"));
    let ann = user("ann");
    let place = Place::grant(&ann, Slot::Spotify);
    // Three lengths, so that the last character carries six, four and two bits.
    for plain in ["tok", "toke", "token"] {
        let sealed = vault.seal(&refresh_token(plain), place);
        for position in 0..sealed.len() * 8 {
            let mut bytes = sealed.clone().into_bytes();
            bytes[position / 8] ^= 1 << (position % 8);
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            assert!(open(&vault, &changed, place).is_err(), "bit {position}");
        }
    }
}

#[test]
fn what_is_no_sealed_value_is_called_malformed() {
    let vault = vault(K1);
    let ann = user("ann");
    let sealed = vault.seal(&refresh_token("token"), Place::grant(&ann, Slot::Spotify));
    for text in [
        "",
        ".",
        "..",
        "v1",
        "v1.k1",
        "v1.k1.",
        "v1..AAAA",
        "plain-token",
        "v1.k1.AAAAAAAAAAAAAAAA",
        "v1.k1.ä",
        &sealed.replace("v1.", "v2."),
        &sealed.replace("v1.", "V1."),
        &sealed.replace(".k1.", ".k 1."),
        &format!("{sealed}=="),
        &format!(" {sealed}"),
    ] {
        assert_eq!(
            open(&vault, text, Place::grant(&ann, Slot::Spotify)),
            Err(OpenError::Malformed),
            "{text:?}"
        );
    }
}

#[test]
fn weak_and_mistyped_rings_are_refused() {
    let key = &K1[3..];
    let short = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="; // 31 bytes
    for (text, refusal) in [
        (String::new(), InvalidKeyRing::Empty),
        ("  ".to_owned(), InvalidKeyRing::Empty),
        (key.to_owned(), InvalidKeyRing::NoKid(1)),
        (format!(":{key}"), InvalidKeyRing::NoKid(1)),
        (format!("k.1:{key}"), InvalidKeyRing::NoKid(1)),
        (format!("{}:{key}", "k".repeat(33)), InvalidKeyRing::NoKid(1)),
        (format!("{K1},"), InvalidKeyRing::NoKid(2)),
        (format!("{K1},{K1}"), InvalidKeyRing::DuplicateKid(2)),
        (format!("{K2},{K1},k1:{key}"), InvalidKeyRing::DuplicateKid(3)),
        ("k1:".to_owned(), InvalidKeyRing::TooShort(1)),
        (format!("k1:{short}"), InvalidKeyRing::TooShort(1)),
        (format!("{K1},k2:{short}"), InvalidKeyRing::TooShort(2)),
        (
            "k1:correct horse battery staple".to_owned(),
            InvalidKeyRing::NotBase64(1),
        ),
        (format!("k1:{key}{key}"), InvalidKeyRing::NotBase64(1)),
        (format!("k1:{}", "-+".repeat(30)), InvalidKeyRing::NotBase64(1)),
    ] {
        assert_eq!(text.parse::<KeyRing>().err(), Some(refusal), "{text}");
        let message = refusal.to_string();
        assert!(message.contains("openssl rand -base64 32"), "{message}");
        assert!(!message.contains(&key[..8]), "{message}");
    }
}

#[test]
fn keys_are_taken_as_tools_print_them() {
    for text in [
        format!(" {K2} , {K1} "),
        K1.trim_end_matches('=').to_owned(),
        K2.replace('/', "_"),
        format!("2026-11_a:{}", "A".repeat(88)),
    ] {
        assert!(text.parse::<KeyRing>().is_ok(), "{text}");
    }
}

#[test]
fn a_generated_ring_parses_to_itself() {
    let (ring, text) = KeyRing::generate(&Counting(AtomicU8::new(1)));
    let entropy = Arc::new(Counting(AtomicU8::new(7)));
    let (made, parsed) = (Vault::new(ring, entropy.clone()), vault(text.expose()));
    let tag = made.sign(SigningUse::Session, b"message");
    assert!(parsed.verify(SigningUse::Session, b"message", &tag));
    assert_ne!(
        text.expose(),
        KeyRing::generate(&*entropy).1.expose(),
        "entropy is asked"
    );
}

#[test]
fn a_signature_counts_for_its_message_its_use_and_every_key_of_the_ring() {
    let (before, rotated, after) = (vault(K1), vault(&format!("{K2},{K1}")), vault(K2));
    let old = before.sign(SigningUse::Session, b"message");
    let new = rotated.sign(SigningUse::Session, b"message");
    let verify = |vault: &Vault, tag: &[u8]| vault.verify(SigningUse::Session, b"message", tag);

    assert!(verify(&before, &old) && verify(&rotated, &old) && !verify(&after, &old));
    assert!(!verify(&before, &new) && verify(&rotated, &new) && verify(&after, &new));
    assert!(!before.verify(SigningUse::State, b"message", &old));
    assert!(!before.verify(SigningUse::Session, b"massage", &old));
    assert!(!verify(&before, &old[..31]) && !verify(&before, &[]));
}

#[test]
fn a_state_secret_replaces_the_ring_for_states_and_nothing_else() {
    let plain = vault(K1);
    let overridden = vault(K1).with_state_secret(&Passphrase::from_plain(
        "0123456789abcdef0123456789abcdef".to_owned(),
    ));
    let (state, session) = (SigningUse::State, SigningUse::Session);

    assert!(overridden.verify(state, b"m", &overridden.sign(state, b"m")));
    assert!(!overridden.verify(state, b"m", &plain.sign(state, b"m")));
    assert_eq!(overridden.sign(session, b"m"), plain.sign(session, b"m"));
}

#[test]
fn pseudonyms_tell_users_apart_and_change_with_the_key() {
    let vault_1 = vault(K1);
    assert_ne!(vault_1.pseudonym(&user("ann")), vault_1.pseudonym(&user("bob")));
    assert_ne!(vault_1.pseudonym(&user("ann")), vault(K2).pseudonym(&user("ann")));
    assert_eq!(vault_1.pseudonym(&user("ann")).len(), 12);
}

#[test]
fn debug_shows_key_ids_and_no_key() {
    let text = format!("{:?}", vault(&format!("{K2},{K1}")));
    assert_eq!(text, r#"Vault { ring: ["k2", "k1"], .. }"#);
}

proptest! {
    #[test]
    fn any_secret_of_anybody_comes_back(plain in ".{0,200}", id in "[^\\pC]{1,40}", byo: bool, pending: bool) {
        let vault = vault(K1);
        let user = user(&id);
        let slot = if byo { Slot::SpotifyByo } else { Slot::Spotify };
        let place = if pending { Place::pending(&user, slot) } else { Place::grant(&user, slot) };
        let sealed = vault.seal(&refresh_token(&plain), place);
        prop_assert_eq!(open(&vault, &sealed, place), Ok(plain));
    }

    #[test]
    fn no_text_panics(text in "(v1\\.k1\\.)?.{0,60}") {
        let ann = user("ann");
        prop_assert!(open(&vault(K1), &text, Place::grant(&ann, Slot::Spotify)).is_err());
    }
}
