//! B2B functions against recorded answers; `data/README.md` says whose.

use segmentation_core::b2b::{identifier, job, place, public_holiday};

fn rows(csv: &'static str, separator: char) -> impl Iterator<Item = Vec<&'static str>> {
    csv.lines().skip(1).map(move |line| line.split(separator).collect())
}

#[test]
fn company_numbers_as_python_stdnum() {
    for row in rows(include_str!("data/company_numbers.csv"), ',') {
        let [kind, number, valid] = row[..] else { panic!("{row:?}") };
        let valid = valid == "true";
        match kind {
            "siren" => {
                assert_eq!(identifier::siren(number).is_some(), valid, "{number}");
                assert_eq!(identifier::siren(&number.replace('0', "0 ")).is_some(), valid, "{number}");
                let vat = identifier::vat_from_siren(number);
                assert_eq!(vat.is_some(), valid);
                assert!(vat.is_none_or(|vat| identifier::vat(&vat) == Some(true)));
            }
            "siret" => {
                assert_eq!(identifier::siret(number).is_some(), valid, "{number}");
                assert_eq!(identifier::company(number).as_deref(), valid.then_some(&number[..9]));
            }
            _ => {
                assert_eq!(identifier::vat(number), Some(valid), "{number}");
                assert_eq!(identifier::vat(&number.to_lowercase()), Some(valid), "{number}");
            }
        }
    }
}

#[test]
fn company_numbers_by_hand() {
    assert_eq!(identifier::vat_from_siren("732 829 320").as_deref(), Some("FR44732829320"));
    assert_eq!(identifier::vat_from_siren("73282932000074").as_deref(), Some("FR44732829320"));
    assert!(identifier::siret("732\u{a0}829\u{202f}320.000-74").is_some());
    // La Poste: only its head office satisfies Luhn; its digits add up to 26.
    assert!(identifier::siret("35600000000048").is_some());
    for (number, valid) in [("35600000000041", false), ("35600000000055", false), ("35600000049837", true)] {
        assert_eq!(identifier::siret(number).is_some(), valid, "{number}");
    }
    for bad in [
        "",
        "000000000",
        "73282932",
        "7328293200",
        "73282932O",
        "732829321",
        "MC123456789",
        "７３２８２９３２０",
    ] {
        assert_eq!(identifier::siren(bad), None, "{bad}");
    }
    // Monaco's establishments have letters.
    assert_eq!(identifier::siret("MONACOCONFO001"), None);
    assert_eq!(identifier::siret("00000000000000"), None);
    for (number, valid) in [
        ("SE556012579001", None),
        ("IE6388047V", None),
        ("EL094259216", None),
        ("GB980780684", Some(false)),
        ("US123456789", Some(false)),
        ("CHE107787577", Some(false)),
        ("SE1", Some(false)),
        ("FR", Some(false)),
        ("", Some(false)),
        ("FR44732829321", Some(false)),
        ("FR45732829320", Some(false)),
        ("FR 44 732 829 320", Some(true)),
    ] {
        assert_eq!(identifier::vat(number), valid, "{number}");
    }
    assert_eq!(identifier::vat(&"1".repeat(1_000_000)), Some(false));
}

#[test]
fn geodesics_as_geographiclib() {
    for row in rows(include_str!("data/geodesics.csv"), ',') {
        let n: Vec<f64> = row.iter().map(|cell| cell.parse().unwrap()).collect();
        let [latitude1, longitude1, latitude2, longitude2, km] = n[..] else { panic!("{row:?}") };
        let geodesic = place::geodesic(latitude1, longitude1, latitude2, longitude2).unwrap();
        assert!((geodesic - km).abs() < 1e-8, "{row:?}: {geodesic}");
        let haversine = place::haversine(latitude1, longitude1, latitude2, longitude2).unwrap();
        assert!((haversine - km).abs() <= 0.006 * km + 1e-9, "{row:?}: {haversine}");
    }
    for bad in [
        [91.0, 0.0, 0.0, 0.0],
        [0.0, f64::NAN, 0.0, 0.0],
        [0.0, 0.0, f64::INFINITY, 0.0],
        [0.0, 361.0, 0.0, 0.0],
    ] {
        assert_eq!(place::haversine(bad[0], bad[1], bad[2], bad[3]), None);
        assert_eq!(place::geodesic(bad[0], bad[1], bad[2], bad[3]), None);
    }
}

#[test]
fn public_holidays_as_python_holidays() {
    use chrono::{Datelike, NaiveDate};
    let mut recorded: Vec<(&str, i32)> = rows(include_str!("data/public_holidays.csv"), ',')
        .map(|row| (row[0], row[1].parse::<NaiveDate>().unwrap().num_days_from_ce() - 730_120))
        .collect();
    recorded.sort_unstable();
    let mut ours: Vec<(&str, i32)> = ["metropole", "alsace_moselle", "reunion", "guyane", "mayotte"]
        .into_iter()
        .flat_map(|zone| {
            (2015..=2040)
                .flat_map(move |year| public_holiday::of_year(year, zone))
                .map(move |(day, _)| (zone, day))
        })
        .collect();
    ours.sort_unstable();
    ours.dedup();
    assert_eq!(ours, recorded);
    assert!(ours.iter().all(|(zone, day)| public_holiday::of_day(*day, zone).is_some()));
}

#[test]
fn job_titles() {
    let mut titles = 0;
    let mut faults = Vec::new();
    for row in rows(include_str!("data/job_titles.csv"), ';') {
        let [title, seniority, function, role] = row[..] else { panic!("{row:?}") };
        let found = [
            job::seniority(title).map_or("", job::Seniority::code),
            job::function(title).unwrap_or_default(),
            job::decision_role(title, None).map_or("", job::DecisionRole::code),
        ];
        if found != [seniority, function, role] {
            faults.push(format!("{title}: {found:?}, not {:?}", [seniority, function, role]));
        }
        // Case and spaces say nothing.
        assert_eq!(job::seniority(&format!("  {} ", title.to_uppercase())), job::seniority(title), "{title}");
        assert_eq!(job::function(&title.to_uppercase()), job::function(title), "{title}");
        titles += 1;
    }
    assert!(titles >= 100);
    assert!(faults.is_empty(), "{} of {titles}:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_decision_has_a_domain() {
    let role = |title, domain| job::decision_role(title, Some(domain)).map(job::DecisionRole::code);
    assert_eq!(role("DSI", "it"), Some("decider"));
    assert_eq!(role("DSI", "marketing"), Some("influencer"));
    assert_eq!(role("PDG", "it"), Some("decider"));
    assert_eq!(role("CFO", "it"), Some("influencer"));
    assert_eq!(role("Responsable informatique", "it"), Some("influencer"));
    assert_eq!(role("Responsable informatique", "finance"), Some("user"));
    assert_eq!(role("Acheteur", "it"), Some("buyer"));
    assert_eq!(role("Directeur des achats", "purchasing"), Some("buyer"));
    for nothing in ["", "   ", "???", "x", "Bonjour"] {
        assert_eq!(job::decision_role(nothing, None), None, "{nothing}");
        assert_eq!(job::seniority(nothing), None);
    }
    let _ = job::seniority(&"directeur ".repeat(100_000));
}
