//! Lines of deliveries. Declared in `sql/workspace/crm_profile.sql`.

use pgrx::prelude::*;
use segmentation_core::base::delimited::{Cell, Form};
use segmentation_core::{Error, Result};

use crate::pg::OrRaise;

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn crm_csv_line<'fcx>(
    cells: Array<'fcx, &'fcx str>,
    kinds: &str,
    separator: &str,
    quoting: &str,
    line_breaks: &str,
    null_token: &str,
    empty_token: &str,
    decimal_point: &str,
    max_text: Option<i32>,
) -> String {
    let form = || -> Result<Form<'_>> {
        Ok(Form {
            separator: letter(separator)?,
            quote_texts: quoting == "texts",
            one_line: line_breaks == "space",
            null: null_token,
            empty: empty_token,
            decimal_point: letter(decimal_point)?,
            longest: max_text.and_then(|m| usize::try_from(m).ok()),
        })
    };
    let kinds = kinds.chars().map(|kind| match kind {
        'n' => Cell::Number,
        'p' => Cell::Plain,
        _ => Cell::Text,
    });
    form().and_then(|form| form.row(kinds.zip(cells.iter()))).or_raise()
}

fn letter(text: &str) -> Result<char> {
    text.chars().next().ok_or_else(|| Error::invalid("a separator and a decimal point must be one character"))
}
