//! B2B: companies, the people in them, where they are and when they are open.
//!
//! Functions of one value, made for millions of rows of unclean data: what is not a
//! company number, an address, a job title or a weekly timetable is `None` or
//! `false`, as each says, and never an error.

pub mod company;
pub mod email;
pub mod identifier;
pub mod job;
pub mod naf;
pub mod opening_hours;
pub mod peers;
pub mod place;
pub mod public_holiday;

/// At most `bytes` bytes of the text, cut between two characters.
fn head(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        assert_eq!(head("aé", 2), "a");
        assert_eq!(head("aé", 9), "aé");
    }
}
