//! Purchase histories from hostile bytes and text: refused, or canonical.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segmentation_core::history::{History, parse_text};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(history) = History::validate(bytes) {
        let text = history.to_text().expect("a valid history has a text");
        assert_eq!(parse_text(&text).expect("its text is valid"), bytes);
    }
    // Accessors read stored bytes without validating them first: they may err, never panic.
    if let Ok(history) = History::read(bytes) {
        let _ = history.totals(i32::MIN, i32::MAX);
        let _ = history.purchase_days_until(8000);
        let _ = history.until(8000);
        let _ = history.to_json();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = parse_text(text);
    }
});
