//! Maximum likelihood of the beta-binomial distribution, and the segments around their channel.

use serde_json::{Value, json};

use super::{Beta, ChannelCells, KIND, as_of_json, counting_json};
use crate::Checkpoint;
use crate::base::error::Result;
use crate::base::words::counted;
use crate::math::special::{digamma, ln_gamma, logistic, trigamma};

/// Customers with the same contacts and answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Contacts of each.
    pub sent: f64,
    /// Answers of each.
    pub responses: f64,
    /// How many they are.
    pub customers: f64,
}

/// A fitted beta-binomial distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BetaBinomial {
    /// Logit of the mean, log of the precision.
    pub at: [f64; 2],
    /// Minus the second derivatives of the log-likelihood there, without the penalty.
    pub information: [[f64; 2]; 2],
    /// Without the penalty and the binomial coefficients.
    pub log_likelihood: f64,
    /// A maximum was found.
    pub converged: bool,
}

impl BetaBinomial {
    /// The distribution of rates.
    #[must_use]
    pub fn rates(&self) -> Beta {
        Beta::of_mean(logistic(self.at[0]), self.at[1].exp())
    }
}

/// Bounds of the logit of the mean.
const MOST_LOGIT: f64 = 16.0;
/// Bounds of the log of the precision: 0.01 and a million.
const LOG_PRECISION: (f64, f64) = (-4.605_170_185_988_091, 13.815_510_557_964_274);
/// The precision where the data say nothing of it: a customer of 20 contacts counts as much as all others.
const DEFAULT_PRECISION: f64 = 20.0;
/// A channel with fewer customers is not fitted.
const FEW_CUSTOMERS: f64 = 10.0;

/// Sums over cells of the log-likelihood and its derivatives by alpha and beta.
#[derive(Default)]
struct Sums {
    value: f64,
    a: f64,
    b: f64,
    aa: f64,
    ab: f64,
    bb: f64,
}

/// ln, first and second derivative of Gamma(x + n) / Gamma(x): exact sums for small whole n.
fn rising(x: f64, n: f64) -> (f64, f64, f64) {
    if n == 0.0 {
        return (0.0, 0.0, 0.0);
    }
    if n <= 32.0 && n.fract() == 0.0 {
        let (mut product, mut first, mut second) = (1.0, 0.0, 0.0);
        let mut value = 0.0;
        for i in 0..n as u32 {
            let term = x + f64::from(i);
            product *= term;
            // Before it can leave the range of doubles.
            if i % 16 == 15 {
                value += f64::ln(product);
                product = 1.0;
            }
            first += 1.0 / term;
            second -= 1.0 / (term * term);
        }
        return (value + product.ln(), first, second);
    }
    (ln_gamma(x + n) - ln_gamma(x), digamma(x + n) - digamma(x), trigamma(x + n) - trigamma(x))
}

fn sums(cells: &[Cell], Beta { alpha, beta }: Beta, checkpoint: Checkpoint) -> Sums {
    let mut sums = Sums::default();
    for (i, cell) in cells.iter().enumerate() {
        if i % 2048 == 2047 {
            checkpoint();
        }
        let w = cell.customers;
        let yes = rising(alpha, cell.responses);
        let no = rising(beta, cell.sent - cell.responses);
        let all = rising(alpha + beta, cell.sent);
        sums.value += w * (yes.0 + no.0 - all.0);
        sums.a += w * (yes.1 - all.1);
        sums.b += w * (no.1 - all.1);
        sums.aa += w * (yes.2 - all.2);
        sums.ab -= w * all.2;
        sums.bb += w * (no.2 - all.2);
    }
    sums
}

/// Value, gradient and minus the Hessian by logit of the mean and log of the precision.
fn derivatives(cells: &[Cell], at: [f64; 2], checkpoint: Checkpoint) -> (f64, [f64; 2], [[f64; 2]; 2]) {
    let (mean, precision) = (logistic(at[0]), at[1].exp());
    let rates = Beta::of_mean(mean, precision);
    let s = sums(cells, rates, checkpoint);
    let (a, b) = (rates.alpha, rates.beta);
    let v = precision * mean * logistic(-at[0]);
    let gradient = [v * (s.a - s.b), a * s.a + b * s.b];
    let tt = v * v * (s.aa - 2.0 * s.ab + s.bb) + v * (1.0 - 2.0 * mean) * (s.a - s.b);
    let pp = a * a * s.aa + 2.0 * a * b * s.ab + b * b * s.bb + gradient[1];
    let tp = v * (a * s.aa + (b - a) * s.ab - b * s.bb) + gradient[0];
    (s.value, gradient, [[-tt, -tp], [-tp, -pp]])
}

