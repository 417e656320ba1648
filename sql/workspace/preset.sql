-- Presets: what suits a trade, as settings of a workspace, axes that fit, sources worth having; each with its reason.

CREATE TABLE segmentation.sector_preset (
  sector text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('subject', 'setting', 'axis', 'source')),
  name text NOT NULL,
  value jsonb NOT NULL,
  reason_en text NOT NULL,
  reason_fr text NOT NULL,
  PRIMARY KEY (sector, kind, name)
);
COMMENT ON TABLE segmentation.sector_preset IS
  'What suits a sector, for workspace_preset: settings, axes that fit or do not, sources; each with its reason.';
COMMENT ON COLUMN segmentation.sector_preset.sector IS
  'retail, hotels, mutual_insurance, property, industry or subscriptions.';
COMMENT ON COLUMN segmentation.sector_preset.kind IS
  'setting (of workspace_setting), axis (of workspace_axis), source (a kind of source), or subject (of '
  'create_workspace).';
COMMENT ON COLUMN segmentation.sector_preset.name IS 'Which setting, axis or kind of source.';
COMMENT ON COLUMN segmentation.sector_preset.value IS
  'The value of the setting; of an axis whether it fits; of a source true; of the subject which.';
COMMENT ON COLUMN segmentation.sector_preset.reason_en IS 'Why, in the sector''s own terms.';
COMMENT ON COLUMN segmentation.sector_preset.reason_fr IS 'The same in French.';

