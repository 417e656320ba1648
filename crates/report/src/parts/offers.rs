//! Offers: what customers would buy.

use segmentation_core::base::error::Result;
use serde::Deserialize;
use serde_json::Value;

use super::bars::{Bar, bars};
use super::data::read;
use crate::palette::Tone;
use crate::picture::{Picture, Table};
use crate::section::Section;
use crate::words::{Words, say};

#[derive(Deserialize)]
struct Data {
    products: Vec<Product>,
}

#[derive(Deserialize)]
struct Product {
    name: String,
    customers: f64,
    expected: f64,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let data: Data = read(data, "offers")?;
    let mut section = Section::default();
    let Some(first) = data.products.first() else {
        section.nothing = Some(
            words
                .pick(
                    "Nobody is offered anything: there are no purchase lines with products.",
                    "Personne n’a d’offre : il n’y a pas de lignes d’achat avec des produits.",
                )
                .into(),
        );
        return Ok(section);
    };
    section.about = words
        .pick(
            "The products among the best offers of most customers, and how many are expected to buy. Among the twenty most offered to each size of customer (PMG).",
            "Les produits parmi les meilleures offres du plus grand nombre de clients, et les achats attendus. Parmi les vingt les plus proposés à chaque taille de client (PMG).",
        )
        .into();
    let (name, customers) = (&first.name, words.count(first.customers));
    section.sentences.push(say!(
        words,
        "“{name}” is offered to {customers} customers, the most.",
        "« {name} » est proposé à {customers} clients, le plus grand nombre."
    ));
    let products = data.products;
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    section.pictures.push(Picture {
        name: "offers".into(),
        title: pick("Products offered to most customers", "Produits proposés au plus grand nombre"),
        about: pick(
            "Bars of the number of customers to whom a product is offered.",
            "Barres du nombre de clients auxquels un produit est proposé.",
        ),
        table: Table {
            head: vec![
                pick("Product", "Produit"),
                pick("Customers", "Clients"),
                pick("Expected buyers", "Acheteurs attendus"),
            ],
            texts: 1,
            rows: products
                .iter()
                .map(|product| {
                    vec![
                        product.name.clone(),
                        words.count(product.customers),
                        words.number(product.expected, 1),
                    ]
                })
                .collect(),
        },
        small: false,
        paint: Box::new(move |width| {
            let all: Vec<Bar> = products
                .iter()
                .take(10)
                .map(|product| Bar {
                    label: product.name.clone(),
                    value: product.customers,
                    word: words.count(product.customers),
                    tone: Tone::Blue,
                })
                .collect();
            let largest = all.iter().map(|bar| bar.value).fold(0.0, f64::max);
            bars(width, &all, largest, &[])
        }),
    });
    Ok(section)
}
