//! Where one line of credit joins several artists.

/// Cuts where several artists may meet; commas inside brackets do not count.
pub(super) fn split_name(name: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut depth = 0_usize;
    for word in name.split_inclusive(char::is_whitespace) {
        let joint = ["x", "vs", "vs.", "with", "and", "y", "et", "und"]
            .contains(&word.trim().to_lowercase().as_str());
        if joint && depth == 0 {
            pieces.push(String::new());
            continue;
        }
        for c in word.chars() {
            match c {
                '(' | '（' | '[' => depth += 1,
                ')' | '）' | ']' => depth = depth.saturating_sub(1),
                ',' | '，' | '、' | '&' | '＆' | '+' | '/' | '／' | '×' | '✕' if depth == 0 => {
                    pieces.push(String::new());
                    continue;
                }
                _ => {}
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push(c);
            }
        }
    }
    pieces
}
