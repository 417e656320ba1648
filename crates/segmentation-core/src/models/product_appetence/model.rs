//! The fitted model: a value with a binary form, readable as JSON and as rows.

use serde_json::{Value, json};

use super::features::{ALL_DAYS, DISCOVERY, FIRST_REPEATS, Item, REPEAT};
use super::logit::Logit;
use super::matrix::Counts;
use super::options::{NEXT, horizon};
use super::tables::Tables;
use crate::base::codec::{Reader, put};
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::json::Object;

/// Version 1 had fewer features of what was bought before, and ranked by the next basket whatever the horizon.
const VERSION: u8 = 2;
/// A model that could not be fitted has this in place of its tables.
const UNFITTED: u8 = 0;

/// What was learnt on the inner split.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Blend {
    /// What the ranking is by, of items bought before: whether they come true, small baskets weighing more. To
    /// come true is to be bought within the horizon, or to be in the next basket.
    pub(super) repeat: Logit,
    /// To be bought within the horizon, or that of the next basket, of items never bought.
    pub(super) discovery: Logit,
    /// From the log-odds of `discovery` to those of `repeat`.
    pub(super) link: Logit,
    /// From log-odds and activity to the probability of coming true, each customer and item weighing the same.
    pub(super) repeat_probability: Logit,
    pub(super) discovery_probability: Logit,
}

/// Nothing learnt: frequency of the last months, then affinity and popularity.
impl Default for Blend {
    fn default() -> Self {
        let of = |width: usize, ones: &[(usize, f64)], intercept: f64| {
            let mut logit = Logit::identity(width);
            logit.coefficient.fill(0.0);
            ones.iter().for_each(|(at, c)| logit.coefficient[*at] = *c);
            logit.intercept = intercept;
            logit
        };
        Self {
            repeat: of(REPEAT.len(), &[(1, 0.5), (3, 0.5)], 0.0),
            discovery: of(DISCOVERY.len(), &[(0, 0.5), (2, 0.5)], -1.0),
            link: of(1, &[(0, 1.0)], -1.0),
            repeat_probability: of(2, &[(0, 1.0)], 0.5),
            discovery_probability: of(2, &[(0, 1.0)], 0.0),
        }
    }
}

impl Blend {
    fn to_json(&self) -> Value {
        let named = |logit: &Logit, names: &[&str]| {
            let mut value = logit.to_json();
            value["features"] = names.into();
            value
        };
        json!({
            "repeat": named(&self.repeat, &REPEAT),
            "discovery": named(&self.discovery, &DISCOVERY),
            "link": self.link.to_json(),
            "repeat_probability": self.repeat_probability.to_json(),
            "discovery_probability": self.discovery_probability.to_json(),
        })
    }

    /// Reads one of so many features of what was bought before: the first of them.
    fn from_json(value: &Value, repeats: usize) -> Result<Self> {
        let parts = ["repeat", "discovery", "link", "repeat_probability", "discovery_probability"];
        let object = Object::new("product affinity", "blend", value, &parts)?;
        let logit = |key: &str, width: usize| -> Result<Logit> {
            let mut value = object.get(key).cloned().ok_or_else(|| object.wrong(key, "a regression"))?;
            if let Value::Object(map) = &mut value {
                map.remove("features");
            }
            Logit::from_json(&value, &object.path(key), width)
        };
        Ok(Self {
            repeat: logit("repeat", repeats)?.widened(REPEAT.len()),
            discovery: logit("discovery", DISCOVERY.len())?,
            link: logit("link", 1)?,
            repeat_probability: logit("repeat_probability", 2)?,
            discovery_probability: logit("discovery_probability", 2)?,
        })
    }
}

/// Something about a model that its user should know.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Warning {
    code: String,
    message: String,
}

impl Warning {
    pub(super) fn new(code: &str, message: String) -> Self {
        Self { code: code.to_owned(), message }
    }
}

/// A fitted product affinity.
#[derive(Debug, Clone, PartialEq)]
pub struct AffinityModel {
    pub(super) as_of: Day,
    pub(super) horizon: i32,
    /// Whether it is of the next basket, within the horizon.
    pub(super) next: bool,
    pub(super) split: Day,
    /// Days over which purchases and baskets are counted: as many as were known as of the split.
    pub(super) window: Day,
    pub(super) items: Vec<String>,
    pub(super) segments: Vec<String>,
    pub(super) tables: Tables,
    pub(super) blend: Blend,
    pub(super) customers: u64,
    pub(super) lines: u64,
    pub(super) taken: u64,
    pub(super) skipped: u64,
    pub(super) trained: u64,
    pub(super) warnings: Vec<Warning>,
}

