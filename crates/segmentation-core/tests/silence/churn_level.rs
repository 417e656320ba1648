use segmentation_core::axes::churn_level::ChurnLevels;
use segmentation_core::axes::silence::look_ahead;
use segmentation_core::base::day::Day;
use segmentation_core::models::purchase_model::{Family, Scorer};
use serde_json::json;

use crate::{AS_OF, Random, check, customer, model};

fn levels(random: &mut Random) -> ChurnLevels {
    let options = match random.below(4) {
        0 => json!({}),
        1 => {
            json!({"horizon": "1 week", "medium_from": 0.7, "high_from": 0.95, "lost_horizon": "4 weeks", "lost_above": 0.99})
        }
        2 => {
            json!({"horizon": "400 days", "medium_from": 0.1, "high_from": 0.2, "lost_horizon": "30 days", "lost_above": 0.8})
        }
        _ => {
            json!({"medium_from": random.unit() / 2.0, "high_from": 0.5 + random.unit() / 2.0, "lost_above": random.unit()})
        }
    };
    ChurnLevels::from_json(&options).unwrap()
}

#[test]
fn churn_levels_as_asked_day_by_day() {
    let mut random = Random(1);
    let until = look_ahead(AS_OF);
    for family in Family::ALL {
        let (mut changes, mut again) = (0, 0);
        for _ in 0..if family == Family::ParetoNbd { 60 } else { 300 } {
            let model = model(&mut random, family);
            let scorer = Scorer::new(&model).unwrap();
            let customer = customer(&mut random);
            let levels = levels(&mut random);
            let answer = levels.next_change(&scorer, customer, AS_OF, until);
            let at = |day: Day| customer.after_silence((day - AS_OF) as u32);
            let exact = check(
                AS_OF,
                until,
                answer,
                |day| levels.level(&scorer, at(day)),
                &(&model.parameters, model.k, customer, levels),
            );
            changes += u32::from(answer.is_some());
            again += u32::from(!exact);
        }
        assert!(changes > 20 && again * 50 <= changes, "{family:?}: {again} of {changes} to look at again");
    }
}

#[test]
fn erlang_levels_fall_before_they_rise() {
    // A customer of a steady rhythm: the nearer the next purchase, the surer.
    let mut random = Random(2);
    let mut fell = 0;
    for _ in 0..300 {
        let model = model(&mut random, Family::MbgCnbdK);
        let scorer = Scorer::new(&model).unwrap();
        let customer = customer(&mut random);
        let levels = ChurnLevels::default();
        let now = levels.level(&scorer, customer);
        if let Some(day) = levels.next_change(&scorer, customer, AS_OF, look_ahead(AS_OF)) {
            fell += u32::from(levels.level(&scorer, customer.after_silence((day - AS_OF) as u32)) < now);
        }
    }
    assert!(fell > 5, "{fell}");
}
