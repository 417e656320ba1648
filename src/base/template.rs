//! SQL face of [`segmentation_core::base::template`]: `fill`. Declared in `sql/base/template.sql`.

use pgrx::prelude::*;
use segmentation_core::base::template;
use segmentation_core::{Error, Result};

use crate::pg::OrRaise;
use crate::pg::jsonb::JsonbArg;

#[pg_extern(sql = false)]
fn fill<'fcx>(schema: Option<&'fcx str>, text: Option<&'fcx str>, places: Option<JsonbArg<'fcx>>) -> String {
    filled(schema, text, places).or_raise()
}

fn filled(schema: Option<&str>, text: Option<&str>, places: Option<JsonbArg<'_>>) -> Result<String> {
    let text = text.ok_or_else(|| Error::invalid("a template must not be null"))?;
    let places = places.map(|places| places.value("places")).transpose()?.unwrap_or_default();
    let none = serde_json::Map::new();
    let places = match &places {
        serde_json::Value::Null => &none,
        places => {
            places.as_object().ok_or_else(|| Error::invalid("the places of a template must be an object"))?
        }
    };
    template::fill(text, schema, places)
}
