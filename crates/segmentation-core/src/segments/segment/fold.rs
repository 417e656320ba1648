//! Definitions for fields whose values are folded, as columns of type citext are: their texts have to be folded too.

use super::{Condition, Definition, FieldTest, Kind, Operand, Path, Test, like::Like};

fn operand(operand: &mut Operand, fold: &dyn Fn(&str) -> String) {
    if let Operand::Text(text) = operand {
        *text = fold(text);
    }
}

impl FieldTest {
    fn fold(&mut self, fold: &dyn Fn(&str) -> String) {
        match self {
            FieldTest::Compare(_, value) => operand(value, fold),
            FieldTest::In(values) => values.iter_mut().for_each(|value| operand(value, fold)),
            FieldTest::StartsWith(prefix) => *prefix = fold(prefix),
            FieldTest::Like(like) => {
                // Folding changes letters only, so that it stays a pattern.
                if let Some(folded) = Like::parse(&fold(&like.text)) {
                    *like = folded;
                }
            }
            FieldTest::IsNull | FieldTest::ContainsAny(_) | FieldTest::ContainsAll(_) => {}
        }
    }
}

impl Condition {
    fn fold(&mut self, folded: &[bool], fold: &dyn Fn(&str) -> String) {
        match &mut self.test {
            Test::All(parts) | Test::Any(parts) => {
                parts.iter_mut().for_each(|part| part.fold(folded, fold));
            }
            Test::Not(part) => part.fold(folded, fold),
            Test::Field(field, test) if folded[*field] => test.fold(fold),
            // A text has no events.
            Test::Field(..) | Test::Events(_) => {}
        }
    }
}

impl Definition {
    /// The same for customers whose texts in some fields come folded.
    #[must_use]
    pub fn folded(mut self, is_folded: impl Fn(&str) -> bool, fold: impl Fn(&str) -> String) -> Self {
        let of = |path: &Path| matches!(path.as_slice(), [name] if is_folded(name));
        let folded: Vec<bool> = self.fields.iter().map(of).collect();
        if folded.contains(&true) {
            match &mut self.kind {
                Kind::Rules { segments, .. } => {
                    segments.iter_mut().for_each(|rule| rule.when.fold(&folded, &fold));
                }
                Kind::Scorecard { points, .. } => {
                    points.iter_mut().for_each(|(condition, _)| condition.fold(&folded, &fold));
                }
                Kind::Nearest(_) | Kind::Benefits(_) => {}
            }
        }
        self
    }
}
