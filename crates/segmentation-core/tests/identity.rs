//! Distances against rapidfuzz's recorded values; quality of matching on public records.

use segmentation_core::identity::similarity::{damerau_levenshtein, jaro_winkler};

/// `benches/peers/rapidfuzz_values.py` recorded them.
#[test]
fn distances_are_those_of_rapidfuzz() {
    let mut pairs = 0;
    for line in include_str!("data/name_distances.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [a, b, similarity, distance] = cells.as_slice() else { panic!("{line}") };
        let similarity: f64 = similarity.parse().unwrap();
        assert!((jaro_winkler(a, b).unwrap() - similarity).abs() < 1e-12, "{line}");
        assert_eq!(damerau_levenshtein(a, b).unwrap(), distance.parse::<usize>().unwrap(), "{line}");
        pairs += 1;
    }
    assert!(pairs > 400);
}
