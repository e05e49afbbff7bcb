//! The page: the files of `public/`, inside the binary, with the headers that `vercel.json` gives them there.

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

/// Scripts, styles and calls from and to here only; pictures may come from Spotify. No page may frame it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

#[derive(RustEmbed)]
#[folder = "public/"]
struct Public;

/// A route for each file, and `/` for the page itself.
pub(crate) fn router() -> Router {
    let mut router = Router::new().route(
        "/",
        get(|headers: HeaderMap| async move { file("index.html", &headers) }),
    );
    for path in Public::iter() {
        let route = format!("/{path}");
        router = router.route(
            &route,
            get(move |headers: HeaderMap| async move { file(&path, &headers) }),
        );
    }
    router
}

fn file(path: &str, headers: &HeaderMap) -> Response {
    let Some(file) = Public::get(path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = entity_tag(&file);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known == tag);
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, content_type(path))], file.data).into_response()
    };
    let answer = response.headers_mut();
    answer.insert(header::ETAG, tag);
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    answer.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    answer.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn entity_tag(file: &EmbeddedFile) -> HeaderValue {
    let digest = file.metadata.sha256_hash();
    let head = digest.first_chunk().copied().map_or(0, u64::from_be_bytes);
    HeaderValue::from_str(&format!("\"{head:016x}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
