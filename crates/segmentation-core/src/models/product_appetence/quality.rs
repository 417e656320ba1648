//! The back-test: a model as of the horizon before the last day, judged by what was bought after it.

use serde_json::{Value, json};

use super::data::Data;
use super::features::Customer;
use super::fit::{After, after, fit_data};
use super::model::AffinityModel;
use super::offer::Source;
use super::options::FitOptions;
use super::rows::AffinityRows;
use crate::Checkpoint;
use crate::base::day;
use crate::base::error::Result;

const METHODS: [&str; 6] =
    ["popularity", "personal_frequency", "decayed_frequency", "item_item", "ease", "product_appetence"];
const TASKS: [&str; 2] = ["next_basket", "horizon"];
const PARTS: [&str; 3] = ["overall", "repeat", "discovery"];
const MEASURES: [&str; 3] = ["recall", "ndcg", "hit"];

/// Recall, NDCG and hit of one list for one customer.
type Measured = [f64; 3];

/// The `k` highest scores among the items that take part; ties go to the smaller item.
fn top(scores: &[f64], k: usize, takes: impl Fn(usize) -> bool) -> Vec<u32> {
    let mut order: Vec<u32> = (0..scores.len() as u32).filter(|i| takes(*i as usize)).collect();
    let better = |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b));
    if k < order.len() {
        order.select_nth_unstable_by(k - 1, better);
        order.truncate(k);
    }
    order.sort_unstable_by(better);
    order
}

/// Recall@k, NDCG@k with binary gains, and hit@k of a list; `wanted` is in order and not empty.
fn measure(list: &[u32], wanted: &[u32], k: usize) -> Measured {
    let gain = |at: usize| 1.0 / (at as f64 + 2.0).log2();
    let hits = list.iter().enumerate().filter(|(_, item)| wanted.binary_search(item).is_ok());
    let (n, dcg) = hits.fold((0.0, 0.0), |(n, dcg), (at, _)| (n + 1.0, dcg + gain(at)));
    let ideal: f64 = (0..k.min(wanted.len())).map(gain).sum();
    [n / wanted.len() as f64, dcg / ideal, f64::from(u8::from(n > 0.0))]
}

/// The scores of all items by each method.
fn scores(model: &AffinityModel, customer: &Customer) -> [Vec<f64>; 6] {
    let t = &model.tables;
    let n = t.items.len();
    let popularity: Vec<f64> = t.items.iter().map(|i| f64::from(i.recent)).collect();
    // Equal frequencies are ordered by popularity.
    let small: Vec<f64> = popularity.iter().map(|p| p * 1e-6).collect();
    let (mut personal, mut decayed) = (small.clone(), small);
    let mut item_item = vec![0.0; n];
    for owned in &customer.owned {
        personal[owned.item as usize] += f64::from(owned.n);
        decayed[owned.item as usize] += owned.weight(90.0, model.as_of);
        let row = t.cosine.row(owned.item as usize);
        row.iter().for_each(|(item, weight)| item_item[*item as usize] += f64::from(*weight));
    }
    let ease = if t.by_ease { t.affinity(customer) } else { vec![0.0; n] };
    let blend = model.scored(customer, None).iter().map(|s| s.score).collect();
    [popularity, personal, decayed, item_item, ease, blend]
}

/// What was measured: for each task, part, method and customer; `None` where there was nothing to find.
type Cells = Vec<Vec<Option<Measured>>>;

fn cell(task: usize, part: usize, method: usize) -> usize {
    (task * PARTS.len() + part) * METHODS.len() + method
}

