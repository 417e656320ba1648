//! Profiles on a plane: where their centres lie on two principal components, for pictures.
//!
//! Raw data are not in a model, so the components are those of the centres, each weighted by its customers: the two
//! directions in which profiles differ most. A number counts in standard deviations, as in the fit; a category counts
//! by its share, so that two profiles without a common category are as far apart as the fit took them to be.

use linfa_linalg::eigh::{EigSort, Eigh};
use ndarray::{Array1, Array2, Axis};

use super::data::Feature;
use super::model::{Centre, Cluster, ProfileModel};
use crate::base::error::{Error, ErrorKind, Result};

/// A profile on the plane.
#[derive(Debug, Clone, PartialEq)]
pub struct MapPlace {
    /// Its code.
    pub code: String,
    /// Its customers.
    pub customers: u64,
    /// Their share.
    pub share: f64,
    /// Where its centre lies on the first and the second component.
    pub centre: [f64; 2],
    /// How far its customers are spread along each: one standard deviation.
    pub spread: [f64; 2],
    /// The share of the variance between profiles that each component explains; `None` if there is none.
    pub explained: Option<[f64; 2]>,
}

fn out_of_range() -> Error {
    Error::new(ErrorKind::OutOfRange, "the profile model is out of range")
        .detail("Its centres are too far apart to be drawn.")
}

impl ProfileModel {
    /// The profiles on their two principal components.
    ///
    /// # Errors
    /// Centres that are out of all reason.
    pub fn map(&self) -> Result<Vec<MapPlace>> {
        let centres = self.centres()?;
        let total: f64 = self.clusters.iter().map(|c| c.share).sum();
        let even = 1.0 / self.clusters.len() as f64;
        let weights: Array1<f64> =
            self.clusters.iter().map(|c| if total > 0.0 { c.share / total } else { even }).collect();
        let centred = &centres - &weights.dot(&centres);
        let (axes, explained) = axes(&centred, &weights)?;
        let places = centred.axis_iter(Axis(0)).zip(&self.clusters).map(|(centre, cluster)| {
            let spread = |axis: &Option<Array1<f64>>| self.spread(cluster, axis.as_ref());
            MapPlace {
                code: cluster.code.clone(),
                customers: cluster.customers,
                share: cluster.share,
                // What is left of rounding is nothing.
                centre: axes.each_ref().map(|axis| axis.as_ref().map_or(0.0, |axis| centre.dot(axis)) + 0.0),
                spread: axes.each_ref().map(spread),
                explained,
            }
        });
        let places: Vec<MapPlace> = places.collect();
        let finite = |p: &MapPlace| p.centre.iter().chain(&p.spread).all(|x| x.is_finite());
        if places.iter().all(finite) { Ok(places) } else { Err(out_of_range()) }
    }

    /// The centres as the fit sees them, one row each.
    fn centres(&self) -> Result<Array2<f64>> {
        // Two categories cost gamma; as shares they are the root of two apart.
        let side = (self.gamma / 2.0).sqrt();
        let row = |cluster: &Cluster| -> Vec<f64> {
            let mut row = Vec::new();
            for (feature, centre) in self.features.iter().zip(&cluster.centre) {
                match (feature, centre) {
                    (Feature::Number(f), Centre::Number(c)) if !f.unused => {
                        row.push((c - f.centre) / f.scale)
                    }
                    (Feature::Category(f), Centre::Category(_, shares)) if !f.unused => {
                        row.extend(shares.iter().map(|share| share * side));
                    }
                    _ => {}
                }
            }
            row
        };
        let rows: Vec<Vec<f64>> = self.clusters.iter().map(row).collect();
        let width = rows.first().map_or(0, Vec::len);
        let centres =
            Array2::from_shape_vec((rows.len(), width), rows.concat()).map_err(|_| out_of_range())?;
        // Squares must be finite, and their sums.
        if centres.iter().all(|x| x.abs() < 1e140) { Ok(centres) } else { Err(out_of_range()) }
    }