INSERT INTO segmentation.sector_preset (sector, kind, name, value, reason_en, reason_fr) VALUES
  ('retail', 'setting', 'churn_of', '"purchases"',
    'No contract ends: leaving shows only as a silence longer than usual.',
    'Aucun contrat ne se termine : le départ ne se voit que par un silence inhabituel.'),
  ('retail', 'setting', 'churn_horizon', '"90 days"', 'Several purchases fall within three months.',
    'Plusieurs achats tiennent dans trois mois.'),
  ('retail', 'setting', 'churn_lost_horizon', '"365 days"', 'A year holds every season and both sales.',
    'Une année contient toutes les saisons et les deux périodes de soldes.'),
  ('retail', 'setting', 'value_horizon', '"365 days"', 'A year holds every season.',
    'Une année contient toutes les saisons.'),
  ('retail', 'setting', 'pmg_months', '12', 'The usual rolling year.', 'L''année glissante d''usage.'),
  ('retail', 'setting', 'product_level', '"product"', 'What is sold is a thing with a name: offer that one.',
    'On vend un article qui a un nom : proposer celui-là.'),
  ('retail', 'setting', 'product_horizon', '"28 days"', 'What is used up is bought again within weeks.',
    'Le consommable se rachète en quelques semaines.'),
  ('retail', 'setting', 'moments', '["purchase_due", "first_purchase", "reactivated", "anniversary", "attributes"]',
    'What is used up falls due, and families change.', 'Le consommable arrive à échéance, et les familles évoluent.'),
  ('retail', 'setting', 'life_cycle_new', '"30 days"', 'The second purchase is won in the first month, or not.',
    'Le deuxième achat se gagne dans le premier mois, ou pas.'),
  ('retail', 'axis', 'rfm', 'true', 'Customers buy often and without contract.',
    'Les achats sont fréquents et sans contrat.'),
  ('retail', 'axis', 'pmg', 'true', 'A few customers bring most of the turnover.',
    'Quelques clients font l''essentiel du chiffre d''affaires.'),
  ('retail', 'axis', 'churn', 'true', 'Each customer has a rhythm, and a silence can be held against it.',
    'Chaque client a un rythme auquel comparer son silence.'),
  ('retail', 'axis', 'loyalty', 'true', 'Frequency, breadth and tenure can be seen in receipts.',
    'Fréquence, variété et ancienneté se lisent dans les tickets.'),
  ('retail', 'axis', 'future_value', 'true', 'A year ahead holds enough purchases to be counted.',
    'L''année à venir compte assez d''achats pour être estimée.'),
  ('retail', 'axis', 'product_appetence', 'true', 'Lines of receipts say who buys what, and with what.',
    'Les lignes de tickets disent qui achète quoi, et avec quoi.'),
  ('retail', 'axis', 'channel_appetence', 'true', 'Messages are many: who answers by which channel shows soon.',
    'Les messages sont nombreux : on voit vite qui répond par quel canal.'),
  ('retail', 'axis', 'profile', 'true', 'Cards of customers carry age, place and household.',
    'La carte de fidélité donne âge, lieu et foyer.'),
  ('retail', 'axis', 'life_moment', 'true', 'A birth or a move changes the basket.',
    'Une naissance ou un déménagement change le panier.'),
  ('retail', 'axis', 'life_cycle', 'true', 'From the first purchase to the last, every stage has many customers.',
    'Du premier achat au dernier, chaque étape compte beaucoup de clients.'),
  ('retail', 'source', 'purchase_lines', 'true', 'Receipts line by line: without them no offers.',
    'Les tickets ligne à ligne : sans eux, pas d''offres.'),
  ('retail', 'source', 'products', 'true', 'Names, categories, margins and stock of what is offered.',
    'Noms, catégories, marges et stock de ce qui est proposé.'),
  ('retail', 'source', 'customers', 'true', 'The card of the customer: birthdays and profiles.',
    'La carte du client : anniversaires et profils.'),

  ('hotels', 'setting', 'churn_of', '"purchases"', 'A stay binds nobody to the next: leaving is a silence.',
    'Un séjour n''engage pas au suivant : le départ est un silence.'),
  ('hotels', 'setting', 'churn_horizon', '"450 days"',
    'A guest of every summer comes again after eleven to thirteen months: only a season that passed is a sign. Needs '
    'two and a half years of stays.',
    'Un client de chaque été revient après onze à treize mois : seule une saison manquée est un signe. Demande deux '
    'ans et demi de séjours.'),
  ('hotels', 'setting', 'churn_lost_horizon', '"730 days"', 'Two seasons missed.', 'Deux saisons manquées.'),
  ('hotels', 'setting', 'value_horizon', '"730 days"', 'One year may hold a single stay, or none.',
    'Une année peut ne compter qu''un séjour, ou aucun.'),
  ('hotels', 'setting', 'pmg_months', '24', 'Twelve months would call a guest of every second summer inactive.',
    'Douze mois classeraient inactif le client d''un été sur deux.'),
  ('hotels', 'setting', 'minimum_history', '"730 days"', 'A season shows only once it has come twice.',
    'Une saison ne se voit que si elle est revenue.'),
  ('hotels', 'setting', 'product_level', '"category"',
    'Nobody asks for room 214: offers are kinds of stays (category of the products).',
    'Personne ne demande la chambre 214 : on propose des types de séjour (catégorie des produits).'),
  ('hotels', 'setting', 'product_horizon', '"90 days"', 'A stay is booked weeks ahead.',
    'Un séjour se réserve des semaines à l''avance.'),
  ('hotels', 'setting', 'moments', '["first_purchase", "reactivated", "anniversary", "attributes"]',
    'No purchase_due: two stays make no rhythm. Give holidays by moment_categories (holiday_ahead) and '
    'moment_calendar.',
    'Pas de purchase_due : deux séjours ne font pas un rythme. Donner les vacances par moment_categories '
    '(holiday_ahead) et moment_calendar.'),
  ('hotels', 'setting', 'moment_ahead', '"45 days"', 'A weekend for a birthday is booked six weeks ahead.',
    'Un week-end d''anniversaire se réserve six semaines à l''avance.'),
  ('hotels', 'setting', 'life_cycle_new', '"90 days"', 'The mail after the stay, and the first offer to come again.',
    'Le message d''après séjour, et la première invitation à revenir.'),
  ('hotels', 'setting', 'life_cycle_back', '"180 days"', 'Who came back is courted until the next booking window.',
    'Le client revenu est accompagné jusqu''aux prochaines réservations.'),
  ('hotels', 'axis', 'rfm', 'true', 'Stays repeat: recency is read in seasons, not weeks.',
    'Les séjours se répètent : la récence se lit en saisons, non en semaines.'),
  ('hotels', 'axis', 'pmg', 'true', 'Companies and regular guests carry the occupancy.',
    'Les entreprises et les habitués font le taux d''occupation.'),
  ('hotels', 'axis', 'churn', 'true', 'With the long horizon. Business guests, of every week, deserve a workspace of '
    'their own.',
    'Avec l''horizon long. La clientèle d''affaires, hebdomadaire, mérite son propre espace de travail.'),
  ('hotels', 'axis', 'loyalty', 'true', 'Stays, years and houses visited.', 'Séjours, années et maisons visitées.'),
  ('hotels', 'axis', 'future_value', 'true', 'Nights to come times their price, over two years.',
    'Les nuits à venir fois leur prix, sur deux ans.'),
  ('hotels', 'axis', 'product_appetence', 'true', 'Kinds of stays, half board, spa: by category.',
    'Types de séjour, demi-pension, spa : par catégorie.'),
  ('hotels', 'axis', 'channel_appetence', 'true', 'Who answers to you need not be paid for to a platform.',
    'Un client qui vous répond ne coûte pas de commission à une plateforme.'),
  ('hotels', 'axis', 'profile', 'true', 'Families, couples and companies stay differently.',
    'Familles, couples et entreprises ne séjournent pas de la même façon.'),
  ('hotels', 'axis', 'life_moment', 'true', 'Holidays and birthdays are why people travel.',
    'Vacances et anniversaires font voyager.'),
  ('hotels', 'axis', 'life_cycle', 'true', 'Guests are new, regular, slowing; each by the own gap between stays.',
    'Les clients sont nouveaux, réguliers, ralentis ; chacun selon son propre intervalle.'),
  ('hotels', 'source', 'purchase_lines', 'true', 'The folio: nights, meals and extras, dated by arrival.',
    'La note : nuits, repas et extras, datés de l''arrivée.'),
  ('hotels', 'source', 'products', 'true', 'Kinds of rooms and extras as categories.',
    'Les types de chambres et d''extras comme catégories.'),
  ('hotels', 'source', 'customers', 'true', 'The guest file: country, company, birthday.',
    'La fiche client : pays, entreprise, anniversaire.');

