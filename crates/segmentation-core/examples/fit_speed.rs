//! How long the fits take on simulated customers: the mean of some runs, in seconds of processor time of this thread.
//! To be run before and after a change.
//!
//! `cargo run --release -p segmentation-core --example fit_speed`

use std::rc::Rc;

use segmentation_core::Result;
use segmentation_core::base::money::{Money, SCALE};
use segmentation_core::facts::item_history::{Line, net, pack};
use segmentation_core::models::churn_model::{self, ChurnOptions, ChurnRows, Features};
use segmentation_core::models::product_appetence::{self, AffinityRows};
use segmentation_core::models::purchase_model::{self, Cells, CustomerSummary, Family};

/// PCG's own generator, the upper bits.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 + 0.5) / (1_u64 << 31) as f64
    }

    fn below(&mut self, n: u32) -> u32 {
        (self.uniform() * f64::from(n)) as u32
    }
}

/// Two years of customers whose rates differ and who leave.
fn cells(family: Option<Family>, customers: u32) -> Result<Cells> {
    let options = purchase_model::FitOptions { family, ..purchase_model::FitOptions::default() };
    let mut cells = Cells::new(730, options)?;
    let mut random = Random(1);
    for _ in 0..customers {
        let rate = -0.02 * random.uniform().ln();
        let leaves = -200.0 / (0.2 + random.uniform()) * random.uniform().ln();
        let first = random.below(600) as i32;
        let (mut day, mut days) = (f64::from(first), Vec::new());
        while day < 730.0 && day - f64::from(first) <= leaves {
            days.push(day as i32);
            day += 1.0 - random.uniform().ln() / rate;
        }
        if family.is_some() {
            let summary = CustomerSummary::from_days(days, 730);
            summary.map_or(Ok(()), |summary| cells.add_summary(summary, 1))?;
        } else {
            cells.add(days)?;
        }
    }
    Ok(cells)
}

/// Numbers, flags and categories, of which some matter.
fn rows(customers: u32, numbers: u32) -> Result<ChurnRows> {
    let mut rows = ChurnRows::new(ChurnOptions::default());
    let mut random = Random(2);
    for _ in 0..customers {
        let x: Vec<f64> = (0..numbers).map(|_| random.uniform() + random.uniform() - 1.0).collect();
        let (plan, vip) = (random.below(12), random.below(4) == 0);
        let odds = x.iter().take(4).sum::<f64>() + f64::from(plan) * 0.1 - f64::from(u8::from(vip));
        let churned = random.uniform() < 1.0 / (1.0 + (1.0 - odds).exp());
        let listed: Vec<String> = x.iter().enumerate().map(|(i, x)| format!("\"x{i}\": {:.3}", x)).collect();
        let text = format!("{{{}, \"plan\": \"p{plan}\", \"vip\": {vip}}}", listed.join(", "));
        rows.add(Some(churned), Some(&Features::parse(&text)?), Some(1.0))?;
    }
    Ok(rows)
}

/// A shop where customers have tastes among so many items.
fn shop(customers: u32, items: u32) -> Result<AffinityRows> {
    let codes: Vec<String> = (0..items).map(|i| format!("item{i:05}")).collect();
    let mut rows = AffinityRows::new(400, Rc::new(product_appetence::FitOptions::default()))?;
    let mut random = Random(3);
    for _ in 0..customers {
        let taste = random.below(items);
        let mut lines = Vec::new();
        for basket in 0..5 + random.below(15) {
            let day = (random.below(20) + basket * 20).min(400) as i32;
            for _ in 0..1 + random.below(6) {
                let near = (random.uniform().powi(3) * f64::from(items)) as u32;
                let item = &codes[((taste + near) % items) as usize];
                lines.push(Line::order(item, day, Money(SCALE), Money(2 * SCALE))?);
            }
        }
        rows.add(&pack(&net(lines)?)?, None)?;
    }
    Ok(rows)
}

fn seconds() -> f64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let clock = || std::time::UNIX_EPOCH.elapsed().map_or(0.0, |d| d.as_secs_f64());
    spent.map_or_else(clock, |nanoseconds| nanoseconds / 1e9)
}

fn timed(what: &str, runs: usize, mut fit: impl FnMut() -> Result<()>) -> Result<()> {
    // The clock moves by some milliseconds: the mean of many runs where one is short.
    let start = seconds();
    (0..runs).try_for_each(|_| fit())?;
    println!("{what:40} {:9.5}", (seconds() - start) / runs as f64);
    Ok(())
}

fn main() -> Result<()> {
    for (customers, runs) in [(1_000, 300), (300_000, 3)] {
        for family in [Family::BgNbd, Family::ParetoNbd] {
            let cells = cells(Some(family), customers)?;
            let what = format!("{} of {customers} customers", family.name());
            timed(&what, runs, || purchase_model::fit(&cells, &mut || {}).map(|_| ()))?;
        }
    }
    let any = cells(None, 20_000)?;
    timed("best family of 20000 customers", 2, || purchase_model::fit(&any, &mut || {}).map(|_| ()))?;
    for (customers, numbers, runs) in [(2_000, 3, 300), (200_000, 3, 3), (50_000, 20, 3), (10_000, 200, 2)] {
        let rows = rows(customers, numbers)?;
        let what = format!("churn of {customers} rows, {numbers} numbers");
        timed(&what, runs, || churn_model::fit(&rows, &mut || {}).map(|_| ()))?;
    }
    for (customers, items, runs) in [(2_000, 100, 3), (10_000, 1_000, 2), (10_000, 2_500, 1)] {
        let rows = shop(customers, items)?;
        let what = format!("affinity of {customers} customers, {items} items");
        timed(&what, runs, || product_appetence::fit(&rows, &mut || {}).map(|_| ()))?;
    }
    Ok(())
}
