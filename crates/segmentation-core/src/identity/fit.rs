//! A model of Fellegi and Sunter, learned without labels: `u`, how often records of two customers agree, from random
//! pairs and from how often values are; `m`, how often records of one do, by expectation and maximisation (EM) over
//! the pairs of each blocking rule, where the fields of the rule itself say nothing.

use super::frequency::Frequency;
use super::model::{Field, Model, Pass};
use super::rules::Rules;
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;

/// Rounds of EM, at most.
const ROUNDS: usize = 500;

/// EM has converged when no probability changes by more.
const TOLERANCE: f64 = 1e-7;

/// The least probability of a level: what was never seen is rare, and not impossible.
const LEAST: f64 = 1e-6;

/// How many pairs have a pattern, in one pass.
#[derive(Debug, Clone)]
pub struct Count {
    /// 0 for random pairs, else the number of the blocking rule.
    pub pass: usize,
    /// A digit for each comparison.
    pub pattern: Vec<Option<usize>>,
    /// Pairs.
    pub pairs: f64,
}

/// Reads a pattern.
///
/// # Errors
/// It is none of these rules.
pub fn pattern(rules: &Rules, text: &str) -> Result<Vec<Option<usize>>> {
    let read: Option<Vec<Option<usize>>> = text
        .chars()
        .map(|c| if c == '-' { Some(None) } else { c.to_digit(10).map(|digit| Some(digit as usize)) })
        .collect();
    let fits = |pattern: &Vec<Option<usize>>| {
        pattern.len() == rules.comparisons.len()
            && pattern
                .iter()
                .zip(&rules.comparisons)
                .all(|(level, c)| level.is_none_or(|l| l <= c.levels.len()))
    };
    read.filter(fits).ok_or_else(|| {
        let shown: String = text.chars().take(60).collect();
        Error::invalid("pattern does not fit the rules")
            .detail(format!("It is \"{shown}\"."))
            .hint("Make patterns by match_pattern, with the same rules.")
    })
}

/// One run of EM: `m` of each free field, the share of matches.
struct Learned {
    m: Vec<Vec<f64>>,
    share: f64,
    rounds: usize,
}

/// EM over patterns with fixed `u`. Fields of `free` are learned; the others say nothing.
fn learn(counts: &[&Count], u: &[Vec<f64>], free: &[bool], checkpoint: Checkpoint) -> Learned {
    let mut m: Vec<Vec<f64>> = u.iter().map(|levels| first_m(levels.len())).collect();
    let total: f64 = counts.iter().map(|count| count.pairs).sum();
    let mut share = 0.1_f64;
    let mut rounds = 0;
    while rounds < ROUNDS {
        rounds += 1;
        checkpoint();
        let mut expected: Vec<Vec<f64>> = u.iter().map(|levels| vec![0.0; levels.len()]).collect();
        let mut matches = 0.0;
        for count in counts {
            let mut odds = share / (1.0 - share);
            for (field, level) in count.pattern.iter().enumerate() {
                if let (Some(level), true) = (level, free[field]) {
                    odds *= m[field][*level] / u[field][*level];
                }
            }
            let weight = count.pairs * if odds.is_infinite() { 1.0 } else { odds / (1.0 + odds) };
            matches += weight;
            for (field, level) in count.pattern.iter().enumerate() {
                if let Some(level) = level {
                    expected[field][*level] += weight;
                }
            }
        }
        let before = share;
        share = (matches / total).clamp(1e-9, 1.0 - 1e-9);
        let mut change = (share - before).abs();
        for field in (0..u.len()).filter(|field| free[*field]) {
            let all: f64 = expected[field].iter().sum();
            // No pair of it has values: nothing is learned.
            if all < 1e-6 {
                continue;
            }
            for (level, seen) in expected[field].iter().enumerate() {
                let next = (seen / all).max(LEAST);
                change = change.max((next - m[field][level]).abs());
                m[field][level] = next;
            }
        }
        if change < TOLERANCE {
            break;
        }
    }
    Learned { m, share, rounds }
}

/// Where EM begins, and what stays where nothing can be learned: nine in ten agree, each lower level half of the one above.
fn first_m(levels: usize) -> Vec<f64> {
    let best = levels - 1;
    let mut m: Vec<f64> = (0..levels)
        .map(|level| if level == best { 0.9 } else { 0.1 * 0.5_f64.powi((best - level) as i32) })
        .collect();
    let all: f64 = m.iter().sum();
    m.iter_mut().for_each(|value| *value /= all);
    m
}

