-- Presets of sectors.

CREATE TABLE segmentation.sector_preset (
  sector text NOT NULL,
  setting text NOT NULL,
  value jsonb NOT NULL,
  reason_en text NOT NULL,
  reason_fr text NOT NULL,
  PRIMARY KEY (sector, setting)
);
COMMENT ON TABLE segmentation.sector_preset IS 'Settings that suit a sector, each with its reason.';
COMMENT ON COLUMN segmentation.sector_preset.sector IS 'retail, hotels, mutual_insurance, property or industry.';
COMMENT ON COLUMN segmentation.sector_preset.setting IS 'What is set: axes, churn_model, churn_horizon, value_horizon, pmg_period, unit, life_moments, ...';
COMMENT ON COLUMN segmentation.sector_preset.value IS 'The setting.';
COMMENT ON COLUMN segmentation.sector_preset.reason_en IS 'Why it suits the sector.';
COMMENT ON COLUMN segmentation.sector_preset.reason_fr IS 'The same in French.';
INSERT INTO segmentation.sector_preset VALUES
  ('retail', 'axes', '["rfm", "pmg", "churn", "loyalty", "future_value", "product_appetence", "channel_appetence", "profile", "life_moment"]', 'Customers buy often and without contract: every axis has data.', 'Achats fréquents et sans contrat : tous les axes ont des données.'),
  ('retail', 'churn_model', '{"fit": "fit_purchase_model", "family": "auto", "unit": "1 week"}', 'No contract ends, so that leaving shows only as silence longer than usual: a purchase-rate model.', 'Aucun contrat ne se termine ; le départ ne se voit que par un silence inhabituel : modèle de fréquence d''achat.'),
  ('retail', 'churn_horizon', '"90 days"', 'Several purchases fall within three months.', 'Plusieurs achats tiennent dans trois mois.'),
  ('retail', 'value_horizon', '"365 days"', 'A year holds every season.', 'Une année contient toutes les saisons.'),
  ('retail', 'pmg_period', '"12 months"', 'The usual rolling year.', 'L''année glissante d''usage.'),
  ('retail', 'rfm_map', '"classic_11"', 'Eleven names are enough to act on with frequent purchases.', 'Onze noms suffisent pour agir quand les achats sont fréquents.'),
  ('retail', 'life_moments', '["purchase_due", "purchase_overdue", "waning_interest", "holiday_ahead", "birth", "moving"]', 'What is used up is bought again, and families change.', 'Le consommable se rachète, et les familles évoluent.'),
  ('hotels', 'axes', '["rfm", "pmg", "churn", "loyalty", "future_value", "product_appetence", "channel_appetence", "profile", "life_moment"]', 'Stays repeat, by season for leisure and by the week for business.', 'Les séjours se répètent, par saison pour les loisirs et chaque semaine pour les affaires.'),
  ('hotels', 'churn_model', '{"fit": "fit_purchase_model", "family": "auto", "unit": "1 month"}', 'Stays are rare: the month is the unit, and the year has a season. Fit business and leisure apart.', 'Les séjours sont rares : le mois est l''unité, l''année a une saison. Ajuster affaires et loisirs séparément.'),
  ('hotels', 'churn_horizon', '"18 months"', 'A guest who comes once a year is not lost after ninety days.', 'Un client annuel n''est pas perdu après quatre-vingt-dix jours.'),
  ('hotels', 'value_horizon', '"2 years"', 'One year may hold a single stay.', 'Une année peut ne compter qu''un séjour.'),
  ('hotels', 'pmg_period', '"24 months"', 'Twelve months would call a guest of every second summer inactive.', 'Douze mois classeraient inactif un client d''un été sur deux.'),
  ('hotels', 'life_moments', '["holiday_ahead", "anniversary", "reactivated"]', 'Booking follows the holidays.', 'La réservation suit les vacances.'),
  ('hotels', 'send_time', '{"opening_hours": true, "holiday_zone": "metropole"}', 'Companies book in office hours, and not on public holidays.', 'Les entreprises réservent aux heures de bureau, hors jours fériés.'),
  ('mutual_insurance', 'axes', '["pmg", "churn", "loyalty", "future_value", "product_appetence", "channel_appetence", "profile", "life_moment"]', 'Premiums are paid by contract: recency and frequency say nothing, so no rfm.', 'Les cotisations sont contractuelles : récence et fréquence ne disent rien, donc pas de rfm.'),
  ('mutual_insurance', 'churn_model', '{"fit": "fit_retention_model"}', 'A contract has a beginning and an end: model its duration, with its renewal dates.', 'Un contrat a un début et une fin : modéliser sa durée, avec ses échéances.'),
  ('mutual_insurance', 'churn_horizon', '"12 months"', 'Members leave at the yearly renewal, or at any time after the first year.', 'Les départs se font à l''échéance annuelle, ou à tout moment après la première année.'),
  ('mutual_insurance', 'value_horizon', '"5 years"', 'Members stay for years; discount them.', 'Les adhérents restent des années ; actualiser.'),
  ('mutual_insurance', 'turnover', '"premiums less claims"', 'A member with high premiums can cost more than it brings.', 'Un adhérent à forte cotisation peut coûter plus qu''il ne rapporte.'),
  ('mutual_insurance', 'life_moments', '["birth", "marriage", "moving", "retirement", "company_move"]', 'Each changes what has to be insured.', 'Chacun change le besoin d''assurance.'),
  ('mutual_insurance', 'product_appetence', '"discovery"', 'A second contract is another product, never the same again: no repeats.', 'Le deuxième contrat est un autre produit : pas de rachat à l''identique.'),
  ('property', 'axes', '["profile", "life_moment", "channel_appetence", "pmg"]', 'A person buys a home a few times in a life: rfm, loyalty and repeats have no data.', 'On achète un logement quelques fois dans sa vie : rfm, fidélité et rachat n''ont pas de données.'),
  ('property', 'churn_model', '{"fit": "fit_churn_model", "target": "mandate or sale within 12 months"}', 'No purchase-rate model: its rate would rest on one purchase each. A logistic model of who signs within a year, on visits, life moments and address, does.', 'Pas de modèle de fréquence : il reposerait sur un seul achat. Une régression logistique de la signature à un an, sur visites, moments de vie et adresse, convient.'),
  ('property', 'management_contracts', '{"fit": "fit_retention_model"}', 'Rental management and co-ownership are contracts: their duration can be modelled.', 'Gestion locative et syndic sont des contrats : leur durée se modélise.'),
  ('property', 'churn_horizon', '"12 months"', 'From the first visit to the signature takes months, not weeks.', 'De la première visite à la signature, il faut des mois, pas des semaines.'),
  ('property', 'value_horizon', '"10 years"', 'Sale, rental and referral of one family spread over years.', 'Vente, location et recommandation d''une famille s''étalent sur des années.'),
  ('property', 'pmg_period', '"5 years"', 'Fees are rare and high: a year leaves nearly everybody inactive.', 'Les honoraires sont rares et élevés : un an laisse presque tout le monde inactif.'),
  ('property', 'life_moments', '["moving", "birth", "marriage", "retirement"]', 'They are why people move.', 'Ce sont les raisons de déménager.'),
  ('industry', 'axes', '["pmg", "rfm", "churn", "future_value", "product_appetence", "channel_appetence", "profile", "life_moment"]', 'Few accounts with much turnover each: weigh them first, score them next.', 'Peu de comptes, beaucoup de chiffre d''affaires chacun : les peser d''abord, les scorer ensuite.'),
  ('industry', 'level', '"company (SIREN), sites (SIRET), contacts"', 'Orders come from sites and people, the decision from the company: merge their histories upwards.', 'Les commandes viennent des sites et des personnes, la décision de l''entreprise : remonter les historiques.'),
  ('industry', 'churn_model', '{"fit": "fit_purchase_model", "family": "auto", "unit": "1 month"}', 'Orders follow a stock cycle, often regular: the Erlang variants of auto catch it.', 'Les commandes suivent un cycle de stock, souvent régulier : les variantes d''Erlang le saisissent.'),
  ('industry', 'churn_horizon', '"6 months"', 'Two order cycles without an order.', 'Deux cycles de commande sans commande.'),
  ('industry', 'value_horizon', '"3 years"', 'The life of a framework agreement.', 'La durée d''un accord-cadre.'),
  ('industry', 'potential', '{"aggregate": "peer_benchmark", "by": ["naf_division", "company_size"]}', 'Peers of one division and size show what an account could buy.', 'Les pairs de même division et taille montrent le potentiel d''un compte.'),
  ('industry', 'key_accounts', '{"one_to_one": true, "rule": "pmg = G"}', 'Large accounts leave mass segments and are treated one by one.', 'Les gros comptes quittent les segments de masse et sont traités un par un.'),
  ('industry', 'send_time', '{"opening_hours": true, "holiday_zone": "metropole"}', 'Nobody reads at a closed plant.', 'Personne ne lit dans une usine fermée.');