INSERT INTO segmentation.sector_preset (sector, kind, name, value, reason_en, reason_fr) VALUES
  ('mutual_insurance', 'setting', 'churn_of', '"subscriptions"',
    'A member leaves when the contracts end. That nothing was paid for 364 days says nothing of a premium of 365.',
    'Un adhérent part quand ses contrats se terminent. 364 jours sans paiement ne disent rien d''une cotisation '
    'annuelle.'),
  ('mutual_insurance', 'setting', 'churn_horizon', '"365 days"',
    'Contracts renew once a year, and may be left at any time after the first: a year holds every way out.',
    'Les contrats se renouvellent chaque année, et se résilient à tout moment après la première : une année contient '
    'toutes les sorties.'),
  ('mutual_insurance', 'setting', 'churn_medium', '0.10', 'One member in ten leaves in a usual year.',
    'Un adhérent sur dix part dans une année ordinaire.'),
  ('mutual_insurance', 'setting', 'churn_high', '0.20', 'Twice the usual: thresholds of shops would call nobody high.',
    'Le double de l''ordinaire : avec les seuils du commerce, personne ne serait à risque élevé.'),
  ('mutual_insurance', 'setting', 'value_horizon', '"1825 days"', 'Members stay for years.',
    'Les adhérents restent des années.'),
  ('mutual_insurance', 'setting', 'value_margin', '0.2',
    'Of a premium about four fifths go out as claims: put your own loss ratio.',
    'D''une cotisation, environ quatre cinquièmes repartent en prestations : mettre votre propre ratio.'),
  ('mutual_insurance', 'setting', 'pmg_months', '12', 'Premiums of a year.', 'Les cotisations d''une année.'),
  ('mutual_insurance', 'setting', 'product_level', '"category"',
    'The need is health, home or car; the formula comes after.', 'Le besoin est santé, habitation ou auto ; la formule '
    'vient ensuite.'),
  ('mutual_insurance', 'setting', 'product_horizon', '"90 days"', 'A second contract is weighed for months.',
    'Un deuxième contrat se réfléchit des mois.'),
  ('mutual_insurance', 'setting', 'product_repeat_unless_due', '1',
    'A contract that runs is not sold again. Name in product_owned_for_good what nobody takes twice: a premium paid '
    'every 365 days would make it due.',
    'Un contrat en cours ne se revend pas. Nommer dans product_owned_for_good ce que nul ne prend deux fois : une '
    'cotisation tous les 365 jours le rendrait échu.'),
  ('mutual_insurance', 'setting', 'moments', '["first_purchase", "anniversary", "attributes"]',
    'Birth, marriage, moving and retirement change what has to be insured; a premium that is due is a bill, no moment.',
    'Naissance, mariage, déménagement, retraite changent le besoin ; une cotisation due est une facture, pas un '
    'moment.'),
  ('mutual_insurance', 'setting', 'moment_ahead', '"60 days"', 'The renewal notice leaves two months before its day.',
    'L''avis d''échéance part deux mois avant la date.'),
  ('mutual_insurance', 'axis', 'rfm', 'false',
    'Premiums are paid by contract: recency and frequency are those of the debit, not of the member.',
    'Les cotisations sont contractuelles : récence et fréquence sont celles du prélèvement, pas de l''adhérent.'),
  ('mutual_insurance', 'axis', 'pmg', 'true', 'Premiums by member, companies first.',
    'Les cotisations par adhérent, les entreprises d''abord.'),
  ('mutual_insurance', 'axis', 'churn', 'true', 'Contracts have a beginning and an end: their duration is modelled.',
    'Les contrats ont un début et une fin : leur durée est modélisée.'),
  ('mutual_insurance', 'axis', 'loyalty', 'false',
    'Its frequency, regularity and recency are those of the debit, too.',
    'Sa fréquence, sa régularité et sa récence sont aussi celles du prélèvement.'),
  ('mutual_insurance', 'axis', 'future_value', 'true', 'Premiums for as long as the contracts should run, discounted.',
    'Les cotisations pour la durée attendue des contrats, actualisées.'),
  ('mutual_insurance', 'axis', 'product_appetence', 'true',
    'The second contract keeps a member: discovery, no repeats. Needs lines of premiums.',
    'Le deuxième contrat retient : découverte, pas de rachat. Demande les lignes de cotisation.'),
  ('mutual_insurance', 'axis', 'channel_appetence', 'true', 'Branch, telephone, mail and app reach different members.',
    'Agence, téléphone, courrier et appli touchent des adhérents différents.'),
  ('mutual_insurance', 'axis', 'profile', 'true', 'Age, household and occupation are known, and needs follow them.',
    'Âge, foyer et profession sont connus, et les besoins suivent.'),
  ('mutual_insurance', 'axis', 'life_moment', 'true', 'Each moment opens or ends a need.',
    'Chaque moment ouvre ou ferme un besoin.'),
  ('mutual_insurance', 'axis', 'life_cycle', 'false', 'Its stages are read from gaps between payments.',
    'Ses étapes se lisent dans les intervalles entre paiements.'),
  ('mutual_insurance', 'source', 'subscriptions', 'true', 'Contracts with first day, last day, formula, price of a '
    'month.', 'Les contrats avec premier jour, dernier jour, formule, prix d''un mois.'),
  ('mutual_insurance', 'source', 'attribute_history', 'true', 'Changes of address, household and occupation.',
    'Les changements d''adresse, de foyer et de profession.'),
  ('mutual_insurance', 'source', 'customers', 'true', 'Age, household, occupation.', 'Âge, foyer, profession.'),

  ('property', 'setting', 'churn_of', '"subscriptions"',
    'A customer buys once in ten years: silence is no departure. Contracts of rental management and of co-ownership '
    'do end.',
    'On achète une fois tous les dix ans : le silence n''est pas un départ. Les mandats de gestion locative et de '
    'syndic, eux, se terminent.'),
  ('property', 'setting', 'churn_horizon', '"365 days"', 'Management contracts run by the year.',
    'Les mandats de gestion courent à l''année.'),
  ('property', 'setting', 'churn_medium', '0.10', 'One contract in ten ends in a usual year.',
    'Un mandat sur dix se termine dans une année ordinaire.'),
  ('property', 'setting', 'churn_high', '0.20', 'Twice the usual.', 'Le double de l''ordinaire.'),
  ('property', 'setting', 'value_horizon', '"3650 days"',
    'Sale, rental and recommendation of one family are spread over ten years.',
    'Vente, location et recommandation d''une famille s''étalent sur dix ans.'),
  ('property', 'setting', 'pmg_months', '60', 'Fees are rare and high: one year leaves nearly everybody inactive.',
    'Les honoraires sont rares et élevés : un an laisse presque tout le monde inactif.'),
  ('property', 'setting', 'minimum_buyers', '30', 'An agency signs some dozens of sales a year.',
    'Une agence signe quelques dizaines de ventes par an.'),
  ('property', 'setting', 'moments', '["anniversary", "attributes"]',
    'Marriage, birth, moving and retirement are why people sell and buy; a second purchase is never due.',
    'Mariage, naissance, déménagement, retraite font vendre et acheter ; un deuxième achat n''est jamais échu.'),
  ('property', 'setting', 'moment_ahead', '"60 days"', 'A project ripens for months.',
    'Un projet mûrit des mois.'),
  ('property', 'axis', 'rfm', 'false',
    'One purchase each: frequency is 1 for everybody. Who will sign within a year is a target (workspace_target).',
    'Un achat par personne : la fréquence vaut 1 pour tous. Qui signera dans l''an est une cible (workspace_target).'),
  ('property', 'axis', 'pmg', 'true', 'Over five years, investors and owners of several homes stand out.',
    'Sur cinq ans, investisseurs et multipropriétaires ressortent.'),
  ('property', 'axis', 'churn', 'true', 'Of management contracts alone; of buyers and sellers it says nothing.',
    'Des mandats de gestion seulement ; des acquéreurs et vendeurs, il ne dit rien.'),
  ('property', 'axis', 'loyalty', 'false', 'Repeats have no data: loyalty shows as recommendation, not as purchases.',
    'Le rachat n''a pas de données : la fidélité se voit aux recommandations, non aux achats.'),
  ('property', 'axis', 'future_value', 'true', 'Of management contracts with a price; a sale in ten years is not '
    'foreseen.', 'Des mandats de gestion avec un prix ; une vente dans dix ans ne se prévoit pas.'),
  ('property', 'axis', 'product_appetence', 'false', 'What was bought says nothing of what is bought ten years later.',
    'L''achat passé ne dit rien de celui qui vient dix ans plus tard.'),
  ('property', 'axis', 'channel_appetence', 'true', 'Who answers to a call and who to a letter can be seen.',
    'On voit qui répond à un appel et qui répond à un courrier.'),
  ('property', 'axis', 'profile', 'true', 'Owner or tenant, place, household: all that is known for years.',
    'Propriétaire ou locataire, lieu, foyer : tout ce qu''on sait pendant des années.'),
  ('property', 'axis', 'life_moment', 'true', 'They are why people move.', 'Ce sont les raisons de déménager.'),
  ('property', 'axis', 'life_cycle', 'false', 'A stage read from gaps between purchases needs more than one.',
    'Une étape lue dans les intervalles d''achat demande plus d''un achat.'),
  ('property', 'source', 'interactions', 'true', 'Visits, valuations, calls: the only trace before a signature.',
    'Visites, estimations, appels : la seule trace avant une signature.'),
  ('property', 'source', 'attribute_history', 'true', 'Changes of address and household.',
    'Les changements d''adresse et de foyer.'),
  ('property', 'source', 'subscriptions', 'true', 'Management contracts, with their fee of a month.',
    'Les mandats de gestion, avec leurs honoraires d''un mois.');