/// `u` of each level of each field.
fn chances(rules: &Rules, counts: &[Count], frequencies: &[Frequency]) -> Vec<Vec<f64>> {
    let of_field = |field: usize| {
        let levels = rules.comparisons[field].levels.len() + 1;
        let mut seen = vec![0.0; levels];
        for count in counts.iter().filter(|count| count.pass == 0) {
            if let Some(level) = count.pattern[field] {
                seen[level] += count.pairs;
            }
        }
        let all: f64 = seen.iter().sum();
        // Half a pair more of each level: a level that no random pair reached is rare.
        let mut u: Vec<f64> = seen
            .iter()
            .map(|pairs| ((pairs + 0.5) / (all + 0.5 * levels as f64)).max(LEAST * LEAST))
            .collect();
        if let Some(exact) = frequencies.get(field).and_then(|frequency| frequency.collision) {
            let exact = exact.clamp(1e-10, 0.999);
            let others: f64 = u[..levels - 1].iter().sum();
            u[..levels - 1].iter_mut().for_each(|value| *value *= (1.0 - exact) / others);
            u[levels - 1] = exact;
        }
        u
    };
    (0..rules.comparisons.len()).map(of_field).collect()
}

/// Share of random pairs in which both records have all of these fields.
fn filled(counts: &[Count], fields: &[usize]) -> f64 {
    let random = || counts.iter().filter(|count| count.pass == 0);
    let all: f64 = random().map(|count| count.pairs).sum();
    let with: f64 = random()
        .filter(|count| fields.iter().all(|field| count.pattern[*field].is_some()))
        .map(|count| count.pairs)
        .sum();
    if all > 0.0 { (with / all).max(1e-3) } else { 1.0 }
}

/// Fits a model to patterns with their numbers of pairs. `records` is how many records there are in all.
///
/// # Errors
/// No random pairs, no pair of a rule that may be learned from, a pass that is no rule.
pub fn fit(
    rules: &Rules,
    counts: &[Count],
    records: u64,
    frequencies: &[Frequency],
    checkpoint: Checkpoint,
) -> Result<Model> {
    if let Some(count) = counts.iter().find(|count| count.pass > rules.blocking.len()) {
        return Err(Error::invalid("pass is no blocking rule")
            .detail(format!("It is {}; there are {} rules.", count.pass, rules.blocking.len()))
            .hint("Passes are 0 for random pairs and the numbers of the blocking rules from 1."));
    }
    let too_little =
        |what: &'static str, hint: &'static str| Err(Error::new(ErrorKind::NotReady, what).hint(hint));
    if !counts.iter().any(|count| count.pass == 0 && count.pairs > 0.0) {
        return too_little("no random pairs to learn from", "Count patterns of random pairs as pass 0.");
    }
    let u = chances(rules, counts, frequencies);
    let fields = rules.comparisons.len();
    let mut sums: Vec<Vec<f64>> = u.iter().map(|levels| vec![0.0; levels.len()]).collect();
    let mut weights = vec![0.0; fields];
    let mut passes: Vec<Pass> = Vec::new();
    let mut shares: Vec<(usize, f64, f64)> = Vec::new();
    for (at, rule) in rules.blocking.iter().enumerate() {
        let own: Vec<&Count> =
            memory::collect(counts.iter().filter(|count| count.pass == at + 1 && count.pairs > 0.0))?;
        let pairs: f64 = own.iter().map(|count| count.pairs).sum();
        let trains = rule.trains && pairs >= 1.0;
        let mut pass = Pass { rule: rule.written.clone(), pairs, matches: None, rounds: 0 };
        if trains {
            let free: Vec<bool> = (0..fields).map(|field| !rule.fields.contains(&field)).collect();
            let learned = learn(&own, &u, &free, checkpoint);
            pass.matches = Some(learned.share * pairs);
            pass.rounds = learned.rounds;
            shares.push((at, learned.share * pairs, pairs));
            let weight = (learned.share * pairs).sqrt();
            for field in (0..fields).filter(|field| free[*field]) {
                weights[field] += weight;
                sums[field].iter_mut().zip(&learned.m[field]).for_each(|(sum, m)| *sum += weight * m);
            }
        }
        passes.push(pass);
    }
    if shares.is_empty() {
        return too_little(
            "no pairs to learn from",
            "Count patterns of the pairs of a blocking rule with a first name, a birth date or a number of one's own.",
        );
    }
    let m: Vec<Vec<f64>> = (0..fields)
        .map(|field| {
            if weights[field] > 0.0 {
                sums[field].iter().map(|sum| sum / weights[field]).collect()
            } else {
                first_m(u[field].len())
            }
        })
        .collect();
    let possible = records as f64 * (records as f64 - 1.0) / 2.0;
    // What a rule finds are the matches that agree in its fields and have them.
    let mut totals: Vec<f64> = shares
        .iter()
        .map(|(at, matches, _)| {
            let fields = &rules.blocking[*at].fields;
            let found: f64 = fields.iter().map(|field| m[*field][m[*field].len() - 1]).product();
            matches / found.max(0.05) / filled(counts, fields)
        })
        .collect();
    totals.sort_unstable_by(f64::total_cmp);
    let matches = totals[totals.len() / 2];
    let prior = (matches / possible.max(1.0)).clamp(1e-12, 0.5);
    let of_field = |field: usize| Field {
        m: m[field].clone(),
        u: u[field].clone(),
        learned: weights[field] > 0.0,
        frequency: frequencies.get(field).cloned().unwrap_or_default(),
    };
    Ok(Model { rules: rules.clone(), fields: (0..fields).map(of_field).collect(), prior, records, passes })
}
