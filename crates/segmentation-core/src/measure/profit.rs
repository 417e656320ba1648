//! Whom to contact: thresholds from what a contact costs and what a kept customer brings.

use serde_json::{Value, json};

use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::measure::prediction_quality::PredictionQuality;

/// What it costs and what it brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// Of contacting one customer.
    pub contact_cost: f64,
    /// What a customer brings who would have left and is kept.
    pub kept_value: f64,
    /// The share of those who would have left that a contact keeps.
    pub success_rate: f64,
}

impl Costs {
    /// `{"contact_cost": c, "kept_value": v, "success_rate": s}`.
    ///
    /// # Errors
    /// Names the field that is missing, unknown or wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        let known = ["contact_cost", "kept_value", "success_rate"];
        let object = Object::new("options", "", value, &known)?;
        Ok(Self {
            contact_cost: object.need_number("contact_cost", 0.0, 1e12)?,
            kept_value: object.need_number("kept_value", 0.0, 1e12)?,
            success_rate: object.need_number("success_rate", 0.0, 1.0)?,
        })
    }

    /// The probability from which a contact pays; `None` if it never does.
    #[must_use]
    pub fn break_even(&self) -> Option<f64> {
        let gain = self.kept_value * self.success_rate;
        (gain > 0.0 && self.contact_cost <= gain).then(|| self.contact_cost / gain)
    }
}

/// The points of the curve.
const POINTS: usize = 20;

/// Profit of contacting everyone from a predicted probability on, by what then happened.
///
/// `{contact_cost, kept_value, success_rate, break_even, n, happened, best {threshold, contacted, share,
/// reached, profit, expected_profit}, at_break_even {...}, everyone {...}, curve [{...}]}`; `profit` counts
/// what happened, `expected_profit` what was predicted. Nobody contacted is a profit of 0; `best` is null if
/// nothing is better.
///
/// # Errors
/// No rows.
pub fn profit_curve(outcomes: &PredictionQuality, costs: &Costs) -> Result<Value> {
    let groups = outcomes.groups()?;
    let n: u64 = groups.iter().map(|g| g.1 + g.2).sum();
    if n == 0 {
        return Err(Error::invalid("there are no predictions"));
    }
    let gain = costs.kept_value * costs.success_rate;
    let (mut contacted, mut reached, mut foreseen) = (0_u64, 0_u64, 0.0);
    let mut points = Vec::with_capacity(groups.len());
    for &(p, no, yes) in groups.iter().rev() {
        contacted += no + yes;
        reached += yes;
        foreseen += p * (no + yes) as f64;
        let cost = costs.contact_cost * contacted as f64;
        points.push((p, contacted, reached, gain * reached as f64 - cost, gain * foreseen - cost));
    }
    let point = |&(threshold, contacted, reached, profit, expected): &(f64, u64, u64, f64, f64)| {
        json!({
            "threshold": threshold,
            "contacted": contacted,
            "share": contacted as f64 / n as f64,
            "reached": reached,
            "profit": profit,
            "expected_profit": expected,
        })
    };
    let best = points.iter().filter(|p| p.3 > 0.0).reduce(|a, b| if b.3 > a.3 { b } else { a });
    let break_even = costs.break_even();
    let at = break_even.and_then(|t| points.iter().rev().find(|p| p.0 >= t));
    let mut curve: Vec<Value> = Vec::new();
    let mut next = 1;
    for p in &points {
        if p.1 * POINTS as u64 >= next * n {
            curve.push(point(p));
            next = p.1 * POINTS as u64 / n + 1;
        }
    }
    Ok(json!({
        "contact_cost": costs.contact_cost,
        "kept_value": costs.kept_value,
        "success_rate": costs.success_rate,
        "break_even": break_even,
        "n": n,
        "happened": reached,
        "best": best.map(point),
        "at_break_even": at.map(point),
        "everyone": points.last().map(point),
        "curve": curve,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let mut q = PredictionQuality::new();
        for (p, y) in [(0.9, true), (0.8, false), (0.6, true), (0.2, false), (0.1, false)] {
            q.add(p, y).unwrap();
        }
        let costs = Costs { contact_cost: 10.0, kept_value: 100.0, success_rate: 0.5 };
        let curve = profit_curve(&q, &costs).unwrap();
        // .9: 50 - 10; .8: 50 - 20; .6: 100 - 30; .2: 100 - 40; .1: 100 - 50.
        assert_eq!(curve["best"]["threshold"], 0.6);
        assert_eq!(curve["best"]["profit"], 70.0);
        assert_eq!(curve["break_even"], 0.2);
        assert_eq!(curve["at_break_even"]["contacted"], 4);
        assert_eq!(curve["everyone"]["profit"], 50.0);
        let dear = Costs { contact_cost: 60.0, ..costs };
        let curve = profit_curve(&q, &dear).unwrap();
        assert!(curve["best"].is_null() && curve["break_even"].is_null());
        assert!(profit_curve(&PredictionQuality::new(), &costs).is_err());
    }
}
