//! EASE by blocks against what it replaced, Goodnight's sweep: seconds of processor time of this thread, both sides on
//! the same data in one run. The figures are those of docs/architecture.md.
//!
//! `cargo run --release -p segmentation-core --example ease_speed -- 1000 3000 8000`; a minus before the number
//! leaves the sweep out.

use segmentation_core::models::product_appetence::{Counts, ease};

/// Three customers an item, some twenty items each: a few are bought by many.
fn counts(items: usize) -> Counts {
    let mut state = 7_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    let mut counts = Counts::new();
    for _ in 0..3 * items {
        let mut row: Vec<u32> = (0..20).map(|_| (uniform().powi(2) * items as f64) as u32).collect();
        row.sort_unstable();
        row.dedup();
        let row: Vec<(u32, f32)> =
            row.into_iter().map(|i| (i, (1.0 + 4.0 * uniform()).ln() as f32)).collect();
        counts.push(row);
    }
    counts
}

/// What was there before: X'X, the sweep of every row in turn, the weights in a second matrix.
fn by_sweep(counts: &Counts, ridge: f64, n: usize) -> Vec<f64> {
    let mut a = vec![0.0; n * n];
    for customer in 0..counts.rows() {
        let row = counts.row(customer);
        for (at, (i, x)) in row.iter().enumerate() {
            for (j, y) in &row[..=at] {
                a[*i as usize * n + *j as usize] += f64::from(*x) * f64::from(*y);
            }
        }
    }
    (0..n).for_each(|i| a[i * n + i] += ridge);
    let mut column = vec![0.0; n];
    for k in 0..n {
        let pivot = a[k * n + k];
        for (i, entry) in column.iter_mut().enumerate() {
            *entry = if i >= k { a[i * n + k] } else { a[k * n + i] };
        }
        for (i, entry) in column.iter().enumerate() {
            let factor = entry / pivot;
            if i != k && factor != 0.0 {
                let row = &mut a[i * n..i * n + i + 1];
                row.iter_mut().zip(&column).for_each(|(x, c)| *x -= factor * c);
            }
        }
        for (i, entry) in column.iter().enumerate() {
            a[if i >= k { i * n + k } else { k * n + i }] = entry / pivot;
        }
        a[k * n + k] = -1.0 / pivot;
    }
    let mut weights = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..i {
            weights[i * n + j] = -a[i * n + j] / a[j * n + j];
            weights[j * n + i] = -a[i * n + j] / a[i * n + i];
        }
    }
    weights
}

/// Seconds that this thread had a processor; elsewhere than on Linux, seconds that went by.
fn seconds() -> f64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let clock = || std::time::UNIX_EPOCH.elapsed().map_or(0.0, |d| d.as_secs_f64());
    spent.map_or_else(clock, |nanoseconds| nanoseconds / 1e9)
}

fn main() {
    println!("  items  sweep  blocks  ratio  longest between looks  largest difference");
    for text in std::env::args().skip(1) {
        let Ok(number) = text.parse::<i64>() else { continue };
        let n = number.unsigned_abs() as usize;
        let counts = counts(n);
        let start = seconds();
        let sweep = if number > 0 { by_sweep(&counts, 100.0, n) } else { Vec::new() };
        let old = seconds() - start;
        let (mut last, mut longest) = (seconds(), 0.0_f64);
        let start = last;
        let weights = ease(&counts, 100.0, true, n, &mut || {
            let now = seconds();
            longest = longest.max(now - last);
            last = now;
        });
        let new = seconds() - start;
        let Ok(weights) = weights else { continue };
        let differences = weights.iter().zip(&sweep).map(|(a, b)| (a - b).abs());
        let largest = differences.fold(0.0_f64, f64::max);
        println!("{n:7} {old:6.2} {new:7.2} {:6.1} {longest:22.3} {largest:19.1e}", old / new);
    }
}
