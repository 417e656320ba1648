//! JSON: models, definitions, options. A model and what it is used on are two JSON values with a line feed between.

use segmentation_core::Result;
use segmentation_core::axes::churn_level::ChurnLevels;
use segmentation_core::axes::future_value_band;
use segmentation_core::axes::life_moment::{
    self, AttributeChange, AttributeMapping, DueOptions, FirstOptions, MarkerOptions, PurchaseMoments,
    ReactivatedOptions, WaningOptions, YearlyOptions,
};
use segmentation_core::axes::loyalty::{self, Attitudes, LoyaltyOptions};
use segmentation_core::axes::rfm::SegmentMap;
use segmentation_core::base::language::Language;
use segmentation_core::base::money::Money;
use segmentation_core::facts::gaps::GapPrior;
use segmentation_core::facts::interest::{self, InterestModel, Population};
use segmentation_core::facts::purchase_history::{Entry, History, pack};
use segmentation_core::identity::fit::pattern as match_pattern;
use segmentation_core::identity::model::Model as MatchModel;
use segmentation_core::identity::rules::{Rules, pattern_text};
use segmentation_core::measure::profit::Costs;
use segmentation_core::models::calibration::{self, Calibration};
use segmentation_core::models::channels::{self, ChannelCells, ChannelModel, LowerCache, RankOptions};
use segmentation_core::models::churn_model::{ChurnModel, ChurnOptions, Features};
use segmentation_core::models::churn_stack::{ChurnStack, StackOptions, StackScorer};
use segmentation_core::models::product_appetence::{FitOptions as AffinityOptions, OfferOptions};
use segmentation_core::models::profile::{ProfileModel, ProfileOptions};
use segmentation_core::models::purchase_model::{
    CustomerSummary, FitOptions, ParameterUncertainty, PurchaseModel, Scorer,
};
use segmentation_core::models::retention_model::{RetentionModel, RetentionOptions};
use segmentation_core::models::send_time::{SendTimeModel, SendTimeOptions};
use segmentation_core::models::spend_model::{SpendModel, SpendOptions, SpendSummary};
use segmentation_core::models::value_stack::{ValueScorer, ValueStack, ValueStackOptions};
use segmentation_core::segments::association_rules::RuleOptions;
use segmentation_core::segments::segment::{Answer, Context, Definition, LookalikeModel, Source};
use segmentation_core::simulate::{Options, Shop};
use serde_json::Value;

use crate::{finite, probability};

const TODAY: i32 = 9_131;
const HISTORY: &str = "{2023-01-05:1:20,2023-06-01:2:35.5,2023-12-24:1:80,2024-06-01:1:10}";

