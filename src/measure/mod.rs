pub(crate) mod holdout;
pub(crate) mod key_drivers;
pub(crate) mod prediction_quality;
pub(crate) mod test_design;
pub(crate) mod uplift;