/// A pair of items that go together.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour<'a> {
    /// The item.
    pub item: &'a str,
    /// From 1.
    pub rank: usize,
    /// What goes with it.
    pub neighbour: &'a str,
    /// Similarity, or weight of EASE.
    pub weight: f64,
}

/// What is known of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemFacts<'a> {
    /// The item.
    pub item: &'a str,
    /// Customers who bought it.
    pub customers: u32,
    /// Share of them who bought it on two days or more.
    pub repeat_share: f64,
    /// Share of all customers who bought it in the last 28 days.
    pub popularity: f64,
    /// Days from one purchase to the next, by the prior.
    pub gap: f64,
    /// Mean amount of a purchase.
    pub price: f64,
}

impl AffinityModel {
    /// The place of an item.
    pub(super) fn place(&self, item: &str) -> Option<usize> {
        self.items.binary_search_by(|i| i.as_str().cmp(item)).ok()
    }

    /// The popularity of the items in a segment.
    pub(super) fn segment(&self, segment: &str) -> Option<&[f32]> {
        let at = self.segments.binary_search_by(|s| s.as_str().cmp(segment)).ok()?;
        Some(&self.tables.segments[at])
    }

    /// The neighbours of all items by a measure: `cosine`, `bm25` or `ease`; strongest first.
    ///
    /// # Errors
    /// Another measure.
    pub fn neighbours(&self, measure: &str, k: usize) -> Result<Vec<Neighbour<'_>>> {
        let t = &self.tables;
        let matrix = match measure {
            "cosine" => &t.cosine,
            "bm25" => &t.bm25,
            "ease" => &t.ease,
            _ => {
                return Err(Error::invalid("measure must be one of cosine, bm25, ease")
                    .detail(format!("It is \"{measure}\".")));
            }
        };
        let mut out = Vec::new();
        // EASE has no rows beyond its limit on items.
        for (at, item) in self.items.iter().enumerate().take(matrix.from.len().saturating_sub(1)) {
            let mut row = matrix.row(at).to_vec();
            row.retain(|(_, w)| *w > 0.0);
            row.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            out.extend(row.iter().take(k).enumerate().map(|(rank, (other, weight))| Neighbour {
                item,
                rank: rank + 1,
                neighbour: &self.items[*other as usize],
                weight: f64::from(*weight),
            }));
        }
        Ok(out)
    }

    /// What is known of the items.
    pub fn item_facts(&self) -> impl Iterator<Item = ItemFacts<'_>> {
        self.items.iter().zip(&self.tables.items).map(|(item, facts)| ItemFacts {
            item,
            customers: facts.customers,
            repeat_share: f64::from(facts.repeat),
            popularity: f64::from(facts.recent),
            gap: f64::from(facts.gap_rate) / f64::from(facts.gap_shape),
            price: f64::from(facts.price),
        })
    }

    /// What the model is, without its tables.
    ///
    /// # Errors
    /// A day is out of range.
    pub fn to_json(&self) -> Result<Value> {
        let warnings = self.warnings.iter().map(|w| json!({ "code": w.code, "message": w.message }));
        let mut value = json!({
            "kind": "product_affinity",
            "version": VERSION,
            "as_of": day::format(self.as_of)?,
            "split": day::format(self.split)?,
            "horizon": if self.next { json!(NEXT) } else { json!(self.horizon) },
            "method": if self.tables.by_ease { "ease" } else { "item_item" },
            "items": self.items.len(),
            "customers": self.customers,
            "lines": self.lines,
            "rows": self.taken,
            "skipped": self.skipped,
            "trained": self.trained,
            "segments": self.segments,
            "blend": self.blend.to_json(),
            "warnings": warnings.collect::<Vec<Value>>(),
        });
        if self.next {
            value["next_within"] = self.horizon.into();
        }
        if self.window != ALL_DAYS {
            value["window"] = self.window.into();
        }
        Ok(value)
    }

    /// The JSON of a group that could not be fitted.
    #[must_use]
    pub fn unfitted(error: &Error, taken: u64) -> Value {
        json!({
            "kind": "product_affinity",
            "version": VERSION,
            "method": null,
            "rows": taken,
            "warnings": [{ "code": "insufficient_data", "message": error.detail.as_deref().unwrap_or(&error.message) }],
        })
    }

    /// The binary form of a group that could not be fitted.
    #[must_use]
    pub fn unfitted_bytes(error: &Error, taken: u64) -> Vec<u8> {
        let mut out = vec![VERSION, UNFITTED];
        out.extend_from_slice(Self::unfitted(error, taken).to_string().as_bytes());
        out
    }

    /// The binary form.
    ///
    /// # Errors
    /// A day is out of range.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let header = self.to_json()?.to_string();
        let mut out = vec![VERSION, 1];
        put(&mut out, header.len() as u64);
        out.extend_from_slice(header.as_bytes());
        put(&mut out, self.items.len() as u64);
        for (code, item) in self.items.iter().zip(&self.tables.items) {
            put(&mut out, code.len() as u64);
            out.extend_from_slice(code.as_bytes());
            put(&mut out, u64::from(item.customers));
            for number in numbers(item) {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        for segment in &self.tables.segments {
            segment.iter().for_each(|p| out.extend_from_slice(&p.to_le_bytes()));
        }
        let t = &self.tables;
        for matrix in [&t.cosine, &t.bm25, &t.ease] {
            put_matrix(&mut out, matrix);
        }
        Ok(out)
    }

    /// The JSON part of a binary form, fitted or not.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`].
    pub fn header(bytes: &[u8]) -> Result<Value> {
        let mut reader = Reader::new(bytes, WHAT);
        header(&mut reader).map(|(value, _)| value)
    }

    /// Reads the binary form; `None` if it is one that could not be fitted.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`], or names the field that is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Option<Self>> {
        let mut reader = Reader::new(bytes, WHAT);
        let (value, fitted) = header(&mut reader)?;
        if !fitted {
            return Ok(None);
        }
        let version = bytes[0];
        let mut model = read_header(&value, version)?;
        let known = if version == 1 { FIRST_NUMBERS } else { NUMBERS };
        for _ in 0..reader.count(2 + 4 * known)? {
            let len = reader.number()?;
            let code = std::str::from_utf8(reader.take(len)?).map_err(|_| invalid())?;
            model.items.push(code.to_owned());
            let customers = reader.small()?;
            let mut n = [0.0; NUMBERS];
            for number in &mut n[..known] {
                *number = real(&mut reader)?;
            }
            let [repeat, own, share, recent, gap_shape, gap_rate, price, large, trend] = n;
            if [own, share, recent, repeat].iter().any(|x| !(0.0..=1e3).contains(x))
                || !(gap_shape > 0.0 && gap_rate > 0.0)
            {
                return Err(invalid().detail("The numbers of an item are out of range."));
            }
            let item =
                Item { customers, repeat, own, share, recent, large, trend, gap_shape, gap_rate, price };
            model.tables.items.push(item);
        }
        if model.items.is_empty() || !model.items.is_sorted_by(|a, b| a < b) {
            return Err(invalid().detail("Its items are not in order."));
        }
        let n = model.items.len();
        for _ in 0..model.segments.len() {
            let popularity: Result<Vec<f32>> = (0..n).map(|_| real(&mut reader)).collect();
            model.tables.segments.push(popularity?);
        }
        model.tables.cosine = take_matrix(&mut reader, n)?;
        model.tables.bm25 = take_matrix(&mut reader, n)?;
        model.tables.ease = take_matrix(&mut reader, n)?;
        reader.finish()?;
        let needed = if model.tables.by_ease { &model.tables.ease } else { &model.tables.cosine };
        if needed.rows() != n {
            return Err(invalid().detail("A matrix has not one row an item."));
        }
        Ok(Some(model))
    }
}

