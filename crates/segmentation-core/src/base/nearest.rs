//! The name that was probably meant, for errors.

use strsim::osa_distance;

use super::spelling::fold;

/// Names longer than this are not compared.
const LONGEST: usize = 200;

/// The nearest of some names: by letters changed, put in, taken out or swapped with the one beside them, whatever their
/// case and accents; at most a third of the letters, but two are always forgiven. A name that contains what was given
/// is near too. Of equals the first by its bytes.
pub fn nearest<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let folded = fold(given);
    let letters = folded.chars().count();
    if letters == 0 || letters > LONGEST {
        return None;
    }
    names
        .filter(|name| name.len() <= LONGEST)
        .filter_map(|name| {
            let other = fold(name);
            let distance = osa_distance(&folded, &other);
            let near = distance <= (letters / 3).max(2) && distance < letters.max(other.chars().count());
            (near || other.contains(&folded)).then_some((distance, name))
        })
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn names_meant() {
        let names = ["churn", "churn_code", "future_value", "recency", "city", "Été"];
        let meant = |given: &str| nearest(given, names.into_iter());
        assert_eq!(meant("chrun"), Some("churn"));
        assert_eq!(meant("CHURN_CODE"), Some("churn_code"));
        assert_eq!(meant("value"), Some("future_value"));
        assert_eq!(meant("futur_valu"), Some("future_value"));
        assert_eq!(meant("ete"), Some("Été"));
        // Nothing in common, nothing given, and more than anybody types.
        assert_eq!(meant("xy"), None);
        assert_eq!(meant(""), None);
        assert_eq!(meant(&"x".repeat(100_000)), None);
        assert_eq!(nearest("city", std::iter::empty()), None);
    }
}