fn take(cells: &mut Cells, model: &AffinityModel, customer: &Customer, after: &After, k: usize) {
    let scores = scores(model, customer);
    let mut owns = vec![false; model.items.len()];
    customer.owned.iter().for_each(|o| owns[o.item as usize] = true);
    for (part, source) in [None, Some(Source::Repeat), Some(Source::Discovery)].into_iter().enumerate() {
        let takes = |item: usize| source.is_none_or(|s| owns[item] == (s == Source::Repeat));
        let lists = scores.each_ref().map(|scores| top(scores, k, takes));
        for (task, wanted) in [&after.next, &after.within].into_iter().enumerate() {
            let wanted: Vec<u32> = wanted.iter().copied().filter(|item| takes(*item as usize)).collect();
            for (method, list) in lists.iter().enumerate() {
                let measured = (!wanted.is_empty()).then(|| measure(list, &wanted, k));
                cells[cell(task, part, method)].push(measured);
            }
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((u128::from(z) * n as u128) >> 64) as usize
    }
}

/// Means over customers, each counted as often as `times` says.
fn mean(cell: &[Option<Measured>], times: &[u32]) -> Option<Measured> {
    let (mut n, mut sums) = (0.0, [0.0; 3]);
    for (measured, times) in cell.iter().zip(times) {
        if let (Some(measured), true) = (measured, *times > 0) {
            let times = f64::from(*times);
            n += times;
            sums.iter_mut().zip(measured).for_each(|(s, m)| *s += times * m);
        }
    }
    (n > 0.0).then(|| sums.map(|s| s / n))
}

/// The 2.5 and 97.5 % points of bootstrap values.
fn interval(mut values: Vec<f64>) -> Value {
    if values.is_empty() {
        return json!([null, null]);
    }
    values.sort_unstable_by(f64::total_cmp);
    let at = |p: f64| values[((values.len() - 1) as f64 * p).round() as usize];
    json!([at(0.025), at(0.975)])
}

/// Fits as of `horizon` days before the rows' day and measures what was bought after it: recall, NDCG
/// and hit at k of the next basket and of the whole horizon; overall, and repeat and discovery apart
/// (lists of items bought before, or never); beside popularity, personal frequency and single methods.
/// Percentile intervals by a seeded bootstrap over customers; differences are paired.
///
/// # Errors
/// [`crate::ErrorKind::NotReady`] if nobody bought anything before.
pub fn quality(rows: &AffinityRows, checkpoint: Checkpoint) -> Result<Value> {
    let options: &FitOptions = rows.options();
    let data = Data::new(rows, checkpoint)?;
    let cut = rows.as_of() - options.horizon;
    let model = fit_data(&data, rows, cut, checkpoint)?;
    let mut cells: Cells = vec![Vec::new(); TASKS.len() * PARTS.len() * METHODS.len()];
    let mut customers = 0_usize;
    for at in 0..data.customers() {
        if customers == options.training_customers {
            break;
        }
        let customer = Customer::new(data.pairs(at), data.baskets(at), cut);
        let Some(after) = after(&data, at, cut, rows.as_of()).filter(|_| customer.baskets > 0) else {
            continue;
        };
        take(&mut cells, &model, &customer, &after, options.k);
        customers += 1;
        checkpoint();
    }
    let mut measures = Vec::new();
    let draws = bootstrap(&cells, customers, options, checkpoint);
    let ours = METHODS.len() - 1;
    for (task, part, method) in all() {
        let at = cell(task, part, method);
        let found = mean(&cells[at], &vec![1; customers]);
        let own = mean(&cells[cell(task, part, ours)], &vec![1; customers]);
        for (m, name) in MEASURES.iter().enumerate() {
            let (Some(found), Some(own)) = (found, own) else { continue };
            let values = draws.iter().filter_map(|d| Some(d[at]?[m])).collect();
            let against =
                draws.iter().filter_map(|d| Some(d[cell(task, part, ours)]?[m] - d[at]?[m])).collect();
            let customers = cells[at].iter().flatten().count();
            measures.push(json!({
                "task": TASKS[task], "part": PARTS[part], "method": METHODS[method], "measure": name,
                "customers": customers, "value": found[m], "interval": interval(values),
                "behind": own[m] - found[m], "behind_interval": interval(against),
            }));
        }
    }
    let mut value = model.to_json()?;
    value["kind"] = "appetence_quality".into();
    value["until"] = day::format(rows.as_of())?.into();
    value["k"] = options.k.into();
    value["tested"] = customers.into();
    value["measures"] = measures.into();
    Ok(value)
}

fn all() -> impl Iterator<Item = (usize, usize, usize)> {
    let parts =
        |task| (0..PARTS.len()).flat_map(move |part| (0..METHODS.len()).map(move |m| (task, part, m)));
    (0..TASKS.len()).flat_map(parts)
}

/// The means of every cell in each bootstrap sample of the customers.
fn bootstrap(
    cells: &Cells,
    customers: usize,
    options: &FitOptions,
    checkpoint: Checkpoint,
) -> Vec<Vec<Option<Measured>>> {
    let mut random = Random(options.seed);
    let mut out = Vec::with_capacity(options.bootstrap);
    for _ in 0..if customers > 0 { options.bootstrap } else { 0 } {
        let mut times = vec![0_u32; customers];
        (0..customers).for_each(|_| times[random.below(customers)] += 1);
        let mut means = Vec::with_capacity(cells.len());
        for cell in cells {
            means.push(mean(cell, &times));
            checkpoint();
        }
        out.push(means);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_by_hand() {
        // Wanted 2, 5 and 9; found at places 1 and 3 of three.
        let [recall, ndcg, hit] = measure(&[5, 1, 2], &[2, 5, 9], 3);
        let ideal = 1.0 + 1.0 / 3_f64.log2() + 0.5;
        assert!((recall - 2.0 / 3.0).abs() < 1e-15 && hit == 1.0);
        assert!((ndcg - 1.5 / ideal).abs() < 1e-15);
        assert_eq!(measure(&[1], &[2], 10), [0.0; 3]);
        assert_eq!(measure(&[2], &[2], 10), [1.0; 3]);
        assert_eq!(top(&[1.0, 3.0, 3.0, 2.0], 2, |i| i != 1), [2, 3]);
    }
}