INSERT INTO segmentation.sector_preset (sector, kind, name, value, reason_en, reason_fr) VALUES
  ('industry', 'subject', 'company', 'true',
    'Orders come from sites and people, the decision from the company: create_workspace(..., subject => ''company'') '
    'adds them up.',
    'Les commandes viennent des sites et des personnes, la décision de l''entreprise : create_workspace(..., subject '
    '=> ''company'') les réunit.'),
  ('industry', 'setting', 'churn_of', '"purchases"', 'Orders follow a stock cycle, with or without a framework '
    'agreement.', 'Les commandes suivent un cycle de stock, avec ou sans accord-cadre.'),
  ('industry', 'setting', 'churn_horizon', '"180 days"', 'Two order cycles without an order.',
    'Deux cycles de commande sans commande.'),
  ('industry', 'setting', 'churn_lost_horizon', '"540 days"', 'A yearly budget passed, and no order with it.',
    'Un budget annuel est passé sans commande.'),
  ('industry', 'setting', 'value_horizon', '"1095 days"', 'The life of a framework agreement.',
    'La durée d''un accord-cadre.'),
  ('industry', 'setting', 'pmg_mode', '"cumulative"',
    'Few accounts carry the turnover: those are G that make 80 % of it, however few.',
    'Peu de comptes portent le chiffre d''affaires : sont G ceux qui en font 80 %, si peu soient-ils.'),
  ('industry', 'setting', 'pmg_months', '12', 'A financial year, rolling.', 'Un exercice, glissant.'),
  ('industry', 'setting', 'minimum_buyers', '50', 'A plant has dozens of customers, not thousands.',
    'Une usine a des dizaines de clients, non des milliers.'),
  ('industry', 'setting', 'product_level', '"product"', 'References are reordered one by one.',
    'Les références se recommandent une à une.'),
  ('industry', 'setting', 'product_horizon', '"60 days"', 'An order cycle is one to three months.',
    'Un cycle de commande dure un à trois mois.'),
  ('industry', 'setting', 'moments', '["purchase_due", "first_purchase", "reactivated", "attributes"]',
    'A company reorders by its stock, moves and changes; it has no birthday.',
    'Une entreprise recommande selon son stock, déménage et change ; elle n''a pas d''anniversaire.'),
  ('industry', 'setting', 'life_cycle_new', '"90 days"', 'The first order is a trial, the second is the account.',
    'La première commande est un essai, la deuxième fait le compte.'),
  ('industry', 'setting', 'life_cycle_back', '"180 days"', 'An account that came back stays watched for two cycles.',
    'Un compte revenu reste suivi deux cycles.'),
  ('industry', 'axis', 'rfm', 'true', 'For the many small accounts; the large ones are few, and known by name.',
    'Pour les nombreux petits comptes ; les grands sont peu, et connus par leur nom.'),
  ('industry', 'axis', 'pmg', 'true', 'Weigh accounts first, score them next. See key_accounts.',
    'Peser les comptes d''abord, les scorer ensuite. Voir key_accounts.'),
  ('industry', 'axis', 'churn', 'true', 'Orders are often regular: a silence shows soon.',
    'Les commandes sont souvent régulières : un silence se voit vite.'),
  ('industry', 'axis', 'loyalty', 'true', 'With the share of wallet: see the setting potential.',
    'Avec la part de portefeuille : voir le paramètre potential.'),
  ('industry', 'axis', 'future_value', 'true', 'Orders to come times their size.',
    'Les commandes à venir fois leur montant.'),
  ('industry', 'axis', 'product_appetence', 'true', 'Ranges of references are bought together.',
    'Les références s''achètent par gammes.'),
  ('industry', 'axis', 'channel_appetence', 'true', 'A visit costs a hundred times a mail: say so in channel_costs.',
    'Une visite coûte cent fois un e-mail : le dire dans channel_costs.'),
  ('industry', 'axis', 'profile', 'true', 'Sector, size and place of companies.', 'Secteur, taille et lieu des '
    'entreprises.'),
  ('industry', 'axis', 'life_moment', 'true', 'A move, a new manager, an order that is due.',
    'Un déménagement, un nouveau dirigeant, une commande échue.'),
  ('industry', 'axis', 'life_cycle', 'true', 'Each account by the own cycle of orders.',
    'Chaque compte selon son propre cycle de commande.'),
  ('industry', 'source', 'companies', 'true', 'SIREN, NAF, headcount, turnover: size, sector and potential.',
    'SIREN, NAF, effectif, chiffre d''affaires : taille, secteur et potentiel.'),
  ('industry', 'source', 'people', 'true', 'Who decides, who is missing in the buying committee.',
    'Qui décide, qui manque au comité d''achat.'),
  ('industry', 'source', 'purchase_lines', 'true', 'Orders line by line, by site or person.',
    'Les commandes ligne à ligne, par site ou par personne.'),

  ('subscriptions', 'setting', 'churn_of', '"subscriptions"',
    'A subscriber leaves by giving notice: no silence of purchases tells it.',
    'Un abonné part en résiliant : aucun silence d''achat ne le dit.'),
  ('subscriptions', 'setting', 'churn_horizon', '"90 days"', 'Three bills: time enough to act.',
    'Trois factures : le temps d''agir.'),
  ('subscriptions', 'setting', 'churn_medium', '0.10', 'Some three of a hundred leave in a month: ten in a quarter.',
    'Environ trois abonnés sur cent partent par mois : dix par trimestre.'),
  ('subscriptions', 'setting', 'churn_high', '0.25', 'Thresholds of shops would call nobody high.',
    'Avec les seuils du commerce, personne ne serait à risque élevé.'),
  ('subscriptions', 'setting', 'value_horizon', '"730 days"', 'Beyond two years prices and plans change.',
    'Au-delà de deux ans, prix et formules changent.'),
  ('subscriptions', 'setting', 'pmg_months', '12', 'Twelve monthly bills.', 'Douze factures mensuelles.'),
  ('subscriptions', 'setting', 'product_level', '"product"', 'Options and extras, one by one.',
    'Options et suppléments, un à un.'),
  ('subscriptions', 'setting', 'product_repeat_unless_due', '1', 'Who has an option is not offered it again.',
    'L''option déjà prise ne se propose pas.'),
  ('subscriptions', 'setting', 'moments', '["first_purchase", "reactivated", "anniversary", "attributes"]',
    'Charges come by themselves: no purchase is due.', 'Le prélèvement se fait tout seul : aucun achat n''est échu.'),
  ('subscriptions', 'axis', 'rfm', 'false',
    'All are charged on the same day each month: everybody has the same recency and frequency.',
    'Tous sont prélevés chaque mois : récence et fréquence sont les mêmes pour tous.'),
  ('subscriptions', 'axis', 'pmg', 'true', 'By the price of what runs.', 'Selon le prix de ce qui court.'),
  ('subscriptions', 'axis', 'churn', 'true', 'By how long subscriptions have run, and by plan.',
    'Selon l''ancienneté des abonnements, et par formule.'),
  ('subscriptions', 'axis', 'loyalty', 'false', 'Its frequency and regularity are those of the bill.',
    'Sa fréquence et sa régularité sont celles de la facture.'),
  ('subscriptions', 'axis', 'future_value', 'true', 'The price for as long as the subscription should run.',
    'Le prix pour la durée attendue de l''abonnement.'),
  ('subscriptions', 'axis', 'product_appetence', 'true', 'For options and extras bought beside the plan.',
    'Pour les options et suppléments achetés à côté de la formule.'),
  ('subscriptions', 'axis', 'channel_appetence', 'true', 'Application, mail, message: who answers to what.',
    'Application, e-mail, SMS : qui répond à quoi.'),
  ('subscriptions', 'axis', 'profile', 'true', 'Plan, use and household.', 'Formule, usage et foyer.'),
  ('subscriptions', 'axis', 'life_moment', 'true', 'A move is the first reason to leave or to change the plan.',
    'Le déménagement est la première raison de partir ou de changer de formule.'),
  ('subscriptions', 'axis', 'life_cycle', 'false', 'Its stages are read from gaps between payments.',
    'Ses étapes se lisent dans les intervalles entre paiements.'),
  ('subscriptions', 'source', 'subscriptions', 'true', 'First day, last day, plan and price of a month.',
    'Premier jour, dernier jour, formule et prix d''un mois.'),
  ('subscriptions', 'source', 'interactions', 'true', 'Use and support: who stops using leaves next.',
    'Usage et assistance : qui n''utilise plus va partir.'),
  ('subscriptions', 'source', 'customers', 'true', 'Household and place, for profiles.',
    'Foyer et lieu, pour les profils.');

