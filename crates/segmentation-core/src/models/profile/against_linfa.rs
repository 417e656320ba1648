//! Our clustering beside linfa's: where both can answer, they answer the same; where linfa's is wrong or slow, these
//! tests say how. When one of the latter fails, linfa has become better, and the table in docs/architecture.md is to be
//! looked at again.

use std::rc::Rc;
use std::time::Instant;

use linfa::DatasetBase;
use linfa::metrics::SilhouetteScore;
use linfa::traits::Fit;
use linfa_clustering::{GaussianMixtureModel, KMeans, KMeansInit};
use linfa_nn::distance::L2Dist;
use linfa_nn::{CommonNearestNeighbour, NearestNeighbour};
use ndarray::{Array1, Array2, Axis};

use super::data::Data;
use super::lloyd::Clusters;
use super::mixture::Mixture;
use super::silhouette::silhouette;
use super::{ProfileOptions, ProfileRows, Random};

/// Points around `k` centres, made ready without being scaled, and the same as linfa takes them.
fn points(n: usize, k: usize, width: usize, apart: f64) -> (Data, Array2<f64>) {
    let options = ProfileOptions::from_json(&serde_json::json!({"standardize": false})).unwrap();
    let mut rows = ProfileRows::new(Rc::new(options));
    let mut random = Random::new(7, 1);
    for i in 0..n {
        let point: Vec<Option<f64>> = (0..width)
            .map(|j| {
                let noise: f64 = (0..4).map(|_| random.uniform() - 0.5).sum();
                Some(noise + if i % k == j % k { apart } else { 0.0 } + (i % k) as f64 * 0.1)
            })
            .collect();
        rows.add_array(point.into_iter()).unwrap();
    }
    let options = Rc::clone(rows.options());
    let rows = rows.ordered(&mut || {}).unwrap().into_owned();
    let data = Data::new(&rows, &options, &mut || {}).unwrap();
    let flat: Vec<f64> = (0..data.rows).flat_map(|i| data.row(i).to_vec()).collect();
    let array = Array2::from_shape_vec((data.rows, width), flat).unwrap();
    (data, array)
}

/// The first points as centres.
fn start(data: &Data, k: usize) -> Array2<f64> {
    Array2::from_shape_fn((k, data.width), |(c, j)| data.row(c)[j])
}

fn clusters(data: &Data, k: usize) -> Clusters {
    Clusters::from_centres(start(data, k), Array2::default((k, 0)))
}

/// One of linfa's iterations treats the old centre as one more point of its cluster.
#[test]
fn k_means_of_linfa_drags_old_centres_along() {
    let (k, width) = (3, 4);
    let (data, array) = points(300, k, width, 5.0);
    let from = start(&data, k);
    let ours = clusters(&data, k).refine(&data, data.rows, 1, 0.0, &mut || {});
    let theirs = KMeans::params(k)
        .init_method(KMeansInit::Precomputed(from.clone()))
        .n_runs(1)
        .max_n_iterations(1)
        .fit(&DatasetBase::from(array.clone()))
        .unwrap();
    // Means by hand, by the nearest of the first centres.
    let mut sums = Array2::<f64>::zeros((k, width));
    let mut sizes = Array1::<f64>::zeros(k);
    for point in array.rows() {
        let near = |c: usize| (&point - &from.row(c)).mapv(|x| x * x).sum();
        let label = (0..k).min_by(|a, b| near(*a).total_cmp(&near(*b))).unwrap();
        sums.row_mut(label).scaled_add(1.0, &point);
        sizes[label] += 1.0;
    }
    for c in 0..k {
        for j in 0..width {
            assert!((ours.centres[(c, j)] - sums[(c, j)] / sizes[c]).abs() < 1e-12);
            let dragged = (sums[(c, j)] + from[(c, j)]) / (sizes[c] + 1.0);
            assert!((theirs.centroids()[(c, j)] - dragged).abs() < 1e-12);
        }
    }
}