/// A normal prior: centre and variances.
type Prior = ([f64; 2], [f64; 2]);

/// The beta-binomial distribution that makes the cells most likely, by damped Newton steps from
/// `start`; with a prior, the mode of the posterior.
#[must_use]
pub fn beta_binomial(
    cells: &[Cell],
    start: [f64; 2],
    prior: Option<Prior>,
    checkpoint: Checkpoint,
) -> BetaBinomial {
    let bounded =
        |at: [f64; 2]| [at[0].clamp(-MOST_LOGIT, MOST_LOGIT), at[1].clamp(LOG_PRECISION.0, LOG_PRECISION.1)];
    let penalty = |at: [f64; 2]| {
        prior.map_or(0.0, |(c, t)| (0..2).map(|k| 0.5 * (at[k] - c[k]) * (at[k] - c[k]) / t[k]).sum::<f64>())
    };
    let mut at = bounded(start);
    let (mut value, mut gradient, mut information) = derivatives(cells, at, checkpoint);
    let mut converged = false;
    for _ in 0..100 {
        let (mut g, mut h) = (gradient, information);
        if let Some((c, t)) = prior {
            for k in 0..2 {
                g[k] -= (at[k] - c[k]) / t[k];
                h[k][k] += 1.0 / t[k];
            }
        }
        let step = newton_step(at, g, h);
        if step.iter().all(|s| s.abs() < 1e-11) {
            converged = true;
            break;
        }
        let objective = value - penalty(at);
        let mut scale = (1.5 / step[0].abs().max(step[1].abs())).min(1.0);
        let mut better = None;
        for _ in 0..40 {
            let next = bounded([at[0] + scale * step[0], at[1] + scale * step[1]]);
            let found = derivatives(cells, next, checkpoint);
            // Rounding of a sum of many terms is no fall.
            if found.0 - penalty(next) >= objective - 1e-13 * objective.abs() {
                better = Some((next, found));
                break;
            }
            scale *= 0.5;
        }
        let Some((next, found)) = better else {
            converged = true;
            break;
        };
        let moved = (next[0] - at[0]).abs().max((next[1] - at[1]).abs());
        (at, (value, gradient, information)) = (next, found);
        if moved < 1e-11 {
            converged = true;
            break;
        }
    }
    BetaBinomial { at, information, log_likelihood: value, converged }
}

/// The Newton step upwards; a coordinate that would leave its bounds stays.
///
/// Two by two, and taken for every segment in every step of EM: on the stack, by Cramer's rule.
fn newton_step(at: [f64; 2], g: [f64; 2], h: [[f64; 2]; 2]) -> [f64; 2] {
    let stuck = (at[1] >= LOG_PRECISION.1 && g[1] > 0.0) || (at[1] <= LOG_PRECISION.0 && g[1] < 0.0);
    let alone = |k: usize| g[k] / h[k][k].abs().max(1e-300);
    if stuck {
        return [alone(0), 0.0];
    }
    let determinant = h[0][0] * h[1][1] - h[0][1] * h[0][1];
    if h[0][0] > 0.0 && h[1][1] > 0.0 && determinant > 1e-14 * h[0][0] * h[1][1] {
        return [
            (g[0] * h[1][1] - g[1] * h[0][1]) / determinant,
            (g[1] * h[0][0] - g[0] * h[0][1]) / determinant,
        ];
    }
    // Not a hill here: each by itself, uphill.
    [alone(0), alone(1)]
}

/// Totals of cells: customers, contacts, answers.
fn totals(cells: &[Cell]) -> (f64, f64, f64) {
    cells.iter().fold((0.0, 0.0, 0.0), |(c, n, y), cell| {
        (c + cell.customers, n + cell.customers * cell.sent, y + cell.customers * cell.responses)
    })
}

