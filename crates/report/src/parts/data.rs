//! The data of a part in their form.

use segmentation_core::base::error::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads the data of a part.
pub fn read<T: DeserializeOwned>(data: &Value, part: &str) -> Result<T> {
    Deserialize::deserialize(data).map_err(|error: serde_json::Error| {
        Error::invalid(format!("the data of part \"{part}\" of a report are not in order"))
            .detail(format!("{error}."))
    })
}