#[test]
fn mixtures_agree_where_linfa_has_one() {
    let k = 3;
    let (data, array) = points(900, k, 3, 6.0);
    let labels = clusters(&data, k).refine(&data, data.rows, 100, 0.0, &mut || {}).labels;
    let ours = Mixture::from_labels(&data, data.rows, &labels, k, false, (500, 1e-10), &mut || {}).unwrap();
    let dataset = DatasetBase::from(array.clone());
    let theirs =
        GaussianMixtureModel::params(k).tolerance(1e-10).max_n_iterations(500).fit(&dataset).unwrap();
    for component in &ours.components {
        let mean = &component.mean;
        let (at, apart) = theirs
            .means()
            .axis_iter(Axis(0))
            .map(|m| (&m - mean).mapv(f64::abs).sum())
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap();
        assert!(apart < 1e-4, "{apart}");
        assert!((theirs.weights()[at] - component.weight).abs() < 1e-4);
        let covariance = theirs.covariances().index_axis(Axis(0), at).to_owned();
        for (a, b) in covariance.iter().zip(&component.covariance) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }
    // Far from all, every density is 0 for linfa, and what it divides by too.
    let far = Array2::from_elem((1, 3), 100.0);
    assert!(theirs.predict_proba(&far).iter().all(|p| !p.is_finite()));
    let mut ln: Vec<f64> = ours.components.iter().map(|c| c.ln_density(&[100.0; 3], &mut [0.0; 3])).collect();
    super::mixture::posterior(&mut ln);
    assert!((ln.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    // Iterations that are used up give no model: they cannot be taken one by one, with a look at interrupts between.
    assert!(GaussianMixtureModel::params(k).tolerance(1e-10).max_n_iterations(1).fit(&dataset).is_err());
}

#[test]
fn silhouettes_agree_but_for_the_lonely() {
    let k = 3;
    let (data, array) = points(240, k, 3, 3.0);
    let labels: Vec<u32> =
        (0..data.rows).map(|i| u32::from(array[(i, 0)] > 1.5) + u32::from(array[(i, 1)] > 1.5)).collect();
    let of = |labels: &[u32]| {
        let targets: Array1<usize> = labels.iter().map(|l| *l as usize).collect();
        DatasetBase::new(array.clone(), targets).silhouette_score().unwrap()
    };
    let ours = |labels: &[u32]| silhouette(&data, data.rows, labels, k + 1, &mut || {}).unwrap().0;
    assert!((ours(&labels) - of(&labels)).abs() < 1e-9);
    // Alone in a cluster: 0 for Rousseeuw (and scikit-learn), 1 for linfa.
    let mut alone = labels.clone();
    alone[0] = k as u32;
    let n = data.rows as f64;
    assert!((of(&alone) - ours(&alone) - 1.0 / n).abs() < 1e-9);
}

#[test]
fn neighbours_agree() {
    let (k, width) = (8, 5);
    let (data, array) = points(400, k, width, 2.0);
    let centres = start(&data, k);
    let mut clusters = clusters(&data, k);
    clusters.assign(&data, data.rows, |_, _| {}, &mut || {});
    let index = CommonNearestNeighbour::LinearSearch.from_batch(&centres, L2Dist).unwrap();
    for (row, label) in array.rows().into_iter().zip(&clusters.labels) {
        assert_eq!(index.k_nearest(row, 1).unwrap()[0].1, *label as usize);
    }
}

/// Seconds of both on the same data: linfa takes as many threads as there are
/// processors, so `RAYON_NUM_THREADS=1 cargo test --release -p segmentation-core against_linfa -- --ignored --nocapture`.
#[test]
#[ignore = "takes its time; for docs/architecture.md"]
fn speed() {
    let timed = |what: &str, run: &mut dyn FnMut()| {
        let began = Instant::now();
        run();
        println!("{what}: {:.3} s", began.elapsed().as_secs_f64());
    };
    let (k, width, iterations) = (8, 8, 20);
    let (data, array) = points(200_000, k, width, 1.0);
    let dataset = DatasetBase::from(array.clone());
    timed("k-means of 200,000 x 8, k = 8, 20 iterations, ours", &mut || {
        clusters(&data, k).refine(&data, data.rows, iterations, 0.0, &mut || {});
    });
    let init = KMeansInit::Precomputed(start(&data, k));
    timed("linfa", &mut || {
        let params =
            KMeans::params(k).init_method(init.clone()).n_runs(1).max_n_iterations(iterations as u64);
        params.tolerance(1e-300).fit(&dataset).unwrap();
    });
    let (data, array) = points(20_000, 4, 6, 4.0);
    let dataset = DatasetBase::from(array.clone());
    let labels = clusters(&data, 4).refine(&data, data.rows, 100, 0.0, &mut || {}).labels;
    timed("mixture of 20,000 x 6, k = 4, ours", &mut || {
        let fitted =
            Mixture::from_labels(&data, data.rows, &labels, 4, false, (1000, 1e-8), &mut || {}).unwrap();
        println!("{} iterations", fitted.iterations);
    });
    timed("linfa, its start by k-means with it", &mut || {
        let fitted = GaussianMixtureModel::params(4).tolerance(1e-8).max_n_iterations(1000).fit(&dataset);
        println!("{}", fitted.is_ok());
    });
    let (data, array) = points(2000, 4, 8, 1.0);
    let labels: Vec<u32> = (0..data.rows).map(|i| (i % 4) as u32).collect();
    timed("silhouette of 2,000 x 8, ours", &mut || {
        silhouette(&data, data.rows, &labels, 4, &mut || {});
    });
    let targets: Array1<usize> = labels.iter().map(|l| *l as usize).collect();
    let dataset = DatasetBase::new(array, targets);
    timed("linfa", &mut || {
        dataset.silhouette_score().unwrap();
    });
    let (data, array) = points(200_000, 8, 8, 1.0);
    let mut near = clusters(&data, 8);
    timed("nearest of 8 centres for 200,000 x 8, ours", &mut || {
        near.assign(&data, data.rows, |_, _| {}, &mut || {});
    });
    let centres = start(&data, 8);
    for (name, algorithm) in
        [("linear", CommonNearestNeighbour::LinearSearch), ("k-d tree", CommonNearestNeighbour::KdTree)]
    {
        timed(&format!("linfa, {name}"), &mut || {
            let index = algorithm.from_batch(&centres, L2Dist).unwrap();
            let mut sum = 0;
            for row in array.rows() {
                sum += index.k_nearest(row, 1).unwrap()[0].1;
            }
            std::hint::black_box(sum);
        });
    }
}