const WHAT: &str = "product_affinity";

fn invalid() -> Error {
    Error::new(ErrorKind::InvalidBinary, "invalid product_affinity")
}

/// Numbers of an item, and how many version 1 had: the first of them.
const NUMBERS: usize = 9;
const FIRST_NUMBERS: usize = 7;

fn numbers(item: &Item) -> [f32; NUMBERS] {
    let Item { repeat, own, share, recent, large, trend, gap_shape, gap_rate, price, .. } = *item;
    [repeat, own, share, recent, gap_shape, gap_rate, price, large, trend]
}

fn real(reader: &mut Reader) -> Result<f32> {
    let bytes = reader.take(4)?;
    let value = f32::from_le_bytes(bytes.try_into().map_err(|_| invalid())?);
    if value.is_finite() { Ok(value) } else { Err(invalid().detail("A number is not finite.")) }
}

/// The JSON part, and whether tables follow.
fn header(reader: &mut Reader) -> Result<(Value, bool)> {
    if !(1..=VERSION).contains(&reader.byte()?) {
        return Err(invalid().detail("Its version is not one that this release knows."));
    }
    let fitted = reader.byte()? != UNFITTED;
    let bytes = if fitted {
        let len = reader.number()?;
        reader.take(len)?
    } else {
        reader.rest()
    };
    let value: Value =
        serde_json::from_slice(bytes).map_err(|_| invalid().detail("Its head is not JSON."))?;
    if value["kind"] != "product_affinity" {
        return Err(invalid().detail("Its head is not that of a product affinity."));
    }
    Ok((value, fitted))
}

