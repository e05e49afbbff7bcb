//! `GET /api/playlist/export?id=…&format=…`: the finished list as a file to save.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, StatusCode, header};

use crate::{
    export::{Caller, ExportId, File, Format},
    http::{Services, problem::Problem},
};

pub(super) async fn get(
    services: &Services,
    id: &ExportId,
    caller: &Caller,
    format: &str,
) -> Result<Response, Problem> {
    let format = asked(format)?;
    let file = services.exporter.file(id, caller, format).await?.ok_or_else(|| {
        Problem::new(
            StatusCode::CONFLICT,
            "export_unfinished",
            "The export is not finished.",
        )
        .remedy("Ask for the file when it is; GET without a format says how far it is.")
    })?;
    Ok((headers(&file), file.text).into_response())
}

fn asked(format: &str) -> Result<Format, Problem> {
    format
        .parse()
        .map_err(|_| Problem::bad_request("unknown_format", "format is csv, jspf or m3u8."))
}

fn headers(file: &File) -> [(HeaderName, String); 2] {
    [
        (header::CONTENT_TYPE, file.media_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition(&file.name)),
    ]
}

/// To be saved, never shown. The name in full goes as RFC 6266 (section 4.3) and RFC 8187 have it; the one for old
/// clients has neither `%`, which some of them decode, nor anything that a quoted string would have to escape.
fn disposition(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '(' | ')');
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let encoded: String = name.bytes().map(encoded).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

fn encoded(byte: u8) -> String {
    match byte {
        b'.' | b'-' | b'_' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_any_script_is_one_header_line() {
        assert_eq!(
            disposition("Late autumn.csv"),
            "attachment; filename=\"Late autumn.csv\"; filename*=UTF-8''Late%20autumn.csv"
        );
        assert_eq!(
            disposition("봄'; x=\"1\"\r\nSet-Cookie: a%.csv"),
            "attachment; filename=\"___ x__1___Set-Cookie_ a_.csv\"; \
             filename*=UTF-8''%EB%B4%84%27%3B%20x%3D%221%22%0D%0ASet-Cookie%3A%20a%25.csv"
        );
    }
}