INSERT INTO segmentation.workspace_sentence (topic, language, sentence) VALUES
  ('preset.back', 'en', 'Back to the default: it has what the preset "{other}" sets, and this one has no reason to.'),
  ('preset.back', 'fr', 'Retour à la valeur par défaut : le paramètre a la valeur du préréglage « {other} », que '
    'celui-ci n''a pas de raison de garder.');

-- A preset is whole: what is left over from another one goes back to its default.
CREATE FUNCTION segmentation_internal.preset_leftovers(preset text, settings jsonb)
RETURNS TABLE (name text, value jsonb, other text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT d.name, d.default_value, min(o.sector)
  FROM segmentation.workspace_setting AS d
  JOIN segmentation.sector_preset AS o ON o.kind = 'setting' AND o.name = d.name
  WHERE o.value = settings -> d.name AND d.default_value <> settings -> d.name
    AND NOT EXISTS (
      SELECT FROM segmentation.sector_preset AS p
      WHERE p.sector = preset AND p.kind = 'setting' AND p.name = d.name)
  GROUP BY d.name, d.default_value;
END;
COMMENT ON FUNCTION segmentation_internal.preset_leftovers(text, jsonb) IS
  'Part of workspace_preset: settings of a workspace that another preset set and this one does not name, with their '
  'defaults.';

CREATE FUNCTION segmentation_internal.preset_refuse(preset text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF preset IS NULL THEN
    RAISE null_value_not_allowed USING MESSAGE = 'preset must not be null';
  END IF;
  IF NOT EXISTS (SELECT FROM segmentation.sector_preset AS p WHERE p.sector = preset) THEN
    RAISE invalid_parameter_value USING
      MESSAGE = format('there is no preset %L', preset),
      HINT = format('There are %s.', (
        SELECT string_agg(DISTINCT p.sector, ', ' ORDER BY p.sector) FROM segmentation.sector_preset AS p));
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation_internal.preset_refuse(text) IS
  'Part of workspace_preset: an error unless there is a preset of that name.';

CREATE FUNCTION segmentation.workspace_preset(
  workspace text, preset text, apply boolean DEFAULT true, language text DEFAULT NULL
) RETURNS TABLE (kind text, name text, value jsonb, was jsonb, reason text)
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ws constant text := segmentation_internal.workspace_owned(workspace);
  spoken constant text := segmentation_internal.workspace_spoken(ws, language);
  before constant jsonb := segmentation_internal.workspace_settings_now(ws);
  sources text[];
BEGIN
  PERFORM segmentation_internal.preset_refuse(preset);
  EXECUTE format('SELECT array_agg(DISTINCT s.kind) FROM ONLY %s.source AS s', ws) INTO sources;
  RETURN QUERY
    SELECT v.kind, v.name, v.value, CASE v.kind
        WHEN 'setting' THEN before -> v.name
        WHEN 'subject' THEN to_jsonb(before ->> 'subject' = v.name)
        WHEN 'source' THEN to_jsonb(coalesce(v.name = ANY (sources), false)) END, v.reason
    FROM (
      SELECT p.kind, p.name, p.value, CASE spoken WHEN 'fr' THEN p.reason_fr ELSE p.reason_en END AS reason
      FROM segmentation.sector_preset AS p
      WHERE p.sector = preset
      UNION ALL
      SELECT 'setting', l.name, l.value,
        segmentation_internal.workspace_say('preset.back', jsonb_build_object('other', l.other), spoken)
      FROM segmentation_internal.preset_leftovers(preset, before) AS l) AS v
    LEFT JOIN segmentation.workspace_setting AS d ON v.kind = 'setting' AND d.name = v.name
    LEFT JOIN segmentation.workspace_axis AS a ON v.kind = 'axis' AND a.axis = v.name
    ORDER BY array_position('{subject,setting,axis,source}'::text[], v.kind), coalesce(d.place, a.place), v.name;
  IF apply THEN
    -- As if set by hand: what follows from a setting follows.
    PERFORM segmentation.configure_workspace(workspace, (
      SELECT jsonb_object_agg(v.name, v.value)
      FROM (
        SELECT p.name, p.value FROM segmentation.sector_preset AS p WHERE p.sector = preset AND p.kind = 'setting'
        UNION ALL
        SELECT l.name, l.value FROM segmentation_internal.preset_leftovers(preset, before) AS l) AS v));
  END IF;
END
$$;
COMMENT ON FUNCTION segmentation.workspace_preset(text, text, boolean, text) IS
  'Sets up a workspace for a trade (retail, hotels, mutual_insurance, property, industry, subscriptions): a row for '
  'each setting, with what it was and why it is so now; for each axis, whether it fits and why; for each source worth '
  'having, whether there is one. With apply => false nothing is changed. Reasons are in the workspace''s language '
  'unless another is named.';
