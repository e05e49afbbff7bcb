//! What is remembered of songs, on every engine: a second export searches for nothing, and a person's word goes with them.

use super::over_every_engine;

over_every_engine!(songs_are_remembered_and_people_forgotten);

mod stories {
    use std::sync::Arc;

    use patchbay::store::Collection;
    use serde_json::{Value, json};

    use crate::{
        harness::{
            app::{Setup, local_user},
            clock::ManualClock,
        },
        store::engine::Engine,
    };

    const HELLO: &str = "spotify:track:Gb0ZOaV1RiwzmRFCj3r0gL";

    fn list(name: &str) -> Value {
        json!({"name": name, "songs": [
            {"title": "Teardrop", "artist": "Massive Attack"},
            {"title": "A Song Nobody Wrote", "artist": "Nobody At All"},
            {"title": "Dynamite", "artist": "BTS", "isrc": "KRZZ92087139", "durationMs": 199_824},
        ]})
    }

    pub async fn songs_are_remembered_and_people_forgotten(engine: Engine) {
        // Turns go by the database's clock: it has to be the one that waiting moves.
        let clock = Arc::new(ManualClock::default());
        let store = engine.on_clock(clock.clone());
        let app = Setup::default().store(store).clock(clock).start().await;
        let mut ana = app.connected("ana").await;
        let first = ana.post("/api/playlist/export", list("One")).await.expect(200);
        let searches = app.sandbox.world().count("GET", "/v1/search");
        let second = ana.post("/api/playlist/export", list("Two")).await.expect(200);
        assert_eq!(app.sandbox.world().count("GET", "/v1/search"), searches);
        assert_eq!(second["unmatched"], first["unmatched"]);
        assert_eq!(second["matched"][0]["how"], "remembered");

        let correction = json!({"song": {"title": "Teardrop", "artist": "Massive Attack"}, "use": HELLO});
        ana.put("/api/playlist/corrections", correction).await.expect(200);
        let third = ana.post("/api/playlist/export", list("Three")).await.expect(200);
        let corrected = &third["matched"][0];
        assert_eq!(
            (&corrected["uri"], &corrected["how"]),
            (&json!(HELLO), &json!("corrected"))
        );
        ana.delete("/api/me").await.expect(200);
        let left = app
            .store
            .records_of(Collection::Tracks, &local_user("ana"), 9)
            .await;
        assert_eq!(left.expect("an answer"), []);
    }
}