/// Moments as a start: Kleinman, Proportions with extraneous variance, JASA 68 (1973).
fn moments(cells: &[Cell]) -> [f64; 2] {
    let (customers, n, y) = totals(cells);
    let mean = y / n;
    let between: f64 = cells
        .iter()
        .map(|c| c.customers * c.sent * (c.responses / c.sent - mean) * (c.responses / c.sent - mean))
        .sum();
    let squares: f64 = cells.iter().map(|c| c.customers * c.sent * c.sent).sum();
    let spread = n - squares / n;
    let excess = (between - mean * (1.0 - mean) * (customers - 1.0))
        / (mean * (1.0 - mean) * (spread - (customers - 1.0)));
    let precision = if excess.is_finite() { 1.0 / excess.clamp(1e-3, 0.9) - 1.0 } else { DEFAULT_PRECISION };
    [(mean / (1.0 - mean)).ln(), precision.max(0.05).ln()]
}

/// How a channel was fitted.
struct Channel {
    method: &'static str,
    warning: Option<(&'static str, String)>,
    rates: Beta,
    fitted: Option<BetaBinomial>,
}

/// Without a likelihood to go by: the mean of all, with half an answer more and half less.
fn pooled(cells: &[Cell], precision: f64, code: &'static str, message: String) -> Channel {
    let (_, n, y) = totals(cells);
    let rates = Beta::of_mean((y + 0.5) / (n + 1.0), precision);
    Channel { method: "pooled", warning: Some((code, message)), rates, fitted: None }
}

fn fit_channel(name: &str, cells: &[Cell], checkpoint: Checkpoint) -> Channel {
    let (customers, n, y) = totals(cells);
    if customers < FEW_CUSTOMERS {
        let message = format!(
            "Channel \"{name}\" reached {} only: the precision is assumed.",
            counted(customers, "customer")
        );
        return pooled(cells, DEFAULT_PRECISION, "few_customers", message);
    }
    if y == 0.0 || y == n {
        let who = if y == 0.0 { "Nobody" } else { "Everybody" };
        let message = format!("{who} answered by channel \"{name}\": its customers cannot be told apart.");
        return pooled(cells, (n + 1.0).min(1000.0), "no_response", message);
    }
    if cells.iter().all(|cell| cell.sent <= 1.0) {
        let message = format!("Nobody was contacted twice by channel \"{name}\": the precision is assumed.");
        return pooled(cells, DEFAULT_PRECISION, "not_identified", message);
    }
    let fitted = beta_binomial(cells, moments(cells), None, checkpoint);
    let warning = if !fitted.converged {
        Some(("not_converged", format!("The fit of channel \"{name}\" did not converge.")))
    } else if fitted.at[1] >= LOG_PRECISION.1 - 1e-9 {
        Some(("no_spread", format!("Customers do not differ in how they answer by channel \"{name}\".")))
    } else {
        None
    };
    Channel { method: "maximum_likelihood", warning, rates: fitted.rates(), fitted: Some(fitted) }
}

/// Steps of EM at most, and the change of the log of a variance at which it ends.
const EM_STEPS: usize = 500;
const EM_TOLERANCE: f64 = 1e-7;
/// Variances between segments stay above this.
const LEAST_VARIANCE: f64 = 1e-6;

/// The segments of a channel around it, and the variances between them (of logit mean and log
/// precision): EM, with the posterior of each segment taken as normal around its mode.
fn fit_segments(
    channel: &BetaBinomial,
    segments: &[(&str, Vec<Cell>)],
    checkpoint: Checkpoint,
) -> (Vec<BetaBinomial>, [f64; 2]) {
    let centre = channel.at;
    let mut variances = [0.25, 0.25];
    let mut fitted = vec![*channel; segments.len()];
    for _ in 0..EM_STEPS {
        let mut squares = [0.0; 2];
        for (fit, (_, cells)) in fitted.iter_mut().zip(segments) {
            *fit = beta_binomial(cells, fit.at, Some((centre, variances)), checkpoint);
            let h = fit.information;
            let (t, p) = (h[0][0] + 1.0 / variances[0], h[1][1] + 1.0 / variances[1]);
            let determinant = (t * p - h[0][1] * h[0][1]).max(f64::MIN_POSITIVE);
            let uncertain =
                [(p / determinant).clamp(0.0, variances[0]), (t / determinant).clamp(0.0, variances[1])];
            for k in 0..2 {
                squares[k] += (fit.at[k] - centre[k]).powi(2) + uncertain[k];
            }
        }
        let next = squares.map(|sum| (sum / segments.len() as f64).max(LEAST_VARIANCE));
        let change = (0..2).map(|k| (next[k] / variances[k]).ln().abs()).fold(0.0, f64::max);
        variances = next;
        if change < EM_TOLERANCE {
            break;
        }
    }
    for (fit, (_, cells)) in fitted.iter_mut().zip(segments) {
        *fit = beta_binomial(cells, fit.at, Some((centre, variances)), checkpoint);
    }
    (fitted, variances)
}

fn described(cells: &[Cell], rates: Beta) -> serde_json::Map<String, Value> {
    let (customers, sent, responses) = totals(cells);
    let value = json!({
        "customers": customers as u64, "sent": sent, "responses": responses, "parameters": rates.to_json(),
        "mean": rates.mean(), "precision": rates.alpha + rates.beta,
    });
    match value {
        Value::Object(map) => map,
        _ => serde_json::Map::new(),
    }
}

fn standard_errors(fitted: &BetaBinomial) -> Value {
    let h = fitted.information;
    let determinant = h[0][0] * h[1][1] - h[0][1] * h[0][1];
    if determinant > 0.0 && h[0][0] > 0.0 && h[1][1] > 0.0 {
        json!({ "logit_mean": (h[1][1] / determinant).sqrt(), "log_precision": (h[0][0] / determinant).sqrt() })
    } else {
        Value::Null
    }
}

/// The model of the customers: a JSON value.
///
/// # Errors
/// None yet; too few data are a value with a warning.
pub fn fit(cells: &ChannelCells, checkpoint: Checkpoint) -> Result<Value> {
    let mut warnings = Vec::new();
    if cells.counting().opens {
        warnings.push(json!({
            "code": "opens_counted",
            "message": "Opens are counted as answers: mail programs open messages by themselves, so that rates are too high and customers hard to tell apart.",
        }));
    }
    let mut channels = Vec::new();
    for channel in cells.channels() {
        let (name, all, segments) = channel?;
        checkpoint();
        let channel = fit_channel(name, &all, checkpoint);
        if let Some((code, message)) = channel.warning {
            warnings.push(json!({ "code": code, "channel": name, "message": message }));
        }
        let mut value = json!({ "channel": name, "method": channel.method });
        let mut spread = Value::Null;
        let mut of_segments = Vec::new();
        if let Some(fitted) = channel.fitted
            && !segments.is_empty()
        {
            let (fits, variances) = fit_segments(&fitted, &segments, checkpoint);
            spread = json!({ "logit_mean": variances[0].sqrt(), "log_precision": variances[1].sqrt() });
            of_segments = fits
                .iter()
                .zip(&segments)
                .map(|(fit, (segment, cells))| {
                    let mut value = json!({ "segment": segment });
                    if let Value::Object(map) = &mut value {
                        map.extend(described(cells, fit.rates()));
                    }
                    value
                })
                .collect();
        }
        if let Value::Object(map) = &mut value {
            map.extend(described(&all, channel.rates));
            map.insert(
                "standard_errors".into(),
                channel.fitted.as_ref().map_or(Value::Null, standard_errors),
            );
            map.insert(
                "log_likelihood".into(),
                channel.fitted.map_or(Value::Null, |f| json!(f.log_likelihood)),
            );
            map.insert("spread".into(), spread);
            map.insert("segments".into(), Value::Array(of_segments));
        }
        channels.push(value);
    }
    let channels = if channels.is_empty() {
        warnings.push(json!({ "code": "insufficient_data", "message": "Nobody was contacted." }));
        Value::Null
    } else {
        Value::Array(channels)
    };
    let mut model = json!({
        "kind": KIND, "version": 1, "as_of": as_of_json(cells.as_of()), "counting": counting_json(cells.counting()),
        "channels": null, "skipped": cells.skipped(), "warnings": warnings,
    });
    // Moved in: the macro would copy them.
    model["channels"] = channels;
    Ok(model)
}
