//! SQL face of [`segmentation_core::base::nearest`]: `nearest_name`. Declared in `sql/base/template.sql`.

use pgrx::prelude::*;
use segmentation_core::base::nearest::nearest;

#[pg_extern(sql = false)]
fn nearest_name(given: &str, names: Array<'_, &str>) -> Option<String> {
    nearest(given, names.iter().flatten()).map(str::to_owned)
}