fn one(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

/// A value and what it is used on; an empty object if there is none.
fn two(bytes: &[u8]) -> Option<(Value, Value)> {
    let mut parts = bytes.splitn(2, |b| *b == b'\n');
    let first = one(parts.next()?)?;
    Some((first, parts.next().and_then(one).unwrap_or_else(|| serde_json::json!({}))))
}

fn stored_history() -> Vec<u8> {
    segmentation_core::facts::purchase_history::parse_text(HISTORY).expect("a history")
}

/// What is accepted is written as a value that is accepted and written so again.
fn stable<T>(value: &Value, read: impl Fn(&Value) -> Result<T>, write: impl Fn(&T) -> Value) -> Option<T> {
    let own = read(value).ok()?;
    let written = write(&own);
    let again =
        read(&written).unwrap_or_else(|error| panic!("what was written is refused: {error:?} {written}"));
    assert_eq!(write(&again), written, "the written form is stable");
    Some(own)
}

pub fn rule_options(bytes: &[u8]) {
    let _ = one(bytes).map(|value| RuleOptions::from_json(&value));
}

pub fn calibration(bytes: &[u8]) {
    let Some(value) = one(bytes) else { return };
    let _ = calibration::Method::from_json(&value);
    if let Some(calibration) = stable(&value, Calibration::from_json, Calibration::to_json) {
        let curve: Vec<f64> = (0..=20)
            .map(|step| calibration.calibrated(f64::from(step) / 20.0).expect("a probability is calibrated"))
            .collect();
        curve.iter().for_each(|p| probability(Some(*p)));
        // A logistic curve may fall.
        assert!(curve.is_sorted() || curve.is_sorted_by(|a, b| a >= b), "neither rises nor falls: {curve:?}");
    }
}

pub fn channel_counting(bytes: &[u8]) {
    let Some(value) = one(bytes) else { return };
    let _ = ChannelCells::options(&value);
}

pub fn channel_model(bytes: &[u8]) {
    let Some((value, options)) = two(bytes) else { return };
    let Ok(Some(model)) = ChannelModel::from_json(&value) else { return };
    let Ok(options) = RankOptions::from_json(&options) else { return };
    let mut cache = LowerCache::default();
    for segment in [None, Some("a")] {
        let ranked = channels::rank(&model, segment, None, None, TODAY, &options, &mut cache);
        let _ = channels::code(&ranked);
        let _ = channels::next_change(&model, segment, None, None, TODAY, &options, &mut cache, &mut || {});
        if let Some(prior) = model.prior("email", segment) {
            probability(Some(prior.after(10.0, 3.0).mean()));
            probability(Some(prior.lower(0.1)));
        }
    }
}

pub fn channel_options(bytes: &[u8]) {
    let _ = one(bytes).map(|value| RankOptions::from_json(&value));
}

pub fn churn_levels(bytes: &[u8]) {
    let _ = one(bytes).map(|value| ChurnLevels::from_json(&value));
}

pub fn features(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Features::parse(text);
    if let Some(value) = one(bytes) {
        // Without names that are given twice, which jsonb has not either.
        let text = value.to_string();
        let from_text = Features::parse(&text);
        let from_tree = Features::read(&value);
        assert_eq!(from_text.is_ok(), from_tree.is_ok(), "{from_text:?} {from_tree:?}");
    }
}

pub fn churn_model(bytes: &[u8]) {
    let Some((value, features)) = two(bytes) else { return };
    let Some(model) = stable(&value, ChurnModel::from_json, ChurnModel::to_json) else { return };
    if let Ok(features) = Features::read(&features) {
        probability(model.churn_probability(&features).ok());
        let _ = model.explain(&features, Language::parse("fr").expect("a language"));
    }
}

pub fn churn_options(bytes: &[u8]) {
    let _ = one(bytes).map(|value| ChurnOptions::from_json(&value));
}

pub fn gap_prior(bytes: &[u8]) {
    let Some(Ok(Some(prior))) = one(bytes).map(|value| GapPrior::from_json(&value)) else { return };
    for gaps in [&[][..], &[30.0], &[1.0, 400.0, 7.0]] {
        let next = prior.next_gap(gaps);
        probability(Some(next.cdf(30.0)));
        probability(Some(next.survival(0.0)));
        assert!(!next.median().is_nan());
    }
}

pub fn interest(bytes: &[u8]) {
    let Some((value, counts)) = two(bytes) else { return };
    stable(&value, Population::from_json, Population::to_json);
    if let Ok(counts) = interest::counts(&value) {
        let mut population = Population::default();
        let _ = population.add(&counts);
        let _ = population.model();
    }
    if let (Ok(model), Ok(counts)) = (InterestModel::from_json(&value), interest::counts(&counts)) {
        let _ = model.interests(&counts);
    }
}

pub fn life_moment_options(bytes: &[u8]) {
    let Some((value, calendar)) = two(bytes) else { return };
    let history = stored_history();
    let history = Some(history.as_slice());
    if let Ok(options) = DueOptions::from_json(&value) {
        let _ = life_moment::purchase_due(history, TODAY, 0.9, &options);
    }
    if let Ok(options) = WaningOptions::from_json(&value) {
        let _ = life_moment::waning_interest(history, TODAY, &options);
        let _ = life_moment::waning_counts((2.0, 90.0, 9.0, 365.0), TODAY, &options);
    }
    for calendar in [None, Some(&calendar)] {
        if let Ok(options) = YearlyOptions::from_json(&value, calendar) {
            let _ = life_moment::yearly_recurrence(history, TODAY, None, "holiday_ahead", &options);
        }
    }
    if let Ok(options) = ReactivatedOptions::from_json(&value) {
        let _ = life_moment::reactivated(history, TODAY, &options);
    }
    if let Ok(options) = MarkerOptions::from_json(&value) {
        let _ = life_moment::marker_purchase(history, history, TODAY, "birth", &options);
    }
    if let Ok(options) = FirstOptions::from_json(&value) {
        let _ = life_moment::first_purchase(history, TODAY, &options);
    }
    let moments = PurchaseMoments {
        due: DueOptions::from_json(&value).ok(),
        waning: WaningOptions::from_json(&value).ok(),
        first: FirstOptions::from_json(&value).ok(),
        reactivated: ReactivatedOptions::from_json(&value).ok(),
    };
    let _ = history.map(|history| moments.of(history, TODAY, 0.9));
    let _ = life_moment::anniversary(3_000, TODAY, "birth_date", &value);
}

pub fn attribute_mapping(bytes: &[u8]) {
    let Some((value, change)) = two(bytes) else { return };
    let Ok(mapping) = AttributeMapping::from_json(&value) else { return };
    let text = |key: &str| change.get(key).and_then(Value::as_str);
    for attribute in ["city", "children", "marital_status"] {
        let change = AttributeChange {
            attribute,
            changed_on: TODAY - 30,
            old_value: text("old").or(Some("1")),
            new_value: text("new").or(Some("2")),
            is_company: false,
        };
        let _ = life_moment::attribute_moment(change, TODAY, &mapping);
    }
}

pub fn loyalty_options(bytes: &[u8]) {
    let Some(Ok(options)) = one(bytes).map(|value| LoyaltyOptions::from_json(&value)) else { return };
    let history = stored_history();
    let attitudes = Attitudes { breadth: Some(0.5), satisfaction: None, share_of_wallet: Some(0.2) };
    if let Ok(loyalty) = loyalty::loyalty(Some(&history), TODAY, &options, attitudes) {
        let _ = loyalty::explain(&loyalty, Language::parse("en").expect("a language"));
    }
    let _ = loyalty::next_change(Some(&history), TODAY, &options, attitudes, None);
}

pub fn affinity_fit_options(bytes: &[u8]) {
    let _ = one(bytes).map(|value| AffinityOptions::from_json(&value));
}

pub fn offer_options(bytes: &[u8]) {
    let _ = one(bytes).map(|value| OfferOptions::from_json(&value));
}

pub fn profile_model(bytes: &[u8]) {
    let Some((value, features)) = two(bytes) else { return };
    let _ = ProfileModel::is_unfitted(&value);
    let Some(model) = stable(&value, ProfileModel::from_json, ProfileModel::to_json) else { return };
    if let Some(features) = features.as_object()
        && let Ok(Some(assignment)) = model.assign_named(features)
    {
        finite(Some(assignment.distance));
    }
    for n in 0..4 {
        let _ = model.assign_array(&vec![Some(1e300); n]);
        let _ = model.assign_array(&vec![Some(0.5); n]);
    }
    let _ = (model.describe(), model.sizes().count(), model.quality().len(), model.k());
    for place in model.map().unwrap_or_default() {
        place.centre.into_iter().chain(place.spread).for_each(|x| finite(Some(x)));
    }
}

pub fn profile_options(bytes: &[u8]) {
    let _ = one(bytes).map(|value| ProfileOptions::from_json(&value));
}

pub fn costs(bytes: &[u8]) {
    if let Some(Ok(costs)) = one(bytes).map(|value| Costs::from_json(&value)) {
        let _ = costs.break_even();
    }
}

pub fn churn_stack_options(bytes: &[u8]) {
    let Some(value) = one(bytes) else { return };
    let _ = stable(&value, StackOptions::from_json, StackOptions::to_json);
}

pub fn churn_stack(bytes: &[u8]) {
    let Some(value) = one(bytes) else { return };
    let Some(stack) = stable(&value, ChurnStack::from_json, ChurnStack::to_json) else { return };
    let Ok(scorer) = StackScorer::new(&stack) else { return };
    for days in [&[0][..], &[0, 40, 90], &[0, 1, 2, 3, 365, 4000]] {
        let entries: Vec<_> = days.iter().map(|day| Entry::order(*day, Money(70_000))).collect();
        let packed = pack(&entries);
        let Ok(history) = History::read(&packed) else { continue };
        for as_of in [90, 8_000] {
            if let Ok(Some(customer)) = scorer.customer(&history, None, None, as_of) {
                probability(scorer.churn_probability(&customer, as_of).ok());
                let _ = stack.explain(&scorer, &customer, as_of, Language::English);
            }
        }
    }
}

pub fn purchase_model(bytes: &[u8]) {
    let Some(value) = one(bytes) else { return };
    let Some(model) = stable(&value, PurchaseModel::from_json, PurchaseModel::to_json) else { return };
    let _ = model.standard_errors();
    let Ok(scorer) = Scorer::new(&model) else { return };
    let uncertainty = ParameterUncertainty::new(&model);
    for (x, tx, t) in [(0, 0, 0), (0, 0, 400), (3, 300, 310), (1, 1, 30_000), (2_000, 3_000, 3_000)] {
        let Ok(customer) = CustomerSummary::new(x, tx, t) else { continue };
        probability(Some(scorer.alive_probability(customer)));
        for horizon in [1.0, 90.0, 36_500.0] {
            probability(Some(scorer.churn_probability(customer, horizon)));
            finite(Some(scorer.expected_purchases(customer, horizon)));
            probability(Some(scorer.purchases_at_least(customer, 2, horizon)));
        }
        if bytes.len() < 1_500 {
            let _ = scorer.next_purchase(customer, 0.9);
            let _ = scorer.purchases_interval(customer, 90.0, 0.9);
            if let Ok(uncertainty) = &uncertainty {
                let _ = uncertainty.alive_probability(customer, 0.9);
                let _ = uncertainty.expected_purchases(customer, 90.0, 0.9);
            }
        }
    }
}

pub fn fit_options(bytes: &[u8]) {
    let Some(value) = one(bytes) else { return };
    stable(&value, FitOptions::from_json, FitOptions::to_json);
}

pub fn retention_options(bytes: &[u8]) {
    let _ = one(bytes).map(|value| RetentionOptions::from_json(&value));
}

pub fn retention_model(bytes: &[u8]) {
    let Some((value, features)) = two(bytes) else { return };
    let Some(model) = stable(&value, RetentionModel::from_json, RetentionModel::to_json) else { return };
    let _ = model.periods("tenure", 13, 2.5);
    let Ok(features) = Features::read(&features) else { return };
    let Ok(survival) = model.survival(&features) else { return };
    for tenure in [0.0, 1.5, 60.0] {
        probability(survival.at(tenure));
        probability(survival.churn_probability(tenure, 12.0));
        finite(survival.expected_lifetime(tenure, 12.0, &mut || {}));
    }
    let _ = (survival.median(), survival.curve().len());
}

pub fn segment_map(bytes: &[u8]) {
    if let Some(Ok((map, _))) = one(bytes).map(|value| SegmentMap::of_json(&value)) {
        for (scores, _, bins) in map.cells() {
            let _ = map.segment(scores, bins);
        }
    }
}

pub fn definition(bytes: &[u8]) {
    let Some((value, customer)) = two(bytes) else { return };
    let checked = Definition::check(&value);
    let parsed = Definition::parse(&value);
    assert_eq!(checked.is_ok(), parsed.is_ok(), "check and parse agree");
    let Ok(definition) = parsed else { return };
    for as_of in [Some(TODAY), None] {
        let Ok(days) = definition.days(as_of) else { continue };
        let context = Context { days: &days, as_of };
        let assigned = definition.assign(&customer, context);
        if let Some(code) = assigned {
            assert!(definition.segments().contains(&code) || definition.default.as_deref() == Some(code));
        }
        let _ = definition.memberships(&customer, context);
        assert_eq!(definition.truths(&customer, context).len(), definition.conditions().len());
        let explained = definition.explain(&customer, context);
        serde_json::from_str::<Value>(&explained).expect("an explanation is JSON");
        for answer in [Answer::Assign, Answer::Memberships] {
            let _ =
                definition.sql(context, &Source::Attributes { alias: None, column: "attributes" }, answer);
        }
    }
}

pub fn lookalike_model(bytes: &[u8]) {
    let Some((value, customer)) = two(bytes) else { return };
    let Ok(Some(model)) = LookalikeModel::parse(&value) else { return };
    finite(Some(model.score(&customer)));
    let _ = model.explain(&customer);
}

pub fn send_time(bytes: &[u8]) {
    let Some(value) = one(bytes) else { return };
    let _ = SendTimeOptions::from_json(&value);
    if let Ok(Some(model)) = SendTimeModel::from_json(&value) {
        let scores = model.scores(None, |hour| hour % 2 == 0);
        assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
        let _ = segmentation_core::models::send_time::best(&scores);
    }
}

pub fn simulate_options(bytes: &[u8]) {
    let Some(Ok(options)) = one(bytes).map(|value| Options::from_json(&value)) else { return };
    let Ok(shop) = Shop::new(1, TODAY - 60, TODAY, options) else { return };
    for id in 1..=2 {
        let customer = shop.customer(id);
        let orders = shop.orders(&customer);
        let _ = (shop.attributes(&customer), shop.lines(&customer, &orders));
        let _ = (shop.consents(&customer), shop.contacts(&customer, &orders));
        let _ = (shop.interactions(&customer, &orders), shop.subscription(&customer));
    }
}

pub fn value_stack_options(bytes: &[u8]) {
    let Some(value) = one(bytes) else { return };
    stable(&value, ValueStackOptions::from_json, ValueStackOptions::to_json);
}

pub fn value_stack(bytes: &[u8]) {
    let Some(value) = one(bytes) else { return };
    let Some(stack) = stable(&value, ValueStack::from_json, ValueStack::to_json) else { return };
    let Ok(scorer) = ValueScorer::new(&stack) else { return };
    let Ok(options) = scorer.options(0.1, 1.0) else { return };
    for days in [&[0][..], &[0, 40, 90], &[0, 1, 2, 3, 365, 4000]] {
        let entries: Vec<_> = days.iter().map(|day| Entry::order(*day, Money(70_000))).collect();
        let packed = pack(&entries);
        let Ok(history) = History::read(&packed) else { continue };
        for as_of in [90, 8_000] {
            if let Ok(Some(customer)) = scorer.customer(&history, as_of) {
                finite(scorer.value(&customer, as_of, &options).ok().flatten());
                let _ = scorer.next_change(&customer, as_of, as_of + 800, &options, |value| Ok(value > 1.0));
            }
        }
    }
}

pub fn spend_options(bytes: &[u8]) {
    let Some(value) = one(bytes) else { return };
    stable(&value, SpendOptions::from_json, SpendOptions::to_json);
}

pub fn spend_model(bytes: &[u8]) {
    let Some(value) = one(bytes) else { return };
    let Some(model) = stable(&value, SpendModel::from_json, SpendModel::to_json) else { return };
    let _ = model.standard_errors();
    let one = SpendSummary::of(Money(250_000));
    let huge = SpendSummary {
        transactions: 1_000_000,
        nothing: 3,
        total: Money(i64::MAX),
        logs: 20_000_000_000_000_000,
    };
    for spent in [SpendSummary::default(), SpendSummary::of(Money::ZERO), one, huge] {
        finite(model.expected_spend(&spent));
    }
}

pub fn value_options(bytes: &[u8]) {
    let _ = one(bytes).map(|value| future_value_band::value_options(&value));
}

/// A customer under some rules, as a record.
fn record(rules: &Rules, customer: &Value) -> Vec<Option<String>> {
    rules.record(|field| customer.get(field).and_then(Value::as_str).map(str::to_owned))
}

pub fn match_rules(bytes: &[u8]) {
    let Some((value, customer)) = two(bytes) else { return };
    let Ok(rules) = Rules::from_json(&value) else { return };
    let record = record(&rules, &customer);
    let record: Vec<Option<&str>> = record.iter().map(Option::as_deref).collect();
    let pattern = rules.pattern(&record, &record).expect("a record fits its rules");
    assert_eq!(
        rules.contradiction(&pattern, &record, &record, |_, _| true),
        None,
        "nobody contradicts himself"
    );
    let text = pattern_text(&pattern);
    assert_eq!(match_pattern(&rules, &text).expect("a pattern reads itself"), pattern);
    assert_eq!(rules.keys(&record).len(), rules.blocking.len());
}

pub fn match_model(bytes: &[u8]) {
    let Some((value, customer)) = two(bytes) else { return };
    let Ok(model) = MatchModel::from_json(&value) else { return };
    let again = MatchModel::from_json(&model.to_json()).expect("what is written is read");
    assert_eq!(again.to_json(), model.to_json());
    let record = record(&model.rules, &customer);
    let record: Vec<Option<&str>> = record.iter().map(Option::as_deref).collect();
    finite(model.weight(&record, &record).ok());
}
