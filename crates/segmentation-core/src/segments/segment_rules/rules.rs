//! The leaves of a tree as a definition: one rule each, one condition a feature.

use serde_json::{Map, Value, json};

use super::super::segment::MAX_BYTES;
use super::rows::{Column, Kind, SegmentRows};
use super::tree::{Leaf, Node, Test, Tree};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::words::counted;

/// What a leaf asks of one feature.
#[derive(Clone)]
struct Asked {
    column: usize,
    from: Option<f64>,
    below: Option<f64>,
    /// The categories that are left.
    set: Option<Vec<bool>>,
    /// Whether a customer may have the feature, and whether it may be missing.
    present: bool,
    missing: bool,
}

impl Asked {
    fn nothing(column: usize) -> Self {
        Self { column, from: None, below: None, set: None, present: true, missing: true }
    }

    fn side(&mut self, test: &Test, missing_left: Option<bool>, left: bool) {
        match test {
            Test::Below(limit) if left => self.below = Some(*limit),
            Test::Below(limit) => self.from = Some(*limit),
            Test::OneOf(codes) => {
                let set = self.set.get_or_insert_with(|| vec![true; codes.len()]);
                set.iter_mut().zip(codes).for_each(|(own, code)| *own &= *code == left);
            }
            Test::Present => self.present &= left,
        }
        self.missing &= missing_left == Some(left);
    }

    fn to_json(&self, column: &Column) -> Value {
        let field = |key: &str, value: Value| json!({"field": column.name, key: value});
        if !self.present {
            return field("is_null", true.into());
        }
        let there = match (column.kind, &self.set) {
            (Kind::Category, Some(set)) => Some(self.categories(column, set)),
            (Kind::Flag, _) if self.below.is_some() => Some(field("=", false.into())),
            (Kind::Flag, _) if self.from.is_some() => Some(field("=", true.into())),
            _ => self.range(column),
        };
        match there {
            None => field("is_null", self.missing.into()),
            Some(there) if self.missing => json!({"any": [there, field("is_null", true.into())]}),
            Some(there) => there,
        }
    }

    fn range(&self, column: &Column) -> Option<Value> {
        let whole = column.whole && column.exact;
        if let (Some(from), Some(below)) = (self.from, self.below)
            && whole
        {
            let (from, until) = (number(from, whole), number(below - 1.0, whole));
            return Some(if from == until {
                json!({"field": column.name, "=": from})
            } else {
                json!({"field": column.name, "between": [from, until]})
            });
        }
        let mut range = Map::new();
        range.insert("field".to_owned(), column.name.clone().into());
        if let Some(from) = self.from {
            range.insert(">=".to_owned(), number(from, whole));
        }
        if let Some(below) = self.below {
            range.insert("<".to_owned(), number(below, whole));
        }
        (range.len() > 1).then_some(Value::Object(range))
    }

    fn categories(&self, column: &Column, set: &[bool]) -> Value {
        let named = |wanted: bool| -> Vec<&str> {
            column.categories.iter().zip(set).filter(|(_, s)| **s == wanted).map(|(c, _)| &c[..]).collect()
        };
        let (inside, outside) = (named(true), named(false));
        match (inside.as_slice(), outside.as_slice()) {
            ([one], _) => json!({"field": column.name, "=": one}),
            (_, [one]) => json!({"field": column.name, "<>": one}),
            (inside, outside) if inside.len() <= outside.len() => json!({"field": column.name, "in": inside}),
            (_, outside) => json!({"field": column.name, "not_in": outside}),
        }
    }
}

/// A limit as it is written; the smallest spelling.
fn number(value: f64, whole: bool) -> Value {
    if whole || value.fract() == 0.0 && value.abs() < 1e15 { (value as i64).into() } else { value.into() }
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn leaves<'a>(node: &'a Node, path: &mut Vec<Asked>, found: &mut Vec<(Vec<Asked>, &'a Leaf)>) {
    match node {
        Node::Leaf(leaf) => found.push((path.clone(), leaf)),
        Node::Split { column, test, missing_left, children } => {
            for (left, child) in [true, false].into_iter().zip(children.iter()) {
                let before = path.clone();
                let at = path.iter().position(|asked| asked.column == *column).unwrap_or_else(|| {
                    path.push(Asked::nothing(*column));
                    path.len() - 1
                });
                path[at].side(test, *missing_left, left);
                leaves(child, path, found);
                *path = before;
            }
        }
    }
}

/// Writes the tree as a definition of kind `rules`.
pub(super) fn write(rows: &SegmentRows, tree: &Tree) -> Result<Value> {
    let mut found = Vec::new();
    leaves(&tree.root, &mut Vec::new(), &mut found);
    let customers: u64 = tree.counts.iter().sum();
    let right: u64 = found.iter().map(|(_, l)| l.counts[if l.pure { l.class } else { 0 }]).sum();
    found.retain(|(_, leaf)| leaf.pure);
    // The default's own rules last, else the commonest segment first and its largest rule first.
    found.sort_by_key(|(_, leaf)| (leaf.class == 0, leaf.class, u64::MAX - leaf.customers()));
    let share = |part: u64, whole: u64| part as f64 / whole as f64;
    let rule = |(asked, leaf): &(Vec<Asked>, &Leaf)| {
        let conditions: Vec<Value> = asked.iter().map(|a| a.to_json(&rows.columns[a.column])).collect();
        let when = match <[Value; 1]>::try_from(conditions) {
            Ok([only]) => only,
            Err(conditions) => json!({ "all": conditions }),
        };
        let purity = share(leaf.counts[leaf.class], leaf.customers());
        json!({
            "segment": tree.classes[leaf.class],
            "when": when,
            "comment": {
                "customers": leaf.customers(),
                "share": rounded(share(leaf.customers(), customers)),
                "purity": rounded(purity),
                "lift": rounded(purity / share(tree.counts[leaf.class], customers)),
            },
        })
    };
    let mut segments: Vec<Value> = found.iter().map(rule).collect();
    if segments.is_empty() {
        // No leaf is pure enough: everybody gets the default.
        segments.push(json!({
            "segment": tree.classes[0],
            "when": {"all": []},
            "comment": {
                "customers": customers,
                "share": 1.0,
                "purity": rounded(share(tree.counts[0], customers)),
                "lift": 1.0,
            },
        }));
    }
    let percent = |part: u64| format!("{:.1} %", 100.0 * share(part, customers));
    let mut comment = format!(
        "Rules of a decision tree on {}: right for {}; the commonest segment alone would be right \
         for {}.",
        counted(customers, "customer"),
        percent(right),
        percent(tree.counts[0])
    );
    if rows.taken > customers {
        comment.push_str(&format!(" They are a sample of {}.", rows.taken));
    }
    if rows.skipped > 0 {
        comment.push_str(&format!(
            " {} without segment or features {} left out.",
            counted(rows.skipped, "row"),
            if rows.skipped == 1 { "was" } else { "were" }
        ));
    }
    let definition =
        json!({"kind": "rules", "comment": comment, "default": tree.classes[0], "segments": segments});
    let length = definition.to_string().len();
    // As jsonb it is longer than as text, by a quarter at most.
    if length > MAX_BYTES / 5 * 4 {
        return Err(Error::new(ErrorKind::LimitExceeded, "the rules are too long for a definition")
            .detail(format!("They have {length} bytes; at most {} are accepted.", MAX_BYTES / 5 * 4))
            .hint("Lower max_depth, or leave out features with many categories."));
    }
    Ok(definition)
}
