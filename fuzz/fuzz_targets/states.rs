//! Aggregate states and models from hostile bytes: refused, or stable under a round trip.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segmentation_core::pmg::Turnovers;
use segmentation_core::prediction_quality::PredictionQuality;
use segmentation_core::purchase_model::{Cells, PurchaseModel, Scorer};
use segmentation_core::rfm::{SegmentMap, Values};
use segmentation_core::spend_model::{SpendCells, SpendModel};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(cells) = Cells::from_bytes(bytes) {
        assert_eq!(cells.to_bytes().unwrap(), bytes);
    }
    if let Ok(cells) = SpendCells::from_bytes(bytes) {
        assert_eq!(cells.to_bytes().unwrap(), bytes);
    }
    if let Ok(values) = Values::from_bytes(bytes) {
        let _ = values.to_bytes(&mut || {});
    }
    if let Ok(turnovers) = Turnovers::from_bytes(bytes) {
        let _ = turnovers.to_bytes(&mut || {});
    }
    let _ = PredictionQuality::from_bytes(bytes);
    if let Ok(value) = serde_json::from_slice(bytes) {
        if let Ok(model) = PurchaseModel::from_json(&value) {
            let _ = Scorer::new(&model);
        }
        let _ = SpendModel::from_json(&value);
        let _ = SegmentMap::of_json(&value);
    }
});