fn read_header(value: &Value, version: u8) -> Result<AffinityModel> {
    let fields = [
        "kind",
        "version",
        "as_of",
        "split",
        "horizon",
        "next_within",
        "window",
        "method",
        "items",
        "customers",
        "lines",
        "rows",
        "skipped",
        "trained",
        "segments",
        "blend",
        "warnings",
    ];
    let object = Object::new(WHAT, "", value, &fields)?;
    object.need_whole("version", u64::from(version), u64::from(version))?;
    let date = |key: &str| -> Result<Day> { object.date(key)?.ok_or_else(|| object.wrong(key, "a date")) };
    let texts = |key: &str| -> Result<Vec<String>> {
        let list: Option<Vec<String>> =
            object.list(key)?.unwrap_or_default().iter().map(|v| v.as_str().map(str::to_owned)).collect();
        list.ok_or_else(|| object.wrong(key, "a list of texts"))
    };
    let segments = texts("segments")?;
    if !segments.is_sorted_by(|a, b| a < b) {
        return Err(object.wrong("segments", "a list of texts in order"));
    }
    let warning = |w: &Value| Some(Warning::new(w["code"].as_str()?, w["message"].as_str()?.to_owned()));
    let warnings: Option<Vec<Warning>> =
        object.list("warnings")?.unwrap_or_default().iter().map(warning).collect();
    let blend = object.get("blend").ok_or_else(|| object.wrong("blend", "an object"))?;
    let repeats = if version == 1 { FIRST_REPEATS } else { REPEAT.len() };
    let (days, next) = horizon(&object)?;
    Ok(AffinityModel {
        as_of: date("as_of")?,
        horizon: days.ok_or_else(|| object.wrong("horizon", "days, or \"next\" with \"next_within\""))?,
        next,
        split: date("split")?,
        // Models of before this was kept count without limit.
        window: object.whole("window", 1, ALL_DAYS as u64)?.map_or(ALL_DAYS, |days| days as Day),
        items: Vec::new(),
        segments,
        tables: Tables { by_ease: object.need_text("method")? == "ease", ..Tables::default() },
        blend: Blend::from_json(blend, repeats)?,
        customers: object.need_whole("customers", 0, u64::MAX)?,
        lines: object.need_whole("lines", 0, u64::MAX)?,
        taken: object.need_whole("rows", 0, u64::MAX)?,
        skipped: object.need_whole("skipped", 0, u64::MAX)?,
        trained: object.need_whole("trained", 0, u64::MAX)?,
        warnings: warnings.ok_or_else(|| object.wrong("warnings", "a list of {code, message}"))?,
    })
}

fn put_matrix(out: &mut Vec<u8>, matrix: &Counts) {
    let rows = matrix.from.len().saturating_sub(1);
    put(out, rows as u64);
    for row in 0..rows {
        let row = matrix.row(row);
        put(out, row.len() as u64);
        let mut before = 0;
        for (column, value) in row {
            put(out, u64::from(column - before));
            before = *column;
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

fn take_matrix(reader: &mut Reader, columns: usize) -> Result<Counts> {
    let rows = reader.count(1)?;
    let mut matrix = Counts::new();
    for _ in 0..rows {
        let mut column = 0_u64;
        for at in 0..reader.count(5)? {
            let step = reader.number()?;
            column = column.saturating_add(step);
            if column >= columns as u64 || (at > 0 && step == 0) {
                return Err(invalid().detail("A matrix names an item that does not exist."));
            }
            let value = real(reader)?;
            matrix.entries.push((column as u32, value));
        }
        matrix.from.push(matrix.entries.len());
    }
    Ok(matrix)
}
