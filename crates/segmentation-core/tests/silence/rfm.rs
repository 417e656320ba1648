use segmentation_core::axes::rfm::{Cuts, Rule};
use segmentation_core::base::day::{self, Day};

use crate::{Random, check};

#[test]
fn rfm_as_asked_day_by_day() {
    let mut random = Random(5);
    for _ in 0..500 {
        let bins = 2 + random.below(9) as usize;
        let rule = if random.below(2) == 0 { Rule::Quantile } else { Rule::RRfm };
        let mut points: Vec<f64> = (1..bins).map(|_| (random.unit() * 3200.0).round() / 4.0 - 20.0).collect();
        points.sort_by(f64::total_cmp);
        let cuts = Cuts::new([&points, &points, &points], bins, rule).unwrap();
        let recency = random.below(1000) as Day;
        let answer = cuts.next_recency(recency).map(|next| next as Day);
        let exact = check(recency, 4000, answer, |r| cuts.scores(f64::from(r), 1.0, 1.0).r, &(points, rule));
        assert!(exact);
    }
    // Cut points of another world saturate.
    let far = Cuts::new([&[1e300], &[1.0], &[1.0]], 2, Rule::Quantile).unwrap();
    assert!(far.next_recency(3).unwrap() > i64::from(day::LAST));
}