    /// The standard deviation of a profile along an axis: of a mixture by its covariance, else the mean distance of
    /// its customers, taken to be the same in every direction.
    fn spread(&self, cluster: &Cluster, axis: Option<&Array1<f64>>) -> f64 {
        let used = |f: &&Feature| match f {
            Feature::Number(f) => !f.unused,
            Feature::Category(f) => !f.unused,
        };
        let Some(component) = &cluster.component else {
            return cluster.radius / (self.features.iter().filter(used).count().max(1) as f64).sqrt();
        };
        let Some(axis) = axis else { return 0.0 };
        let variance = if component.covariance.ncols() != axis.len() {
            // No model of ours: a mixture has no categories.
            0.0
        } else if component.covariance.nrows() == 1 {
            component.covariance.row(0).iter().zip(axis).map(|(s, v)| s * v * v).sum::<f64>()
        } else {
            axis.dot(&component.covariance.dot(axis))
        };
        variance.max(0.0).sqrt()
    }
}

/// The first two principal components of weighted, centred points, and the share of the variance of each.
///
/// There are at most fifty points in any number of dimensions: the eigenvectors of their products with each other give
/// those of the covariance.
#[allow(clippy::type_complexity)]
fn axes(
    centred: &Array2<f64>,
    weights: &Array1<f64>,
) -> Result<([Option<Array1<f64>>; 2], Option<[f64; 2]>)> {
    let scaled = centred * &weights.mapv(f64::sqrt).insert_axis(Axis(1));
    let products = scaled.dot(&scaled.t());
    let variance = products.diag().sum();
    if !variance.is_finite() {
        return Err(out_of_range());
    }
    if variance <= 0.0 {
        return Ok(([None, None], None));
    }
    let (values, vectors) = products.eigh().map_err(|_| out_of_range())?.sort_eig_desc();
    let mut found = [None, None];
    let mut explained = [0.0; 2];
    for (nth, (value, vector)) in values.iter().zip(vectors.axis_iter(Axis(1))).take(2).enumerate() {
        if *value <= 1e-12 * variance {
            continue;
        }
        let mut axis = scaled.t().dot(&vector);
        axis /= axis.dot(&axis).sqrt();
        // Its sign is free: what counts most on it rises.
        let most = axis
            .iter()
            .copied()
            .fold(0.0, |most: f64, x| if x.abs() > most.abs() * (1.0 + 1e-9) { x } else { most });
        if most < 0.0 {
            axis.mapv_inplace(|x| -x);
        }
        found[nth] = Some(axis);
        explained[nth] = value / variance;
    }
    Ok((found, Some(explained)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::profile::{ProfileOptions, ProfileRows, fit};
    use linfa::DatasetBase;
    use linfa::traits::{Fit, Transformer};
    use linfa_reduction::Pca;
    use ndarray::array;
    use proptest::prelude::*;

    fn model(options: serde_json::Value) -> ProfileModel {
        let options = ProfileOptions::from_json(&options).unwrap();
        let mut rows = ProfileRows::new(std::rc::Rc::new(options));
        for i in 0..90_u32 {
            let (group, jitter) = (i % 3, f64::from(i * 7 % 13) / 20.0);
            let point = [[0.0, 0.0, 1.0], [6.0, 1.0, 0.0], [9.0, 8.0, 2.0]][group as usize];
            rows.add_array(point.map(|x| Some(x + jitter)).into_iter()).unwrap();
        }
        fit(&rows, &mut || {}).unwrap()
    }

    #[test]
    fn three_profiles_keep_their_distances() {
        let model = model(serde_json::json!({"k": 3}));
        let map = model.map().unwrap();
        let centres = model.centres().unwrap();
        // Three points lie on a plane.
        for a in 0..3 {
            for b in 0..a {
                let true_distance = (&centres.row(a) - &centres.row(b)).mapv(|x| x * x).sum().sqrt();
                let [x, y] = [0, 1].map(|axis| map[a].centre[axis] - map[b].centre[axis]);
                assert!((x.hypot(y) - true_distance).abs() < 1e-9);
            }
        }
        let [first, second] = map[0].explained.unwrap();
        assert!(first >= second && (first + second - 1.0).abs() < 1e-9);
        for axis in 0..2 {
            assert!(map.iter().map(|m| m.share * m.centre[axis]).sum::<f64>().abs() < 1e-9);
        }
        assert!(map.iter().all(|m| m.spread[0] > 0.0 && m.spread[0] == m.spread[1]));
        assert_eq!(map, model.map().unwrap());
    }

    #[test]
    fn a_mixture_has_its_own_spread() {
        let map = model(serde_json::json!({"k": 2, "method": "gaussian_mixture"})).map().unwrap();
        assert!(map.iter().any(|m| m.spread[0] != m.spread[1]));
        // Two profiles lie on a line.
        assert!(map.iter().all(|m| m.centre[1] == 0.0));
        assert_eq!(map[0].explained.unwrap()[1], 0.0);
    }

    /// linfa-reduction on the same points, as many times as they weigh.
    #[test]
    fn as_linfa_reduction() {
        let points =
            array![[0.0, 1.0, 2.0, 0.5], [3.0, -1.0, 0.0, 1.0], [1.0, 5.0, 1.0, 0.0], [-2.0, 0.0, 4.0, 3.0]];
        let counts = [1_usize, 2, 3, 2];
        let weights: Array1<f64> = counts.iter().map(|n| *n as f64 / 8.0).collect();
        let centred = &points - &weights.dot(&points);
        let (axes, explained) = axes(&centred, &weights).unwrap();
        let rows: Vec<f64> = counts
            .iter()
            .zip(points.rows())
            .flat_map(|(n, row)| std::iter::repeat_n(row.to_vec(), *n).flatten().collect::<Vec<_>>())
            .collect();
        let rows = Array2::from_shape_vec((8, 4), rows).unwrap();
        let pca = Pca::params(2).fit(&DatasetBase::from(rows.clone())).unwrap();
        let theirs = pca.transform(DatasetBase::from(rows.clone()));
        let mean = rows.mean_axis(Axis(0)).unwrap();
        for (nth, axis) in axes.iter().enumerate() {
            let ours = (&rows - &mean).dot(axis.as_ref().unwrap());
            let theirs = theirs.records().column(nth);
            let sign = (ours[0] * theirs[0]).signum();
            for (a, b) in ours.iter().zip(theirs) {
                assert!((a - sign * b).abs() < 1e-4, "{a} {b}");
            }
        }
        // Theirs is of the two that were kept, and so is 1 in sum; ours is of all.
        assert!((pca.explained_variance_ratio().sum() - 1.0).abs() < 1e-9);
        assert!(explained.unwrap().iter().sum::<f64>() < 1.0 - 1e-6);
    }

    proptest! {
        /// On all points the first axis has the greatest variance of all directions.
        #[test]
        fn no_direction_is_better(points in prop::collection::vec(prop::collection::vec(-9.0..9.0_f64, 5), 2..8), other in prop::collection::vec(-1.0..1.0_f64, 5)) {
            let n = points.len();
            let points = Array2::from_shape_vec((n, 5), points.concat()).unwrap();
            let weights = Array1::from_elem(n, 1.0 / n as f64);
            let centred = &points - &weights.dot(&points);
            let (axes, explained) = axes(&centred, &weights).unwrap();
            let other = Array1::from(other);
            let length = other.dot(&other).sqrt();
            prop_assume!(length > 1e-3);
            let variance = |axis: &Array1<f64>| centred.dot(axis).mapv(|x| x * x).sum() / n as f64;
            if let Some(first) = &axes[0] {
                prop_assert!(variance(&(other / length)) <= variance(first) * (1.0 + 1e-9) + 1e-12);
                let total = centred.mapv(|x| x * x).sum() / n as f64;
                prop_assert!((variance(first) / total - explained.unwrap()[0]).abs() < 1e-9);
            }
        }
    }
}
